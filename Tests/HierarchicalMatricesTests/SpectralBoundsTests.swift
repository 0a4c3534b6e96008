import BlockKernels
import Foundation
import HierarchicalMatrices
import Testing

@Suite struct SpectralBoundsTests {
  private static func diagonal(_ values: [Double]) -> DenseMatrix {
    TestMatrices.matrix(values.count, values.count) { $0 == $1 ? values[$0] : 0 }
  }

  private static func conditionNumber(_ matrix: DenseMatrix) throws -> Double {
    let values = try matrix.singularValues()
    return values[0] / values[values.count - 1]
  }

  /// A = diag(1, 0.1), H = diag(1.05, 0.05): the paper's theorem 1 (c) and theorem 3 are violated, this bound is met.
  @Test func counterexampleToTheLooserForms() throws {
    let (a, h) = (Self.diagonal([1, 0.1]), Self.diagonal([1.05, 0.05]))
    let error = try Self.diagonal([0.05, 0.05]).singularValues()[0]
    let found = try Self.conditionNumber(h)
    let kappa = try Self.conditionNumber(a)
    #expect(abs(found - 21) < 1e-12)
    // Theorem 1 (c), κ (1 + e/(σ_min − e)): 20. Theorem 3, κ (1 + e/σ_min): 15.
    #expect(abs(kappa * (1 + error / (0.1 - error)) - 20) < 1e-12 && found > 20.9)
    #expect(abs(kappa * (1 + error / 0.1) - 15) < 1e-12)
    let bound = SpectralBounds.conditionNumber(largest: 1, smallest: 0.1, error: error)
    #expect(abs((bound ?? 0) - found) < 1e-12)
    let growth = SpectralBounds.conditionNumberGrowth(largest: 1, smallest: 0.1, error: error)
    #expect(abs((growth ?? 0) - (found - kappa)) < 1e-12)
  }

  @Test func nothingIsSaidNearSingularMatrices() {
    for error in [0.1, 0.2, 7] {
      #expect(SpectralBounds.conditionNumber(largest: 1, smallest: 0.1, error: error) == nil)
      #expect(SpectralBounds.conditionNumberGrowth(largest: 1, smallest: 0.1, error: error) == nil)
    }
    #expect(SpectralBounds.conditionNumber(largest: 0, smallest: 0, error: 0) == nil)
  }

  /// Random matrices with the worst changes: U Vᵀ of the largest singular value up, of the smallest down.
  @Test func worstChangesMeetTheBound() throws {
    for seed in 0..<15 {
      let a = TestMatrices.normal(12, 12, seed: Int64(seed))
      let factors = try a.singularValueDecomposition()
      let (largest, smallest) = (factors.values[0], factors.values[11])
      let error = 0.4 * smallest
      var values = factors.values
      values[0] += error
      values[11] -= error
      let scaled = TestMatrices.matrix(12, 12) { factors.left[$0, $1] * values[$1] }
      let h = scaled.times(factors.rightTransposed)
      let found = try Self.conditionNumber(h)
      let bound = SpectralBounds.conditionNumber(
        largest: largest, smallest: smallest, error: error)
      #expect(abs(found / (bound ?? 0) - 1) < 1e-9)
      // The paper's theorem 1, (e) and (c).
      #expect(found > largest / smallest * (1 + error / smallest))
      #expect(found > largest / smallest * (1 + error / (smallest - error)))
    }
  }

  /// Certificates bound the condition numbers of what was compressed.
  @Test func certificatesBoundConditionNumbers() throws {
    let noise = TestMatrices.normal(60, 60, seed: 8)
    let log = TestMatrices.logarithm(60)
    let a = TestMatrices.matrix(60, 60) { log[$0, $1] + ($0 == $1 ? 8 : 0) + 0.01 * noise[$0, $1] }
    let values = try a.singularValues()
    for tolerance in [1e-5, 1e-4, 1e-3] {
      let h = try HierarchicalMatrix(
        compressing: a, partition: .ordered(rows: 60, columns: 60, leaf: 8),
        CompressionOptions(.relative(tolerance)))
      let bound = try #require(
        SpectralBounds.conditionNumber(
          largest: values[0], smallest: values[59], error: h.certificate))
      #expect(try Self.conditionNumber(h.expanded()) <= bound)
    }
  }

  /// A local tolerance τ and a change δ aligned with the error: τ + δ is passed, certificate + δ is not.
  @Test func perturbedMatricesNeedTheCertificate() throws {
    let a = TestMatrices.logarithm(128)
    let spectra = try BlockSpectra(a, partition: .ordered(rows: 128, columns: 128, leaf: 16))
    let tolerance = 1e-4 * spectra.norm
    let h = try spectra.compressed(CompressionOptions(.absolute(tolerance), share: .local))
    let expanded = h.expanded()
    let change = tolerance / h.certificate
    let perturbed = TestMatrices.matrix(128, 128) {
      a[$0, $1] + change * (a[$0, $1] - expanded[$0, $1])
    }
    let delta = distance(perturbed, a)
    let error = distance(perturbed, expanded)
    #expect(error > 1.5 * (tolerance + delta))
    let bound = SpectralBounds.error(certificate: h.certificate, change: delta)
    #expect(error <= bound * (1 + 1e-9))
  }
}
