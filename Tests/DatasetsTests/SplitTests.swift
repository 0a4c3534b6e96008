import Testing

@testable import Datasets

@Suite("Split")
struct SplitTests {
  static let texts: [(String, [Double])] = [
    ("0.6,0.1,0.3", [0.6, 0.1, 0.3]), ("1,0,0", [1, 0, 0]), ("2/3,0,1/3", [2.0 / 3, 0, 1.0 / 3]),
    ("1 / 2, 1/4,1/4", [0.5, 0.25, 0.25]), ("5e-1,.25,.25", [0.5, 0.25, 0.25]),
    ("0.1,0.2,0.3", [0.1, 0.2, 0.3]),
  ]

  @Test("fractions are read", arguments: texts)
  func reads(text: String, fractions: [Double]) throws {
    let split = try #require(Split.parse(text))
    #expect([split.training, split.validation, split.test] == fractions)
  }

  @Test(
    "what is no split is refused",
    arguments: [
      "", "1", "0.5,0.5", "0.5,0.2,0.2,0.1", "0,0.5,0.5", "0.6,0.3,0.2", "-0.1,0.5,0.5", "1.5,0,0",
      "a,b,c", "1/0,0,0", "1/2/2,0,0", "nan,0,0", "inf,0,0", "0.5,,0.5", "0.5;0.2;0.3", "/2,0,0",
    ])
  func refuses(text: String) {
    #expect(Split.parse(text) == nil)
  }

  @Test(
    "parts follow each other in the order of the file and lose no sample",
    arguments: ["0.6,0.1,0.3", "2/3,0,1/3", "1/3,1/3,1/3", "0.1,0.2,0.7", "1,0,0", "0.7,0.3,0"],
    [0, 1, 2, 3, 7, 10, 99, 100, 101, 20000])
  func ranges(text: String, count: Int) throws {
    let split = try #require(Split.parse(text))
    let parts = Part.allCases.map { split.range(of: $0, count: count) }
    #expect(parts[0].lowerBound == 0)
    #expect(parts[1].lowerBound == parts[0].upperBound)
    #expect(parts[2].lowerBound == parts[1].upperBound)
    #expect(parts[2].upperBound == count)
    for (part, fraction) in zip(parts, [split.training, split.validation, split.test]) {
      // Both ends of a part are rounded to a whole sample.
      #expect(abs(Double(part.count) - fraction * Double(count)) <= 1 + 1e-9)
      if fraction == 0 { #expect(part.isEmpty) }
    }
  }

  @Test("samples that no part wants are left over at the end")
  func leftOver() throws {
    let split = try #require(Split.parse("0.1,0.2,0.3"))
    #expect(split.range(of: .training, count: 100) == 0..<10)
    #expect(split.range(of: .validation, count: 100) == 10..<30)
    #expect(split.range(of: .test, count: 100) == 30..<60)
  }
}
