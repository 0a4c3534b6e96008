import BlockKernels
import MessagePassing
import Optimization

/// Equations for a step δ of damped Gauss–Newton at the last parameters of residuals.
protocol DampedSystem: AnyObject {
  /// Computes the Gram matrix at the last parameters.
  ///
  /// Collective.
  ///
  /// - Parameter problem: The residuals.
  /// - Throws: `MPIError`.
  func assemble(_ problem: CollocationResiduals) throws

  /// Solves with a damping relative to the mean diagonal of JᵀJ.
  ///
  /// - Parameters:
  ///   - damping: μ.
  ///   - step: δ.
  /// - Returns: Whether the matrix was positive definite, and δ is finite.
  func solve(damping: Double, into step: AlignedBuffer<Double>) -> Bool
}

/// (JᵀJ + μ I) δ = −Jᵀ r.
final class PrimalSystem: DampedSystem {
  private typealias Vectors = AlignedBuffer<Double>

  private let normal: NormalMatrix
  private let sums: ShardSums
  private let vector: Vectors
  private let matrix: Vectors
  private let jacobian: Vectors
  private let transposed: Vectors
  private let products = TiledProduct()
  private let cholesky: Cholesky

  init(_ problem: CollocationResiduals) {
    cholesky = Cholesky(order: problem.count)
    normal = NormalMatrix(order: problem.count)
    let ranks = (rank: problem.ranks.rank, size: problem.ranks.size)
    sums = ShardSums(
      count: problem.groupCount, parameterCount: normal.count, rank: ranks.rank,
      ranks: ranks.size)
    vector = Vectors(repeating: 0, count: normal.count)
    matrix = Vectors(repeating: 0, count: problem.count * problem.count)
    jacobian = Vectors(repeating: 0, count: problem.count * problem.groupRows)
    transposed = Vectors(repeating: 0, count: problem.count * problem.groupRows)
  }

  func assemble(_ problem: CollocationResiduals) throws {
    let (rows, jacobian) = (problem.groupRows, jacobian)
    try sums.sum(into: vector, on: problem.ranks) { slot, vector in
      problem.writeJacobian(into: jacobian, group: slot)
      normal.write(
        jacobian, transposed: transposed, rows: rows, problem.residuals, from: slot * rows,
        into: vector, products)
    }
  }

  func solve(damping: Double, into step: AlignedBuffer<Double>) -> Bool {
    let n = normal.order
    normal.unpack(vector, into: matrix, shift: damping * normal.meanDiagonal(vector))
    for place in 0..<n { step[place] = -vector[normal.gradientStart + place] }
    return cholesky.solve(matrix, step)
      && Elementwise.areFinite(step)
  }
}

/// δ = −Jᵀ (J Jᵀ + μ I)⁻¹ r.
///
/// All ranks get the Jacobian; the blocks of J Jᵀ, one for each two groups, are dealt to them.
final class DualSystem: DampedSystem {
  private typealias Vectors = AlignedBuffer<Double>

  private let (parameterCount, groupCount, rows): (Int, Int, Int)
  /// The Jacobian, `[group][parameter][row]`, and the residuals of all.
  private let jacobian: Vectors
  private let residuals: Vectors
  /// Pairs of groups, lower triangle, `[pair][column][row]`.
  private let pairs: [(row: Int, column: Int)]
  private let blocks: Vectors
  private let matrix: Vectors
  private let solution: Vectors
  private let part: Vectors
  private let own: Range<Int>
  private let group: Vectors
  /// The transposed Jacobian of a group.
  private let transposed: Vectors
  private let products = TiledProduct()
  private let cholesky: Cholesky

  init(_ problem: CollocationResiduals) {
    (parameterCount, groupCount, rows) = (problem.count, problem.groupCount, problem.groupRows)
    jacobian = Vectors(repeating: 0, count: groupCount * parameterCount * rows)
    residuals = Vectors(repeating: 0, count: groupCount * rows)
    var pairs: [(row: Int, column: Int)] = []
    for column in 0..<groupCount {
      for row in column..<groupCount { pairs.append((row, column)) }
    }
    self.pairs = pairs
    blocks = Vectors(repeating: 0, count: pairs.count * rows * rows)
    matrix = Vectors(repeating: 0, count: groupCount * groupCount * rows * rows)
    solution = Vectors(repeating: 0, count: groupCount * rows)
    part = Vectors(repeating: 0, count: parameterCount)
    own = problem.sums.own
    group = Vectors(repeating: 0, count: parameterCount * rows)
    transposed = Vectors(repeating: 0, count: parameterCount * rows)
    cholesky = Cholesky(order: groupCount * rows)
  }

  func assemble(_ problem: CollocationResiduals) throws {
    let (size, block) = (parameterCount * rows, rows * rows)
    for (slot, place) in own.enumerated() {
      problem.writeJacobian(into: group, group: slot)
      jacobian.copy(from: group, at: 0, to: place * size..<(place + 1) * size)
      residuals.copy(
        from: problem.residuals, at: slot * rows, to: place * rows..<(place + 1) * rows)
    }
    let ranks = problem.ranks.size
    let (jacobian, residuals, blocks) = (jacobian, residuals, blocks)
    func shares(_ count: Int) -> [Int] {
      (0..<ranks).map { count * ($0 + 1) / ranks - count * $0 / ranks }
    }
    let groups = shares(groupCount)
    if ranks > 1 {
      var rows = jacobian.mutableSpan
      try problem.ranks.allGatherInPlace(&rows, counts: groups.map { $0 * size })
      var values = residuals.mutableSpan
      try problem.ranks.allGatherInPlace(&values, counts: groups.map { $0 * self.rows })
    }
    let counts = shares(pairs.count)
    let first = counts[..<problem.ranks.rank].reduce(0, +)
    var last: Int?
    for index in first..<first + counts[problem.ranks.rank] {
      let (row, column) = pairs[index]
      if column != last { transpose(column) }
      last = column
      products.multiply(
        Placed(jacobian, at: row * size, leading: rows),
        Placed(transposed, leading: parameterCount),
        into: Placed(blocks, at: index * block, leading: rows), m: rows, n: rows,
        k: parameterCount, accumulates: false)
    }
    if ranks > 1 {
      var all = blocks.mutableSpan
      try problem.ranks.allGatherInPlace(&all, counts: counts.map { $0 * block })
    }
  }

  /// Transposes the Jacobian of a group.
  private func transpose(_ place: Int) {
    let (jacobian, transposed, size) = (jacobian, transposed, parameterCount * rows)
    let part = jacobian.span.extracting(place * size..<(place + 1) * size)
    var target = transposed.mutableSpan
    Elementwise.transpose(
      part, channels: parameterCount, samples: rows, stride: parameterCount, into: &target)
  }

  func solve(damping: Double, into step: AlignedBuffer<Double>) -> Bool {
    let n = groupCount * rows
    for (index, pair) in pairs.enumerated() {
      for column in 0..<rows {
        let start = (pair.column * rows + column) * n + pair.row * rows
        matrix.copy(
          from: blocks, at: (index * rows + column) * rows, to: start..<start + rows)
      }
    }
    var trace = 0.0
    for place in 0..<n { trace += matrix[place * n + place] }
    let shift = damping * trace / Double(parameterCount)
    for place in 0..<n { matrix[place * n + place] += shift }
    solution.copy(from: residuals, at: 0, to: 0..<n)
    guard cholesky.solve(matrix, solution) else { return false }
    step.fill(0)
    let size = parameterCount * rows
    let (jacobian, solution, part) = (jacobian, solution, part)
    for place in 0..<groupCount {
      let y = solution.span.extracting(place * rows..<(place + 1) * rows)
      let j = jacobian.span.extracting(place * size..<(place + 1) * size)
      var product = part.mutableSpan
      BLAS.multiply(
        j, transposed: true, y, ldb: rows, into: &product, ldc: parameterCount,
        m: parameterCount, n: 1, k: rows, scale: -1)
      let terms = part.span
      var sum = step.mutableSpan
      Elementwise.add(terms, at: 0, to: &sum, in: 0..<parameterCount)
    }
    return Elementwise.areFinite(step)
  }
}
