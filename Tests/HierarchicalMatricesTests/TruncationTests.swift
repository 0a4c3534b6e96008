import BlockKernels
import Foundation
import HierarchicalMatrices
import Testing

@Suite struct TruncationTests {
  private static func matrix() throws -> HierarchicalMatrix {
    try HierarchicalMatrix(
      compressing: TestMatrices.logarithm(120),
      partition: .ordered(rows: 120, columns: 120, leaf: 15), CompressionOptions(.relative(1e-8)))
  }

  /// The same numbers with random changes, as training makes them.
  private static func changed(_ matrix: HierarchicalMatrix, by size: Double) throws
    -> HierarchicalMatrix
  {
    let noise = TestMatrices.normal(matrix.numbers, 1, seed: 21)
    return try matrix.replacing(values: zip(matrix.values, noise.elements).map { $0 + size * $1 })
  }

  @Test(arguments: [ErrorShare.local, .share, .optimal])
  func errorsOfStepsAddUp(share: ErrorShare) throws {
    let original = TestMatrices.logarithm(120)
    var matrix = try Self.matrix()
    var target = original
    for (step, tolerance) in [1e-6, 1e-5, 1e-4].enumerated() {
      let before = matrix.expanded()
      matrix = try Self.changed(matrix, by: 1e-3)
      // The matrix that it stands for changes in the same way.
      let change = matrix.expanded()
      for place in target.elements.indices {
        target.elements[place] += change.elements[place] - before.elements[place]
      }
      let truncated = try matrix.truncated(CompressionOptions(.relative(tolerance), share: share))
      try #require(truncated.steps.count == step + 2)
      let norm = frobeniusNorm(change)
      let error = distance(truncated.expanded(), change)
      let blocks = share == .local ? Double(truncated.blocks.count).squareRoot() : 1
      #expect(error <= tolerance * norm * blocks)
      #expect(abs(error - truncated.steps[step + 1]) <= 100 * Double.ulpOfOne * norm)
      #expect(truncated.numbers <= matrix.numbers)
      #expect(abs(truncated.certificate - truncated.steps.reduce(0, +)) == 0)
      try truncated.verify(against: target)
      matrix = truncated
    }
    #expect(matrix.certificate <= 1.2e-4 * frobeniusNorm(target) * (share == .local ? 12 : 1))
  }

  @Test func factorsAreBalanced() throws {
    let matrix = try Self.matrix()
    // U times 100, V over 100: the same matrix.
    var values = matrix.values
    for block in matrix.blocks {
      guard let rank = block.rank else { continue }
      for place in 0..<block.count {
        values[block.start + place] *= place < rank * block.rows.count ? 100 : 0.01
      }
    }
    let skewed = try matrix.replacing(values: values)
    let truncated = try skewed.truncated(CompressionOptions(.relative(1e-9)))
    for block in truncated.blocks {
      guard let rank = block.rank else { continue }
      let middle = block.start + rank * block.rows.count
      let left = DenseMatrix(
        rows: block.rows.count, columns: rank,
        elements: Array(truncated.values[block.start..<middle]))
      let right = DenseMatrix(
        rows: block.columns.count, columns: rank,
        elements: Array(truncated.values[middle..<block.start + block.count]))
      let (a, b) = (
        left.times(left, transposesLeft: true), right.times(right, transposesLeft: true)
      )
      #expect(distance(a, b) <= 1e-12 * frobeniusNorm(a))
    }
    #expect(
      distance(truncated.expanded(), matrix.expanded())
        <= 1.01e-9 * frobeniusNorm(matrix.expanded()))
  }

  @Test func sizesAreKept() throws {
    let matrix = try Self.changed(try Self.matrix(), by: 1e-3)
    let fixed = matrix.blocks.filter { $0.rank == nil }.reduce(0) { $0 + $1.count }
    let numbers = (matrix.numbers + fixed) / 2
    let truncated = try matrix.truncated(CompressionOptions(.numbers(numbers)))
    #expect(truncated.numbers <= numbers)
    #expect(
      abs(distance(truncated.expanded(), matrix.expanded()) - (truncated.steps.last ?? 0))
        <= 1e-13 * matrix.norm)
    let small = try matrix.truncated(CompressionOptions(.bytes(truncated.bytes)))
    #expect(small.bytes <= truncated.bytes)
    #expect(throws: HierarchicalMatrixError.self) {
      try matrix.truncated(CompressionOptions(.numbers(fixed - 1)))
    }
  }

  @Test func errorsNearRoundingChangeNothing() throws {
    let matrix = try Self.matrix()
    #expect(try matrix.truncated(CompressionOptions(.relative(1e-15))) == matrix)
  }

  @Test func otherCountsOfNumbersAreRefused() throws {
    let matrix = try Self.matrix()
    #expect(throws: HierarchicalMatrixError.self) { try matrix.replacing(values: [1]) }
    var values = matrix.values
    values[0] = .nan
    let bad = values
    #expect(throws: HierarchicalMatrixError.self) { try matrix.replacing(values: bad) }
  }
}
