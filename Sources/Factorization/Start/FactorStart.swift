import BlockKernels
import BlockSparse
import ClusterTrees
import MessagePassing
import OperatorNetworks
import SparseMatrices

/// Makes the factors that training starts with.
///
/// The exact factor of the matrix is truncated. Where that would need too much memory, an incomplete factorization in
/// the diagonal and near blocks of the structure takes its place; nothing is left to be truncated then, and bases begin
/// with zero blocks between them.
struct FactorStart {
  /// The most unknowns whose inverse factors are formed: they fill the triangle.
  static let inverseLimit = 4096

  let factors: Factors
  /// A in the order of the tree.
  let matrix: SparseMatrix
  /// The exact or incomplete factor; nil if only random starts are wanted.
  private(set) var exact: ExactFactor?
  /// Whether the factorization is complete.
  private(set) var isExact = false
  /// What was added to the diagonal, as a multiple of it, so that the incomplete factorization exists.
  private(set) var shift = 0.0

  /// Prepares a start without a factorization.
  ///
  /// - Parameters:
  ///   - factors: The factors to be started.
  ///   - matrix: A in the order of the tree.
  init(_ factors: Factors, _ matrix: SparseMatrix) {
    (self.factors, self.matrix) = (factors, matrix)
  }

  /// Factorizes, on the first rank for all: LAPACK's last bits differ between processors.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - memory: The bytes that exact factors may have.
  ///   - ranks: The ranks.
  /// - Throws: `RunError` (65) if there is no factorization in this order.
  mutating func factorize(
    memory: Int, on ranks: borrowing Communicator
  ) throws {
    ranks.stallWatch.phase = .init("factorization")
    let starts = factors.structure.leafStarts
    let whole = BlockStructure(
      starts: starts, rowStarts: matrix.rowStarts, columns: matrix.columns)
    let count = whole.elementCount * (factors.isSymmetric ? 1 : 2)
    isExact = count <= memory / MemoryLayout<Double>.stride
    let structure =
      isExact ? whole : BlockStructure(starts: starts, near: factors.structure.near)
    let (matrix, isPositive, isExact) = (matrix, factors.isSymmetric, isExact)
    let isFirst = ranks.rank == 0
    let found = try ranks.agree { () throws -> (ExactFactor, Double)? in
      guard isFirst else { return nil }
      return isExact
        ? (try ExactFactor(structure: structure, matrix, isPositive: isPositive), 0)
        : try Self.incomplete(structure, matrix, isPositive: isPositive)
    }
    var factor = found?.0 ?? ExactFactor(zerosOf: structure, isPositive: isPositive)
    try factor.broadcast(on: ranks)
    exact = factor
    var shifts = [found?.1 ?? 0]
    var span = shifts.mutableSpan
    try ranks.broadcast(&span, from: 0)
    shift = shifts[0]
  }

  /// Factorizes without fill, and adds to the diagonal until that works (Manteuffel 1980).
  private static func incomplete(
    _ structure: BlockStructure, _ matrix: SparseMatrix, isPositive: Bool
  ) throws(RunError) -> (ExactFactor, Double) {
    var shift = 0.0
    while true {
      do {
        let factor = try ExactFactor(
          structure: structure, matrix, isPositive: isPositive, shift: shift)
        return (factor, shift)
      } catch {
        guard shift < 1 else { throw error }
        shift = max(1e-3, 2 * shift)
      }
    }
  }

  /// Whether a start can be made.
  func isPossible(_ kind: StartKind) -> Bool {
    switch kind {
    case .inverse: isExact && matrix.rowCount <= Self.inverseLimit
    case .scaled: isExact
    case .plain, .classical: exact != nil
    case .random: true
    }
  }

  /// Makes a start.
  ///
  /// - Parameters:
  ///   - kind: The kind; not `classical`, which is several.
  ///   - seed: The seed of random numbers.
  ///   - parameters: Set to the start.
  /// - Returns: What the parameters stand for.
  /// - Throws: `LAPACKError` if singular values do not converge, or a diagonal block is singular; `RunError` (65) if
  ///   a diagonal block of A is.
  func make(
    _ kind: StartKind, seed: Int64, into parameters: AlignedBuffer<Double>
  ) throws -> FactorForm {
    var span = parameters.mutableSpan
    for place in span.indices { span[place] = 0 }
    guard kind != .random, let exact else {
      try setRandom(seed, parameters)
      return .product
    }
    guard kind != .inverse else {
      try exact.inverse().truncate(to: factors, isScaled: false, into: parameters)
      return .inverse
    }
    try exact.truncate(to: factors, isScaled: kind == .scaled, into: parameters)
    return .product
  }

  /// Draws bases of standard deviation 1/√inputs and small blocks between them; diagonal blocks are the factors of
  /// those of A.
  private func setRandom(
    _ seed: Int64, _ parameters: AlignedBuffer<Double>
  ) throws(RunError) {
    let starts = factors.structure.leafStarts
    let none = BoxLists(
      offsets: [Int](repeating: 0, count: starts.count), indices: [])
    let blocks = try ExactFactor(
      structure: BlockStructure(starts: starts, near: none), matrix,
      isPositive: factors.isSymmetric)
    let network = factors.upper.networks.forward
    for (index, slice) in network.slices.enumerated() {
      var stream = RandomStream(seed: seed, purpose: Self.purpose, index: UInt64(index))
      let isBetween = slice.name.contains("bridge") || slice.name.hasSuffix("near")
      guard !slice.name.hasSuffix("diagonal") else { continue }
      for row in 0..<slice.shape.target.boxCount {
        let inputs = max(1, slice.shape.groupInputs[row])
        let scale = (isBetween ? 1e-2 : 1) / Double(inputs).squareRoot()
        for place in slice.shape.weights(of: row..<row + 1) {
          parameters[slice.start + place] = scale * stream.normal()
        }
      }
    }
    var span = parameters.mutableSpan
    for leaf in 0..<blocks.lower.structure.leafCount {
      factors.lower.diagonal.set(leaf, 0, blocks.lower.diagonal(leaf), &span)
      guard let upper = blocks.upper else { continue }
      factors.upper.diagonal.set(leaf, 0, upper.diagonal(leaf), &span)
    }
  }

  /// The random numbers of a start.
  private static let purpose: UInt32 = 0x4c55
}

extension FactorStructure {
  /// The first unknown of each leaf, and the number of unknowns.
  var leafStarts: [Int] {
    let leaves = tree.boxCount(level: tree.levels)
    return (0..<leaves).map { tree.pointRange(level: tree.levels, box: $0).lowerBound }
      + [tree.points.count]
  }
}
