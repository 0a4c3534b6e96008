import BlockKernels
import Foundation
import HierarchicalMatrices
import Testing

@Suite struct CertificateTests {
  /// A random matrix of one of seven kinds.
  private static func matrix(_ stream: inout RandomStream) -> DenseMatrix {
    let (rows, columns) = (1 + stream.index(below: 64), 1 + stream.index(below: 64))
    let kind = stream.index(below: 7)
    switch kind {
    case 0: return TestMatrices.hilbert(rows, columns)
    case 1:
      let x = (0..<rows).map { _ in stream.uniform() }
      let y = (0..<columns).map { _ in stream.uniform() }
      return TestMatrices.matrix(rows, columns) { 1 / (x[$0] + y[$1] + 1e-3) }
    case 6: return DenseMatrix(rows: rows, columns: columns)
    default: break
    }
    func normal(_ rows: Int, _ columns: Int) -> DenseMatrix {
      DenseMatrix(
        rows: rows, columns: columns,
        elements: (0..<rows * columns).map { _ in stream.normal() })
    }
    switch kind {
    case 2:
      // Graded: the elements decay along rows and columns.
      let full = normal(rows, columns)
      return TestMatrices.matrix(rows, columns) { exp2(-Double($0 + $1) / 2) * full[$0, $1] }
    case 3:
      let rank = stream.index(below: 4)
      return normal(rows, rank).times(normal(rank, columns))
    case 4:
      let full = normal(rows, columns)
      let scales = (0..<rows).map { _ in pow(10, stream.uniform(in: -12...12)) }
      return TestMatrices.matrix(rows, columns) { scales[$0] * full[$0, $1] }
    default:
      let full = normal(rows, columns)
      var result = DenseMatrix(rows: rows, columns: columns)
      for _ in 0..<(rows + columns) / 2 {
        let (row, column) = (stream.index(below: rows), stream.index(below: columns))
        result[row, column] = full[row, column]
      }
      return result
    }
  }

  /// Ten thousand matrices in ten shards, which run side by side.
  @Test(arguments: 0..<10)
  func certificateIsTheErrorAndWithinTheBound(shard: Int) throws {
    var largestDeviation = 0.0
    for index in 0..<1000 {
      var stream = RandomStream(seed: 5, purpose: 11, index: UInt64(1000 * shard + index))
      let matrix = Self.matrix(&stream)
      let relative = pow(10, stream.uniform(in: -15...0.2))
      let rules: [(ErrorShare, BlockRule)] = [
        (.optimal, .cost), (.share, .cost), (.local, .cost),
        (.local, .paper(rankCap: stream.index(below: 6))),
        (.share, .paper(rankCap: stream.index(below: 6))),
      ]
      let (share, rule) = rules[stream.index(below: rules.count)]
      let partition = try MatrixPartition.ordered(
        rows: matrix.rows, columns: matrix.columns, leaf: 4 + stream.index(below: 12))
      let result = try HierarchicalMatrix(
        compressing: matrix, partition: partition,
        CompressionOptions(.relative(relative), share: share, rule: rule))
      let norm = frobeniusNorm(matrix)
      let error = distance(matrix, result.expanded())
      let truncated = result.blocks.count - result.storage.denseBlocks
      let parts = share == .local ? Double(truncated).squareRoot() : 1
      let bound = relative * norm * parts
      // The norm and the bound themselves are rounded.
      let isKept = error <= bound * (1 + 1e-12) && result.certificate <= bound * (1 + 1e-12)
      #expect(isKept, "matrix \(1000 * shard + index): \(error), bound \(bound)")
      if norm > 0 {
        largestDeviation = max(
          largestDeviation, abs(error - result.certificate) / (norm * Double.ulpOfOne))
      }
      #expect(abs(try result.verify(against: matrix) - error) <= 1e-14 * norm)
    }
    #expect(largestDeviation <= 100, "the certificate is off by \(largestDeviation) ε‖A‖")
  }

  @Test func otherMatricesAreNotVerified() throws {
    let matrix = TestMatrices.logarithm(100)
    let result = try HierarchicalMatrix(
      compressing: matrix, partition: .ordered(rows: 100, columns: 100, leaf: 10),
      CompressionOptions(.relative(1e-6)))
    var other = matrix
    other[3, 70] += 1e-3
    let error = #expect(throws: HierarchicalMatrixError.self) {
      try result.verify(against: other)
    }
    #expect(error?.kind == .certificateMissed)
    #expect(throws: HierarchicalMatrixError.self) {
      try result.verify(against: DenseMatrix(rows: 10, columns: 10))
    }
    // Closer than the certificate says is wrong too: it would be that of another matrix.
    #expect(throws: HierarchicalMatrixError.self) {
      try result.verify(against: result.expanded())
    }
  }

  @Test(arguments: [Double.nan, .infinity, 1e200, 1e-200])
  func numbersThatCannotBeCertifiedAreRefused(value: Double) throws {
    var matrix = DenseMatrix(rows: 5, columns: 4)
    matrix[2, 3] = value
    #expect(throws: HierarchicalMatrixError.self) {
      try BlockSpectra(matrix, partition: .ordered(rows: 5, columns: 4))
    }
  }

  @Test func optionsThatContradictAreRefused() throws {
    let spectra = try BlockSpectra(
      TestMatrices.hilbert(8, 8), partition: .ordered(rows: 8, columns: 8))
    let options = [
      CompressionOptions(.numbers(10), share: .share), CompressionOptions(.relative(-1)),
      CompressionOptions(.absolute(.nan)), CompressionOptions(.numbers(-1)),
      CompressionOptions(.relative(0.1), share: .optimal, rule: .paper(rankCap: 3)),
      CompressionOptions(.relative(0.1), share: .local, rule: .paper(rankCap: -3)),
    ]
    for options in options {
      #expect(throws: HierarchicalMatrixError.self) { try spectra.compressed(options) }
    }
  }
}
