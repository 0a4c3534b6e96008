import BlockKernels
import ClusterTrees
import Foundation
import HierarchicalMatrices
import Testing

@Suite struct PartitionTests {
  @Test(arguments: [(1, 32), (31, 4), (256, 32), (1000, 7)])
  func partsFillTheirCluster(count: Int, leaf: Int) throws {
    let tree = try IndexTree.halving(count: count, leaf: leaf)
    #expect(tree.isNatural && tree.count == count)
    for (range, parts) in zip(tree.ranges, tree.parts) {
      guard !parts.isEmpty else {
        #expect(range.count <= leaf)
        continue
      }
      let ranges = parts.map { tree.ranges[$0] }
      #expect(ranges.first?.lowerBound == range.lowerBound)
      #expect(ranges.last?.upperBound == range.upperBound)
      for (first, second) in zip(ranges, ranges.dropFirst()) {
        #expect(first.upperBound == second.lowerBound)
      }
    }
  }

  @Test func sizesBelowOneAreRefused() {
    #expect(throws: HierarchicalMatrixError.self) { try IndexTree.halving(count: 0) }
    #expect(throws: HierarchicalMatrixError.self) { try IndexTree.halving(count: 3, leaf: 0) }
  }

  /// 1/|x − y| of points in the plane needs their tree; the order in which they come says nothing.
  @Test func pointsGiveTheirTree() throws {
    let count = 300
    var stream = RandomStream(seed: 2, purpose: 3, index: 0)
    let coordinates = (0..<2 * count).map { _ in stream.uniform() }
    let points = try PointSet(coordinates: coordinates, dimension: 2)
    let matrix = TestMatrices.matrix(count, count) { row, column in
      let (x, y) = (
        coordinates[2 * row] - coordinates[2 * column],
        coordinates[2 * row + 1] - coordinates[2 * column + 1]
      )
      return 1 / ((x * x + y * y).squareRoot() + 1e-2)
    }
    let options = CompressionOptions(.relative(1e-3), share: .share)
    let natural = try HierarchicalMatrix(
      compressing: matrix, partition: .ordered(rows: count, columns: count), options)
    let tree = try HierarchicalMatrix(
      compressing: matrix, partition: .points(rows: points, columns: points), options)
    #expect(tree.numbers < natural.numbers * 3 / 4)
    try tree.verify(against: matrix)
    #expect(distance(tree.expanded(), matrix) <= 1e-3 * frobeniusNorm(matrix))
  }

  /// A kernel of ordered positions, and the storage in order, in parts of all numbers.
  struct Kernel: Sendable, CustomTestStringConvertible {
    let name: String
    let matrix: @Sendable () -> DenseMatrix
    let least: Double
    var testDescription: String { name }
  }

  static let kernels = [
    Kernel(name: "log", matrix: { TestMatrices.logarithm(256) }, least: 0.9),
    Kernel(
      name: "tanh",
      matrix: { TestMatrices.matrix(256, 256) { tanh(40 * Double($0 - $1) / 256) } }, least: 0.45),
    Kernel(name: "exp", matrix: { TestMatrices.kernel(256) { exp(-$0) } }, least: 0.9),
    Kernel(name: "Cauchy", matrix: { TestMatrices.cauchy(256) }, least: 0.9),
    Kernel(
      name: "Gauss", matrix: { TestMatrices.kernel(256) { exp(-$0 * $0 / 2e-4) } }, least: 0.9),
    Kernel(
      name: "scaled log",
      matrix: {
        let scales = TestMatrices.normal(256, 1, seed: 4)
        let log = TestMatrices.logarithm(256)
        return TestMatrices.matrix(256, 256) { exp(scales[$0, 0]) * log[$0, $1] }
      }, least: 0.9),
  ]

  @Test(arguments: kernels)
  func hiddenOrderIsFound(_ kernel: Kernel) throws {
    let matrix = kernel.matrix()
    let options = CompressionOptions(.relative(1e-4), share: .share)
    let ordered = try BlockSpectra(
      matrix, partition: .ordered(rows: 256, columns: 256)
    ).counts(options).storage.numbers
    let shuffled = TestMatrices.shuffled(matrix, seed: 6)
    let lost = try BlockSpectra(
      shuffled, partition: .ordered(rows: 256, columns: 256)
    ).counts(options).storage.numbers
    #expect(Double(lost) >= kernel.least * 65536)
    let found = try BlockSpectra.recovering(shuffled, for: options)
    let result = try found.compressed(options)
    #expect(
      Double(result.numbers) <= 1.05 * Double(ordered),
      "\(Double(ordered) / 65536) in order, \(Double(result.numbers) / 65536) found")
    try result.verify(against: shuffled)
    #expect(distance(result.expanded(), shuffled) <= 1e-4 * frobeniusNorm(shuffled))
    // A matrix in order keeps its order.
    #expect(
      try BlockSpectra.recovering(matrix, for: options).counts(options).storage.numbers <= ordered)
  }
}
