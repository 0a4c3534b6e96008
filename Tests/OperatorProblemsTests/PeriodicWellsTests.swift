import BlockKernels
import Foundation
import Testing

@testable import OperatorProblems

struct PeriodicWellsTests {
  private func distance(_ a: Double, _ b: Double, _ period: Double) -> Double {
    min(abs(a - b), period - abs(a - b))
  }

  @Test(arguments: [1, 2, 5, 20])
  func coordinatesKeepTheirGapsAroundTheCircle(wells: Int) throws {
    var options = NonlinearSchrodinger<2>.Options(points: [3, 4])
    options.wells.wells = wells
    var problem = try NonlinearSchrodinger<2>(options: options)
    for index in 0..<200 {
      let drawn = problem.sample(seed: 11, index: index).parameters
      #expect(drawn[..<wells].allSatisfy { $0 >= 1 && $0 < 6 })
      #expect(drawn[3 * wells] >= 2e-3 && drawn[3 * wells] < 4e-3)
      for axis in 1...2 {
        let centres = drawn[axis * wells..<(axis + 1) * wells]
        #expect(centres.allSatisfy { $0 >= 0 && $0 <= 1 })
        #expect(centres.sorted() == Array(centres))
        for (a, b) in zip(centres, centres.dropFirst()) {
          #expect(distance(a, b, 1) >= 0.05 - 1e-15)
        }
        if wells > 1, let first = centres.first, let last = centres.last {
          #expect(distance(first, last, 1) >= 0.05 - 1e-15)
        }
      }
    }
  }

  @Test func coordinatesHaveTheLawOfRejection() throws {
    var options = NonlinearSchrodinger<1>.Options(points: [3])
    options.wells.wells = 3
    options.wells.gap = 0.2
    var problem = try NonlinearSchrodinger<1>(options: options)
    let count = 4000
    var moments = [0.0, 0.0, 0.0]
    for index in 0..<count {
      let drawn = problem.sample(seed: 5, index: index).parameters
      let gap = drawn[4] - drawn[3]
      moments[0] += gap
      moments[1] += gap * gap
      // The middle of the sorted ones, by rejection below.
      moments[2] += drawn[4]
    }
    var random = RandomStream(seed: 5, purpose: 0, index: 0)
    var expected = [0.0, 0.0, 0.0]
    var accepted = 0
    while accepted < count {
      let c = (0..<3).map { _ in random.uniform() }.sorted()
      guard c[1] - c[0] >= 0.2, c[2] - c[1] >= 0.2, c[0] + 1 - c[2] >= 0.2 else { continue }
      accepted += 1
      expected[0] += c[1] - c[0]
      expected[1] += (c[1] - c[0]) * (c[1] - c[0])
      expected[2] += c[1]
    }
    // Deviations of one number are below 0.2, those of a difference of means below
    // 0.2 √(2 / 4000) = 4.5e-3: 5 of them are allowed.
    for (a, b) in zip(moments, expected) { #expect(abs(a - b) / Double(count) < 2.3e-2) }
  }

  @Test func centresInThePlaneKeepApart() throws {
    var options = KohnSham<2>.Options(points: [4, 4])
    options.wells.wells = 4
    options.wells.gap = 5
    var problem = try KohnSham<2>(options: options)
    var means = [Double](repeating: 0, count: 8)
    for index in 0..<500 {
      let drawn = problem.sample(seed: 3, index: index).parameters
      for g in 0..<4 {
        #expect(drawn[g] >= 0.8 && drawn[g] < 1.2)
        for h in 0..<g {
          let dx = distance(drawn[4 + g], drawn[4 + h], 16)
          let dy = distance(drawn[8 + g], drawn[8 + h], 16)
          #expect((dx * dx + dy * dy).squareRoot() >= 5 - 1e-12)
        }
      }
      for k in 0..<8 { means[k] += drawn[4 + k] / 500 }
    }
    // Each coordinate is uniform on its own: mean 8, deviation 4.6 / √500 = 0.21; 5 are allowed.
    #expect(means.allSatisfy { abs($0 - 8) < 1.05 })
  }

  @Test func potentialIsTheSumOfItsWellsAndTheirImages() throws {
    for points in [[3, 5], [16, 9]] {
      var options = KohnSham<2>.Options(points: points)
      // Wide wells need many images.
      options.wells.shape = .deviation(1...16)
      var problem = try KohnSham<2>(options: options)
      for index in 0..<3 {
        let (input, drawn) = problem.sample(seed: -3, index: index)
        for row in 0..<points[0] {
          for column in 0..<points[1] {
            var value = 0.0
            for g in 0..<2 {
              for i in -12...12 {
                for j in -12...12 {
                  let x = Double(row) * 16 / Double(points[0]) - drawn[2 + g] - 16 * Double(i)
                  let y = Double(column) * 16 / Double(points[1]) - drawn[4 + g] - 16 * Double(j)
                  value -= drawn[g] * exp(-(x * x + y * y) / (2 * drawn[6] * drawn[6]))
                }
              }
            }
            // Exponents up to 30 or so matter, with an error of 2e-16 each.
            #expect(abs(input[row * points[1] + column] - value) < 1e-12 * abs(value) + 1e-15)
          }
        }
      }
    }
  }

  @Test func nonlinearPotentialsHaveTheLeastValueOne() throws {
    var problem = try NonlinearSchrodinger<1>(options: .init(points: [320]))
    let (input, drawn) = problem.sample(seed: 2, index: 8)
    #expect(input.min() == 1)
    func well(_ x: Double, _ g: Int) -> Double {
      let norm = (2 * .pi * drawn[4]).squareRoot()
      return drawn[g] / norm * exp(-x * x / (2 * drawn[4]))
    }
    let raw = (1...320).map { (i: Int) -> Double in
      var sum = 0.0
      for g in 0..<2 {
        for j in -1...1 { sum -= well(Double(i) / 320 - drawn[2 + g] - Double(j), g) }
      }
      return sum
    }
    let least = raw.min() ?? 0
    // Values up to 400, each with errors of a few units in the last place.
    #expect(largestDifference(input, raw.map { $0 - least + 1 }) < 1e-12)
  }

  @Test func samplesDependOnSeedAndIndexOnly() throws {
    var problem = try KohnSham<1>(options: .init(points: [33]))
    var other = try KohnSham<1>(options: .init(points: [33]))
    let forward = (0..<6).map { problem.sample(seed: 1, index: $0) }
    for index in (0..<6).reversed() {
      let again = other.sample(seed: 1, index: index)
      #expect(again.input == forward[index].input)
      #expect(again.parameters == forward[index].parameters)
      #expect(other.sample(seed: 2, index: index).parameters != again.parameters)
      if index > 0 { #expect(again.parameters != forward[index - 1].parameters) }
    }
  }

  @Test func inadmissibleLawsAreErrors() {
    for change: (inout PeriodicWells) -> Void in [
      { $0.wells = 0 }, { $0.wells = 1001 }, { $0.amplitude = -1...1 },
      { $0.amplitude = 0 ... .infinity }, { $0.shape = .variance(0...1) },
      { $0.shape = .variance(1...2) }, { $0.gap = -0.1 }, { $0.gap = .nan }, { $0.gap = 0.6 },
    ] {
      var options = NonlinearSchrodinger<1>.Options(points: [8])
      change(&options.wells)
      #expect(throws: ProblemError.self) { _ = try NonlinearSchrodinger<1>(options: options) }
    }
    var crowded = KohnSham<2>.Options(points: [8, 8])
    crowded.wells.wells = 9
    #expect(throws: ProblemError.self) { _ = try KohnSham<2>(options: crowded) }
  }
}
