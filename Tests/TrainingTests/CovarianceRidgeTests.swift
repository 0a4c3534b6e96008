import BlockKernels
import ClusterTrees
import Foundation
import Regressions
import Testing

@testable import Datasets

@Suite("CovarianceRidge")
struct CovarianceRidgeTests {
  private static let (points, samples) = (8, 16)

  /// Cosines without a mean, orthogonal for different indices; the sum of their squares is half the number of places.
  private static func wave(_ index: Int, at place: Int, of count: Int) -> Double {
    cos(Double.pi * (Double(place) + 0.5) * Double(index + 1) / Double(count))
  }

  /// Fields whose covariance has the eigenvalues a²/2, for amplitudes a.
  private func fields(_ amplitudes: [Double]) -> SampleSource {
    let (n, count) = (Self.points, Self.samples)
    var inputs = [Double](repeating: 3, count: count * n)
    for (index, amplitude) in amplitudes.enumerated() {
      for sample in 0..<count {
        let weight = amplitude * Self.wave(index, at: sample, of: count)
        for point in 0..<n {
          inputs[sample * n + point] += weight * Self.wave(index, at: point, of: n) / 2
        }
      }
    }
    return SampleSource(
      Dataset(
        path: "waves", points: .grid([n]), outputPoints: nil, sampleCount: count, inputs: inputs,
        outputs: inputs.map { 2 * $0 - 1 }))
  }

  private func fit(_ amplitudes: [Double]) throws -> CovarianceRidge {
    let zero = [Double](repeating: 0, count: Self.points)
    let normalization = Normalization(
      inputShift: zero, inputScale: 1, outputShift: zero, outputScale: 1, meanOutput: zero)
    return try CovarianceRidge(
      try FieldSamples(fields(amplitudes), normalization), 0..<Self.samples, isWeighted: false)
  }

  /// The cutoff is 8 ε = 1.8e-15 of the largest eigenvalue, and eigenvalues are squares.
  @Test(
    "the factor of the covariance leaves out what is rounding, and nothing else",
    arguments: [
      ([1.0], 1), ([1, 1e-3], 2), ([1, 1e-3, 1e-6], 3), ([1, 1e-6, 1e-9], 2), ([5e-4, 1e-4], 2),
    ])
  func cutoff(amplitudes: [Double], kept: Int) throws {
    let fit = try fit(amplitudes)
    #expect(fit.spread.columns == kept)
    let covariance = fit.spread.times(fit.spread, transposesRight: true)
    let (n, largest) = (Double(Self.points), amplitudes[0] * amplitudes[0] / 2)
    for row in 0..<Self.points {
      for column in 0..<Self.points {
        var expected = 0.0
        for (index, amplitude) in amplitudes.enumerated() {
          let waves = [row, column].map { Self.wave(index, at: $0, of: Self.points) / 2 }
          expected += amplitude * amplitude / 2 * (waves[0] * waves[1])
        }
        // Inputs around 3 are off by 3 ε, beside deviations of the size of the amplitude.
        let rounding = 8 * Double.ulpOfOne * n * (largest + 3 * amplitudes[0])
        #expect(abs(covariance[row, column] - expected) <= rounding)
      }
    }
  }

  @Test("a small penalty gives the map where inputs vary, and zero where they do not")
  func map() throws {
    let matrix = try fit([1, 1e-2]).matrix(1e-7)
    let n = Self.points
    for index in 0..<4 {
      let wave = (0..<n).map { Self.wave(index, at: $0, of: n) }
      for row in 0..<n {
        let value = (0..<n).reduce(0) { $0 + matrix[row, $1] * wave[$1] }
        // λ is 1e-3 of the second eigenvalue; rounding is ε / λ of the first.
        let factor = [2 / (1 + 1e-7), 2 / (1 + 1e-3), 0, 0][index]
        #expect(abs(value - factor * wave[row]) < 1e-7)
      }
    }
  }
}
