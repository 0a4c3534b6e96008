import BlockKernels
import MessagePassing
import SparseMatrices

/// The errors of solutions of A x = b for random x, with b = A x.
public struct SolutionErrors: Sendable {
  /// The most solutions.
  static let solutions = 1000
  /// The numbers of all solutions at most: fewer are tried for larger matrices.
  static let numbers = 1 << 24
  /// The most unknowns for which LAPACK solves beside.
  public static let denseLimit = 2048

  /// The number of random solutions.
  public let samples: Int
  /// The mean of ‖x̂ − x‖/‖x‖, with one step of refinement.
  public let forward: Double
  /// The mean of ‖b − A x̂‖/(‖A‖_F ‖x̂‖).
  public let backward: Double
  /// The same for LAPACK's solution with pivoting over all rows; nil for large matrices.
  public let lapack: (forward: Double, backward: Double)?

  /// Measures.
  ///
  /// Collective.
  init(
    _ factors: SerialFactors, _ ordered: OrderedMatrix, on ranks: borrowing Communicator
  ) throws {
    ranks.stallWatch.phase = .init("errors of solutions")
    let (matrix, count, width) = (ordered.matrix, ordered.count, SerialFactors.width)
    let samples = min(Self.solutions, max(width, Self.numbers / count))
    self.samples = samples
    let norm = matrix.frobeniusNorm
    // Forward and backward errors of the factors, then of LAPACK.
    var errors = (0..<4).map { _ in DealtColumns(samples) }
    let dense: DenseLU? = count <= Self.denseLimit ? try DenseLU(matrix) : nil
    func buffer() -> AlignedBuffer<Double> { AlignedBuffer(repeating: 0, count: count * width) }
    let (truth, right, found, residual) = (buffer(), buffer(), buffer(), buffer())
    func multiply(_ x: AlignedBuffer<Double>, into y: AlignedBuffer<Double>) {
      var span = y.mutableSpan
      matrix.multiply(x.span, vectors: width, into: &span)
    }
    for dealt in errors[0].blocks(of: ranks.rank, among: ranks.size) {
      let values = NormalVectors.block(
        seed: Self.seed, columns: dealt, unknowns: ordered.order)
      for place in 0..<truth.count { truth[place] = 0 }
      for vector in 0..<dealt.count {
        for row in 0..<count { truth[row * width + vector] = values[vector * count + row] }
      }
      multiply(truth, into: right)
      func note(_ first: Int) {
        multiply(found, into: residual)
        for (vector, column) in dealt.enumerated() {
          var (difference, whole, rest, size) = (0.0, 0.0, 0.0, 0.0)
          for row in 0..<count {
            let place = row * width + vector
            let (x, y) = (truth[place], found[place])
            difference += (x - y) * (x - y)
            whole += x * x
            size += y * y
            rest += (right[place] - residual[place]) * (right[place] - residual[place])
          }
          errors[first].set(column, (difference / whole).squareRoot())
          errors[first + 1].set(column, rest.squareRoot() / (norm * size.squareRoot()))
        }
      }
      for place in 0..<found.count { found[place] = 0 }
      for _ in 0..<2 {
        multiply(found, into: residual)
        for place in 0..<residual.count { residual[place] = right[place] - residual[place] }
        factors.solveLower(residual)
        factors.solveUpper(residual)
        for place in 0..<found.count { found[place] += residual[place] }
      }
      note(0)
      if let dense {
        try dense.solve(right, into: found, vectors: dealt.count, width: width)
        note(2)
      }
    }
    var means: [Double] = []
    for columns in errors {
      means.append(try columns.collect(on: ranks).reduce(0, +) / Double(samples))
    }
    (forward, backward) = (means[0], means[1])
    lapack = dense == nil ? nil : (means[2], means[3])
  }

  private static let seed = 11
}

/// A dense matrix factorized with pivoting over all rows.
private struct DenseLU {
  private var factors: [Double]
  private var pivots: [Int32]
  private let order: Int

  init(_ matrix: SparseMatrix) throws {
    let order = matrix.rowCount
    var factors = try matrix.dense().elements
    var pivots = [Int32](repeating: 0, count: order)
    var span = factors.mutableSpan
    var places = pivots.mutableSpan
    try LAPACK.factorize(&span, order: order, pivots: &places)
    (self.factors, self.pivots, self.order) = (factors, pivots, order)
  }

  /// Solves for vectors `[unknown][width]`.
  func solve(
    _ right: AlignedBuffer<Double>, into found: AlignedBuffer<Double>, vectors: Int, width: Int
  ) throws {
    var columns = [Double](repeating: 0, count: order * vectors)
    for vector in 0..<vectors {
      for row in 0..<order { columns[vector * order + row] = right[row * width + vector] }
    }
    var span = columns.mutableSpan
    try LAPACK.solve(
      factors: factors.span, pivots: pivots.span, order: order, rightHandSides: &span,
      count: vectors)
    for vector in 0..<vectors {
      for row in 0..<order { found[row * width + vector] = columns[vector * order + row] }
    }
  }
}
