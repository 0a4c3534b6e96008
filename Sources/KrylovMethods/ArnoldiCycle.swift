internal import BlockKernels
internal import MessagePassing

/// The basis of the Krylov spaces of all columns between two restarts of GMRES.
final class ArnoldiCycle {
  /// The scaled residuals at the start of a cycle.
  let residual: AlignedBuffer<Double>
  private let system: BlockSystem
  private let isFlexible: Bool
  private let basisBytes: Int
  /// The orthonormal basis vectors, a block for each; zero in columns that have ended.
  private var basis: [AlignedBuffer<Double>] = []
  /// M⁻¹ of them, if flexible.
  private var preconditioned: [AlignedBuffer<Double>] = []
  /// M⁻¹ of the newest one else, and combinations.
  private let scratch: AlignedBuffer<Double>
  private let combination: AlignedBuffer<Double>
  /// The least-squares problems of the columns.
  private var problems: [HessenbergProblem]
  /// For each column: whether it was active when the cycle began.
  private var participants: [Bool]
  /// For each column: the norm of the newest vector before it was made orthogonal.
  private var lengths: [Double]

  /// Allocates scratch memory.
  ///
  /// - Parameters:
  ///   - system: The system.
  ///   - isFlexible: Whether M⁻¹ of the basis is kept.
  ///   - basisBytes: The largest number of bytes of the basis on any rank.
  ///   - certainSteps: The length of a cycle if it is known, for which there has to be memory.
  /// - Throws: `RunError` (64) if there is not.
  init(
    _ system: BlockSystem, isFlexible: Bool, basisBytes: Int, certainSteps: Int?
  ) throws(RunError) {
    (self.system, self.isFlexible, self.basisBytes) = (system, isFlexible, basisBytes)
    let count = system.rows * system.columns
    residual = AlignedBuffer(repeating: 0, count: count)
    scratch = AlignedBuffer(repeating: 0, count: count)
    combination = AlignedBuffer(repeating: 0, count: count)
    problems = (0..<system.columns).map { _ in HessenbergProblem() }
    participants = [Bool](repeating: false, count: system.columns)
    lengths = [Double](repeating: 0, count: system.columns)
    if let certainSteps { try checkMemory(steps: certainSteps) }
  }

  /// Whether a column was active when the cycle began.
  func takesPart(_ column: Int) -> Bool { participants[column] }

  /// Iterates from the residuals until no column is active or the limit is reached.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - residualNorms: The norms of the residuals.
  ///   - limit: The largest number of iterations, positive.
  ///   - ranks: The ranks.
  /// - Returns: The number of iterations.
  /// - Throws: What an operator throws, `RunError` where there is no memory, `MPIError`.
  func run(
    residualNorms: [Double], limit: Int, on ranks: borrowing Communicator
  ) throws -> Int {
    try grow(to: 0)
    for c in participants.indices {
      participants[c] = system.isActive[c]
      problems[c].start(residualNorms[c])
      VectorKernels.multiply(
        residual, by: system.isActive[c] ? 1 / residualNorms[c] : 0, into: basis[0],
        in: system.range(c))
    }
    var newest = 0
    while newest < limit && system.hasActive {
      try grow(to: newest + 1)
      try multiply(newest, on: ranks)
      try orthogonalize(newest, on: ranks)
      newest += 1
    }
    return newest
  }

  /// Adds what the cycle found to the solution: x += M⁻¹ V y, or Z y if flexible; ends columns where that is not finite.
  ///
  /// Collective.
  func addCorrections(
    to solution: inout MutableSpan<Double>, on ranks: borrowing Communicator
  ) throws {
    let vectors = isFlexible ? preconditioned : basis
    for c in participants.indices {
      system.clear(c, of: combination)
      guard participants[c] else { continue }
      let weights = problems[c].solution()
      if weights.count < problems[c].count {
        system.end(c, .breakdown(.singular))
        system.retreat(c, by: problems[c].count - weights.count)
      }
      for (vector, weight) in zip(vectors, weights) {
        VectorKernels.add(vector, times: weight, to: combination, in: system.range(c))
      }
    }
    let isDirect = isFlexible || !system.isPreconditioned
    if !isDirect { try system.applyPreconditioner(combination, into: scratch, on: ranks) }
    let correction = isDirect ? combination : scratch
    system.products.removeAll()
    for c in participants.indices where participants[c] {
      system.products.append(correction, correction, in: system.range(c))
    }
    try system.products.reduce(on: ranks)
    var place = 0
    for c in participants.indices where participants[c] {
      let square = system.products.values[place]
      place += 1
      // The solution is left as it was where the correction is not finite.
      guard square.isFinite else {
        system.end(c, .breakdown(.notFinite))
        continue
      }
      VectorKernels.add(
        correction, times: 1 / system.scales[c], to: &solution, in: system.range(c))
    }
  }

  // MARK: Steps

  /// Appends A M⁻¹ v of the newest vector v to the basis.
  private func multiply(_ newest: Int, on ranks: borrowing Communicator) throws {
    guard system.isPreconditioned else {
      try system.apply(basis[newest], into: basis[newest + 1], on: ranks)
      return
    }
    let image = isFlexible ? preconditioned[newest] : scratch
    try system.applyPreconditioner(basis[newest], into: image, on: ranks)
    try system.apply(image, into: basis[newest + 1], on: ranks)
  }

  /// Makes the vector after the newest one orthogonal to the others, and updates the least-squares problems.
  private func orthogonalize(_ newest: Int, on ranks: borrowing Communicator) throws {
    let vector = basis[newest + 1]
    try subtractProjections(newest, isFirst: true, on: ranks)
    try subtractProjections(newest, isFirst: false, on: ranks)
    reduceSquares(vector)
    try system.products.reduce(on: ranks)
    var place = 0
    for c in lengths.indices {
      guard system.isActive[c] else {
        system.clear(c, of: vector)
        continue
      }
      let square = system.products.values[place]
      place += 1
      var length = square.squareRoot()
      // What is left is rounding: the space is invariant.
      if length <= 16 * Double.ulpOfOne * lengths[c] { length = 0 }
      accept(c, length: length, vector)
    }
  }

  /// Ends the iteration of a column or makes its new vector a unit vector.
  private func accept(_ column: Int, length: Double, _ vector: AlignedBuffer<Double>) {
    if !length.isFinite || !problems[column].hasFiniteColumn {
      problems[column].dropColumn()
      system.end(column, .breakdown(.notFinite))
    } else if problems[column].closeColumn(length) {
      let residual = problems[column].residual
      system.note(column, residual: residual)
      if residual <= system.tolerance * system.norms[column] {
        // Also where the space is invariant: the residual is zero then.
        system.end(column, .converged)
      }
    } else {
      problems[column].dropColumn()
      system.end(column, .breakdown(.singular))
    }
    guard system.isActive[column] else {
      system.clear(column, of: vector)
      return
    }
    VectorKernels.scale(vector, by: 1 / length, in: system.range(column))
  }

  /// Subtracts the projections on the basis from the vector after the newest one, once.
  private func subtractProjections(
    _ newest: Int, isFirst: Bool, on ranks: borrowing Communicator
  ) throws {
    let vector = basis[newest + 1]
    system.products.removeAll()
    if isFirst { appendSquares(vector) }
    for c in lengths.indices where system.isActive[c] {
      for j in 0...newest { system.products.append(basis[j], vector, in: system.range(c)) }
    }
    try system.products.reduce(on: ranks)
    var place = 0
    if isFirst {
      for c in lengths.indices where system.isActive[c] {
        lengths[c] = system.products.values[place].squareRoot()
        problems[c].openColumn()
        place += 1
      }
    }
    // Runs of rows stay in the cache while all vectors are subtracted.
    for c in lengths.indices where system.isActive[c] {
      let range = system.range(c)
      for j in 0...newest { problems[c].add(system.products.values[place + j], at: j) }
      for first in stride(from: range.lowerBound, to: range.upperBound, by: 2048) {
        let rows = first..<min(first + 2048, range.upperBound)
        for j in 0...newest {
          VectorKernels.add(
            basis[j], times: -system.products.values[place + j], to: vector, in: rows)
        }
      }
      place += newest + 1
    }
  }

  private func reduceSquares(_ vector: AlignedBuffer<Double>) {
    system.products.removeAll()
    appendSquares(vector)
  }

  private func appendSquares(_ vector: AlignedBuffer<Double>) {
    for c in lengths.indices where system.isActive[c] {
      system.products.append(vector, vector, in: system.range(c))
    }
  }

  // MARK: Memory

  /// Makes sure that a vector of the basis exists, and M⁻¹ of the one before.
  private func grow(to index: Int) throws(RunError) {
    let count = system.rows * system.columns
    guard index >= basis.count else { return }
    try checkMemory(steps: index)
    basis.append(AlignedBuffer(repeating: 0, count: count))
    if isFlexible && index > 0 { preconditioned.append(AlignedBuffer(repeating: 0, count: count)) }
    system.products.reserve((index + 2) * system.columns)
    for c in problems.indices { problems[c].reserve(index) }
  }

  /// Checks that there is memory for a number of iterations; the same on all ranks.
  private func checkMemory(steps: Int) throws(RunError) {
    let blocks = steps + 1 + (isFlexible ? steps : 0)
    let block = system.largestRows * system.columns * MemoryLayout<Double>.size
    let (bytes, overflow) = blocks.multipliedReportingOverflow(by: block)
    guard overflow || bytes > basisBytes else { return }
    let size = overflow ? "more than 2⁶³ bytes" : "\(bytes) bytes"
    let residual = system.report.columns.compactMap(\.history.last).max()
    let affordable = affordableSteps(block)
    throw .usage(
      "the Krylov basis of \(steps) iterations would take \(size) on a rank, `basisBytes` allows "
        + "\(basisBytes)" + (residual.map { " (relative residual so far: \($0))" } ?? "") + "; "
        + (affordable > 0 ? "set `restart` to at most \(affordable), " : "")
        + "raise `basisBytes` or take more ranks")
  }

  /// The number of iterations for which there is memory.
  private func affordableSteps(_ block: Int) -> Int {
    let blocks = basisBytes / max(block, 1)
    return max(isFlexible ? (blocks - 1) / 2 : blocks - 1, 0)
  }
}
