import BlockKernels
import Foundation
import HierarchicalMatrices
import Testing

/// Storage counts that an independent program found for the same rules.
@Suite struct StorageTests {
  static let count = 1024

  /// A matrix, and the numbers stored for relative errors of 1e-3, 1e-6 and 1e-10.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let matrix: @Sendable () -> DenseMatrix
    let numbers: [Int]
    var blocks: [Int] = []

    var testDescription: String { name }
  }

  static let cases: [Case] = [
    Case(
      name: "log", matrix: { TestMatrices.logarithm(count) }, numbers: [73728, 114688, 161792],
      blocks: [94, 94, 94]),
    Case(
      name: "Cauchy", matrix: { TestMatrices.cauchy(count) }, numbers: [77312, 117120, 166400],
      blocks: [100, 139, 100]),
    Case(
      name: "Hilbert", matrix: { TestMatrices.hilbert(count, count) },
      numbers: [12544, 22528, 34304], blocks: [10, 7, 10]),
    Case(
      name: "exp", matrix: { TestMatrices.kernel(count) { exp(-$0) } },
      numbers: [18432, 43008, 43008], blocks: [94, 94, 94]),
    Case(
      name: "Gauss", matrix: { TestMatrices.kernel(count) { exp(-$0 * $0 / 2e-4) } },
      numbers: [32000, 53632, 81024], blocks: [202, 202, 286]),
    Case(
      name: "2^-|i-j|", matrix: { TestMatrices.kernel(count) { exp2(-$0 * 1024) } },
      numbers: [36736, 36736, 38656], blocks: [250, 250, 160]),
    Case(
      name: "normal", matrix: { TestMatrices.normal(count, count, seed: 1) },
      numbers: [1_048_576, 1_048_576, 1_048_576], blocks: [1, 1, 1]),
  ]

  @Test(arguments: cases)
  func sharedErrorGivesTheKnownCounts(_ example: Case) throws {
    let matrix = example.matrix()
    let spectra = try BlockSpectra(
      matrix, partition: .ordered(rows: Self.count, columns: Self.count, leaf: 32))
    for (place, tolerance) in [1e-3, 1e-6, 1e-10].enumerated() {
      let options = CompressionOptions(.relative(tolerance), share: .share)
      let (storage, error) = try spectra.counts(options)
      #expect(storage.numbers == example.numbers[place], "\(example.name) \(tolerance)")
      #expect(storage.blocks == example.blocks[place], "\(example.name) \(tolerance)")
      #expect(error <= tolerance * spectra.norm)
      // Never worse, and the error is used up better.
      let optimal = try spectra.counts(CompressionOptions(.relative(tolerance)))
      #expect(optimal.storage.numbers <= storage.numbers)
      #expect(optimal.error <= tolerance * spectra.norm)
    }
  }

  @Test func logarithmOf256() throws {
    let spectra = try BlockSpectra(
      TestMatrices.logarithm(256), partition: .ordered(rows: 256, columns: 256))
    let matrix = try spectra.compressed(CompressionOptions(.relative(1e-6), share: .share))
    #expect(matrix.numbers == 18944)
    #expect(abs(matrix.relativeError / 5.418219e-07 - 1) < 1e-6)
    #expect(matrix.storage.numbers == matrix.numbers)
    #expect(matrix.bytes == 8 * 18944 + 20 * matrix.blocks.count)
  }

  /// Tolerance, cap of the rank, ratio, blocks, error in tolerances: each at most the root of the truncated blocks.
  @Test(arguments: [
    (1e-3, 8, 0.1484375, 46, 2.935810), (1e-6, 4, 0.322265625, 112, 3.468493),
    (1e-6, 8, 0.2578125, 46, 2.905334),
  ])
  func ruleOfThePaper(
    tolerance: Double, cap: Int, ratio: Double, blocks: Int, error: Double
  ) throws {
    let matrix = TestMatrices.logarithm(256)
    let spectra = try BlockSpectra(
      matrix, partition: .ordered(rows: 256, columns: 256, leaf: 16))
    let result = try spectra.compressed(
      CompressionOptions(.relative(tolerance), share: .local, rule: .paper(rankCap: cap)))
    #expect(Double(result.numbers) / 65536 == ratio)
    #expect(result.blocks.count == blocks)
    #expect(result.storage.largestRank <= cap)
    let truncated = result.blocks.count - result.storage.denseBlocks
    let found = result.relativeError / tolerance
    #expect(abs(found / error - 1) < 1e-5)
    #expect(found <= Double(truncated).squareRoot())
  }

  /// The bound holds with the least storage among ways of sharing, over many matrices and sizes that are no powers.
  @Test(arguments: [37, 100, 257])
  func optimalShareIsNeverWorse(count: Int) throws {
    let matrices = [
      TestMatrices.logarithm(count), TestMatrices.cauchy(count),
      TestMatrices.hilbert(count, 2 * count / 3), TestMatrices.normal(count / 2, count, seed: 3),
      TestMatrices.kernel(count) { exp(-30 * $0) },
    ]
    for matrix in matrices {
      let spectra = try BlockSpectra(
        matrix, partition: .ordered(rows: matrix.rows, columns: matrix.columns, leaf: 16))
      for tolerance in [0.9, 0.3, 1e-1, 1e-2, 1e-4, 1e-7, 1e-11] {
        let shared = try spectra.counts(CompressionOptions(.relative(tolerance), share: .share))
        let optimal = try spectra.counts(CompressionOptions(.relative(tolerance)))
        #expect(optimal.storage.numbers <= shared.storage.numbers)
        #expect(optimal.error <= tolerance * spectra.norm)
        // The least error at the storage of the shared plan is at most its error.
        let sized = try spectra.counts(CompressionOptions(.numbers(shared.storage.numbers)))
        #expect(sized.storage.numbers <= shared.storage.numbers)
        #expect(sized.error <= max(shared.error, optimal.error) * (1 + 1e-9))
      }
    }
  }

  @Test func sizesAreKept() throws {
    let matrix = TestMatrices.logarithm(200)
    let spectra = try BlockSpectra(
      matrix, partition: .ordered(rows: 200, columns: 200, leaf: 25))
    var last = Double.infinity
    for numbers in [0, 100, 399, 400, 3000, 10000, 20000, 40000, 90000] {
      let result = try spectra.compressed(CompressionOptions(.numbers(numbers)))
      #expect(result.numbers <= numbers)
      #expect(result.certificate <= last)
      last = result.certificate
    }
    #expect(last == 0)
    for bytes in [20, 5000, 100_000, 400_000] {
      let result = try spectra.compressed(CompressionOptions(.bytes(bytes)))
      #expect(result.bytes <= bytes)
    }
    #expect(throws: HierarchicalMatrixError.self) {
      try spectra.compressed(CompressionOptions(.bytes(10)))
    }
  }

  @Test func errorsNearRoundingAreRefused() throws {
    let matrix = TestMatrices.logarithm(64)
    let result = try HierarchicalMatrix(
      compressing: matrix, partition: .ordered(rows: 64, columns: 64, leaf: 8),
      CompressionOptions(.relative(2e-15)))
    #expect(result.storage.denseBlocks == 1 && result.storage.blocks == 1)
    #expect(result.certificate == 0)
    #expect(result.expanded() == matrix)
  }
}
