import BlockKernels
import Foundation
import HierarchicalMatrices
import SpecialFunctions
import Testing

@Suite struct MethodTests {
  /// ½ ∫ E₁(|x − y|) over cells of N points, to the middle of the cell; the integral itself on the diagonal.
  private static func radiativeTransfer(_ count: Int) -> DenseMatrix {
    let h = 1 / Double(count)
    let distances = [h / 2] + (1..<count).map { Double($0) * h }
    var (first, second) = (
      [Double](repeating: 0, count: count), [Double](repeating: 0, count: count)
    )
    var span = first.mutableSpan
    ExponentialIntegral.e1(distances.span, into: &span)
    span = second.mutableSpan
    ExponentialIntegral.e2(distances.span, into: &span)
    let (e1, e2) = (first, second)
    return TestMatrices.matrix(count, count) {
      $0 == $1 ? 1 - e2[0] : h / 2 * e1[abs($0 - $1)]
    }
  }

  /// Matrices of operators on 320 points, and the error of int16 at a quarter of the bytes.
  struct Layer: Sendable, CustomTestStringConvertible {
    let name: String
    let matrix: @Sendable () -> DenseMatrix
    let bound: Double
    var testDescription: String { name }
  }

  static let layers = [
    Layer(name: "radiative transfer", matrix: { radiativeTransfer(320) }, bound: 1e-6),
    Layer(
      name: "1/|x-y|", matrix: { TestMatrices.kernel(320, diagonal: 320) { 1 / $0 } }, bound: 1e-5),
  ]

  /// A quarter of the bytes of double precision, all that is stored counted.
  @Test(arguments: layers)
  func operatorsInAQuarterOfTheBytes(_ layer: Layer) throws {
    let matrix = layer.matrix()
    let bytes = 8 * 320 * 320 / 4
    let options = CompressionOptions(.bytes(bytes))
    let h = try HierarchicalMatrix(
      compressing: matrix, partition: .ordered(rows: 320, columns: 320, leaf: 20), options)
    let svd = try HierarchicalMatrix(
      compressing: matrix, partition: .whole(rows: 320, columns: 320), options)
    let pruned = try PrunedMatrix(matrix, .bytes(bytes))
    let int16 = try QuantizedMatrix(matrix, .int16)
    let methods: [any CompressedMatrix] = [h, svd, pruned]
    for method in methods {
      #expect(method.bytes <= bytes)
      #expect(abs(method.distance(from: matrix) - method.certificate) <= 1e-13 * method.norm)
    }
    #expect(int16.bytes == bytes + 8 * 320)
    #expect(svd.blocks.count == 1)
    #expect(h.relativeError <= layer.bound, "\(h.relativeError)")
    #expect(1000 * h.relativeError <= svd.relativeError, "\(svd.relativeError)")
    #expect(pruned.relativeError > 0.05, "\(pruned.relativeError)")
    #expect((1e-6...1e-3).contains(int16.relativeError), "\(int16.relativeError)")
    #expect(h.relativeError < int16.relativeError)
  }

  @Test func prunedMatricesKeepTheLargestElements() throws {
    let matrix = TestMatrices.normal(13, 9, seed: 5)
    let sorted = matrix.elements.sorted { abs($0) > abs($1) }
    for count in [0, 1, 40, 117, 200] {
      let pruned = try PrunedMatrix(matrix, .numbers(count))
      #expect(pruned.numbers == min(count, 117) && pruned.bytes == 12 * pruned.numbers)
      let dropped = sorted.dropFirst(count).reduce(0) { $0 + $1 * $1 }.squareRoot()
      #expect(abs(pruned.certificate - dropped) <= 1e-14)
      #expect(abs(distance(pruned.expanded(), matrix) - dropped) <= 1e-14)
      #expect(try PrunedMatrix(matrix, .bytes(12 * count + 11)) == pruned)
    }
    let norm = frobeniusNorm(matrix)
    let bounded = try PrunedMatrix(matrix, .relative(0.1))
    #expect(bounded.certificate <= 0.1 * norm)
    #expect(try PrunedMatrix(matrix, .numbers(bounded.numbers - 1)).certificate > 0.1 * norm)
  }

  @Test(arguments: QuantizedMatrix.Width.allCases)
  func integersRoundByHalfAStep(width: QuantizedMatrix.Width) throws {
    var matrix = TestMatrices.normal(7, 50, seed: 6)
    for column in 0..<50 {
      matrix[2, column] = 0
      matrix[3, column] *= 1e9
    }
    let quantized = try QuantizedMatrix(matrix, width)
    #expect(quantized.bytes == width.rawValue * 350 + 56)
    let expanded = quantized.expanded()
    for row in 0..<7 {
      let largest = (0..<50).reduce(0) { max($0, abs(matrix[row, $1])) }
      let step = largest / (width == .int8 ? 127 : 32767)
      for column in 0..<50 {
        #expect(abs(matrix[row, column] - expanded[row, column]) <= 0.5001 * step)
      }
    }
    #expect(abs(distance(expanded, matrix) / quantized.certificate - 1) <= 1e-12)
  }

  @Test func singlePrecision() throws {
    let matrix = TestMatrices.normal(20, 30, seed: 7)
    let single = try SinglePrecisionMatrix(matrix)
    #expect(single.ratio == 0.5)
    #expect(single.relativeError < 6e-8 && single.relativeError > 1e-9)
    #expect(single.certificate == single.distance(from: matrix))
    var large = matrix
    large[0, 0] = 1e39
    let tooLarge = large
    #expect(throws: HierarchicalMatrixError.self) { try SinglePrecisionMatrix(tooLarge) }
  }

  /// Weights that training moved along few directions compress from where they began, and not by themselves.
  @Test func differencesFromTheStart() throws {
    let start = TestMatrices.normal(60, 80, seed: 30)
    let steps = TestMatrices.normal(60, 3, seed: 31)
      .times(TestMatrices.normal(3, 80, seed: 32))
    let matrix = TestMatrices.matrix(60, 80) { start[$0, $1] + 0.1 * steps[$0, $1] }
    let whole = try MatrixPartition.whole(rows: 60, columns: 80)
    let options = CompressionOptions(.relative(1e-10))
    let delta = try DeltaMatrix(matrix, base: start) {
      (difference) throws(HierarchicalMatrixError) in
      try HierarchicalMatrix(compressing: difference, partition: whole, options)
    }
    #expect(delta.numbers == 3 * 140 && delta.bytes == 8 * 420 + 20 + 8)
    #expect(distance(delta.expanded(), matrix) <= 1e-10 * frobeniusNorm(matrix))
    let alone = try HierarchicalMatrix(compressing: matrix, partition: whole, options)
    #expect(alone.numbers == 4800)
  }
}
