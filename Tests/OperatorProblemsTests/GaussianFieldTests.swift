import Foundation
import OperatorProblems
import Testing

struct GaussianFieldTests {
  @Test(arguments: [1, 2, 8, 13])
  func parametersStayInTheirRanges(gaussians: Int) throws {
    var problem = try CustomOperator(
      options: .init(points: 1, field: GaussianField(gaussians: gaussians)))
    for index in 0..<200 {
      let drawn = problem.sample(seed: 11, index: index).parameters
      let centres = drawn[gaussians..<2 * gaussians]
      #expect(drawn[..<gaussians].allSatisfy { $0 >= 0.1 && $0 < 0.3 })
      // Moving the centres apart rounds.
      #expect(centres.allSatisfy { $0 >= 0.2 && $0 < 0.8 + 1e-15 })
      for (a, b) in zip(centres, centres.dropFirst()) { #expect(b - a >= 0.05 - 1e-15) }
      #expect(drawn[2 * gaussians] >= 2e-3 && drawn[2 * gaussians] < 4e-3)
    }
  }

  @Test func centresHaveTheLawOfRejection() throws {
    var problem = try CustomOperator(options: .init(points: 1))
    let count = 4000
    var gap = 0.0
    var square = 0.0
    var first = 0.0
    for index in 0..<count {
      let drawn = problem.sample(seed: 5, index: index).parameters
      gap += drawn[3] - drawn[2]
      square += (drawn[3] - drawn[2]) * (drawn[3] - drawn[2])
      first += drawn[2]
    }
    // The gap of two uniform numbers in an interval of length a = 0.6, if it exceeds g = 0.05, is
    // g plus a triangular number of mean b / 3 and second moment b² / 6, b = a - g; the lower one
    // has the mean 0.2 + b / 3. Deviations are below 0.13 / √4000 = 2e-3: 4 of them are allowed.
    let b = 0.55
    #expect(abs(gap / Double(count) - (0.05 + b / 3)) < 8e-3)
    #expect(abs(square / Double(count) - (0.0025 + 0.1 * b / 3 + b * b / 6)) < 8e-3)
    #expect(abs(first / Double(count) - (0.2 + b / 3)) < 8e-3)
  }

  @Test func fieldIsTheSumOfItsGaussians() throws {
    for points in [1, 5, 8, 320] {
      var problem = try RadiativeTransfer1D(options: .init(points: points))
      let (input, drawn) = problem.sample(seed: -3, index: 2)
      let expected = cellCentres(points).map { x in
        (0..<2).reduce(0) { sum, g in
          let distance = x - drawn[2 + g]
          return sum + drawn[g] / (2 * .pi * drawn[4]).squareRoot()
            * exp(-distance * distance / (2 * drawn[4]))
        }
      }
      // Relative to the value: exponents up to 160 with an error of 2e-16 each.
      for (a, b) in zip(input, expected) { #expect(abs(a - b) <= 1e-13 * b) }
    }
  }

  @Test func samplesDependOnSeedAndIndexOnly() throws {
    var problem = try RadiativeTransfer1D(options: .init(points: 33))
    var other = try RadiativeTransfer1D(options: .init(points: 33))
    var custom = try CustomOperator(options: .init(points: 33))
    let forward = (0..<6).map { problem.sample(seed: 1, index: $0) }
    for index in (0..<6).reversed() {
      let again = other.sample(seed: 1, index: index)
      #expect(again.input == forward[index].input)
      #expect(again.parameters == forward[index].parameters)
      #expect(custom.sample(seed: 1, index: index).input == again.input)
      #expect(other.sample(seed: 2, index: index).parameters != again.parameters)
      if index > 0 { #expect(again.parameters != forward[index - 1].parameters) }
    }
  }

  @Test func parametersDoNotDependOnTheGrid() throws {
    var coarse = try CustomOperator(options: .init(points: 2))
    var fine = try CustomOperator(options: .init(points: 640))
    #expect(
      coarse.sample(seed: 9, index: 1 << 40).parameters
        == fine.sample(seed: 9, index: 1 << 40).parameters)
  }

  @Test func sampleNumbersAreNotNegative() async {
    await #expect(processExitsWith: .failure) {
      var problem = try CustomOperator(options: .init(points: 1))
      _ = problem.sample(seed: 0, index: -1)
    }
  }
}
