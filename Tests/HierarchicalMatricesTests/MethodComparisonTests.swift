import BlockKernels
import HierarchicalMatrices
import Testing

@Suite struct MethodComparisonTests {
  private static func comparison(
    _ matrix: DenseMatrix, _ target: CompressionTarget, base: DenseMatrix? = nil
  ) throws -> MethodComparison {
    let options = CompressionOptions(target)
    let spectra = try BlockSpectra.recovering(matrix, leaf: 16, for: options)
    return try MethodComparison(matrix, spectra: spectra, options: options, base: base)
  }

  /// The errors and sizes are those of the matrices, and what is admissible is.
  private static func check(
    _ comparison: MethodComparison, _ matrix: DenseMatrix, error: Double?, bytes: Int?
  ) {
    for entry in comparison.entries {
      let distance = distance(entry.matrix.expanded(), matrix)
      let norm = frobeniusNorm(matrix)
      #expect(abs(distance - entry.matrix.certificate) <= 100 * Double.ulpOfOne * norm)
      if let error { #expect(entry.isAdmissible == (distance <= error * norm)) }
      if let bytes { #expect(entry.isAdmissible == (entry.matrix.bytes <= bytes)) }
    }
  }

  @Test func kernelsAreBlocks() throws {
    let matrix = TestMatrices.shuffled(TestMatrices.logarithm(256), seed: 2)
    let precise = try Self.comparison(matrix, .relative(1e-7))
    #expect(precise.best?.method == .h)
    #expect(precise.entries.map(\.method) == [.h, .svd, .prune, .int16, .int8, .float32])
    Self.check(precise, matrix, error: 1e-7, bytes: nil)
    let sized = try Self.comparison(matrix, .bytes(256 * 256 * 2))
    #expect(sized.best?.method == .h)
    Self.check(sized, matrix, error: nil, bytes: 256 * 256 * 2)
  }

  @Test func noiseIsRounded() throws {
    let matrix = TestMatrices.normal(64, 64, seed: 3)
    let rough = try Self.comparison(matrix, .relative(1e-4))
    #expect(rough.best?.method == .int16)
    Self.check(rough, matrix, error: 1e-4, bytes: nil)
    let single = try Self.comparison(matrix, .relative(1e-7))
    #expect(single.best?.method == .float32)
    let sized = try Self.comparison(matrix, .bytes(64 * 64 * 2 + 8 * 64))
    #expect(sized.best?.method == .int16)
    Self.check(sized, matrix, error: nil, bytes: 64 * 64 * 2 + 8 * 64)
    let exact = try Self.comparison(matrix, .relative(0))
    #expect(exact.best?.matrix.certificate == 0 && exact.best?.method == .h)
  }

  @Test func trainedMatricesAreDifferences() throws {
    let base = TestMatrices.normal(64, 64, seed: 4)
    let step = TestMatrices.normal(64, 2, seed: 5).times(TestMatrices.normal(2, 64, seed: 6))
    let matrix = TestMatrices.matrix(64, 64) { base[$0, $1] + 0.01 * step[$0, $1] }
    let found = try Self.comparison(matrix, .relative(1e-8), base: base)
    #expect(found.best?.method == .delta)
    #expect(found.best?.matrix.bytes == 8 * 2 * 128 + 20 + 8)
    Self.check(found, matrix, error: 1e-8, bytes: nil)
    let sized = try Self.comparison(matrix, .bytes(8 * 2 * 128 + 28), base: base)
    #expect(sized.best?.method == .delta)
    Self.check(sized, matrix, error: nil, bytes: 8 * 2 * 128 + 28)
  }

  @Test func zeroMatricesNeedNothing() throws {
    let matrix = DenseMatrix(rows: 20, columns: 30)
    let found = try Self.comparison(matrix, .relative(1e-3))
    #expect(found.best?.matrix.numbers == 0 && found.best?.matrix.relativeError == 0)
    Self.check(found, matrix, error: 1e-3, bytes: nil)
  }
}
