import BlockKernels
import MessagePassing
import SparseMatrices

/// The eigenvalues of K = L⁻¹ A U⁻¹, of which preconditioned iterations live.
public struct FactorSpectrum: Sendable {
  /// The most unknowns for which all of them are computed.
  public static let limit = 1024

  /// The eigenvalues, real and imaginary parts, ascending by the real one.
  public let values: [(real: Double, imaginary: Double)]

  /// Computes all eigenvalues, or none of large matrices.
  ///
  /// Collective.
  init?(
    _ factors: SerialFactors, _ ordered: OrderedMatrix, on ranks: borrowing Communicator
  ) throws {
    guard ordered.count <= Self.limit else { return nil }
    ranks.stallWatch.phase = .init("eigenvalues")
    // The values of the first rank: LAPACK's last bits differ between processors.
    var numbers = [Double](repeating: 0, count: 2 * ordered.count)
    let isFirst = ranks.rank == 0
    let found = try ranks.agree {
      isFirst ? try Self.eigenvalues(Self.matrix(factors, ordered), ordered.isSymmetric) : []
    }
    for (index, value) in found.enumerated() {
      (numbers[2 * index], numbers[2 * index + 1]) = value
    }
    var span = numbers.mutableSpan
    try ranks.broadcast(&span, from: 0)
    values = (0..<ordered.count).map { (numbers[2 * $0], numbers[2 * $0 + 1]) }
  }

  /// Returns K, column by column.
  private static func matrix(_ factors: SerialFactors, _ ordered: OrderedMatrix) -> DenseMatrix {
    let (count, width) = (ordered.count, SerialFactors.width)
    var result = DenseMatrix(rows: count, columns: count)
    let block = AlignedBuffer<Double>(repeating: 0, count: count * width)
    let product = AlignedBuffer<Double>(repeating: 0, count: count * width)
    for first in stride(from: 0, to: count, by: width) {
      let columns = first..<min(first + width, count)
      for place in 0..<block.count { block[place] = 0 }
      for (vector, column) in columns.enumerated() { block[column * width + vector] = 1 }
      factors.solveUpper(block)
      var span = product.mutableSpan
      ordered.matrix.multiply(block.span, vectors: width, into: &span)
      factors.solveLower(product)
      for (vector, column) in columns.enumerated() {
        for row in 0..<count { result[row, column] = product[row * width + vector] }
      }
    }
    return result
  }

  private static func eigenvalues(
    _ matrix: DenseMatrix, _ isSymmetric: Bool
  ) throws(LAPACKError) -> [(real: Double, imaginary: Double)] {
    guard !isSymmetric else {
      return try matrix.symmetricEigenvectors().values.map { ($0, 0) }
    }
    return try matrix.eigenvalues().sorted { ($0.real, $0.imaginary) < ($1.real, $1.imaginary) }
  }
}
