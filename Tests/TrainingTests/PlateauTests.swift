import Testing

@testable import Training

@Suite("Plateaus of the validation error")
struct PlateauTests {
  private var options: TrainingOptions {
    var options = TrainingOptions()
    (options.plateauPatience, options.plateauThreshold, options.stepFactor) = (2, 0.1, 0.5)
    return options
  }

  @Test("the rate falls after errors that improve too little, and they are counted anew")
  func falls() {
    var plateau = Plateau()
    // 0.95 is no improvement of a tenth on 1, 0.85 is one on 1, and not a number never is one.
    let errors = [1, 0.95, 0.85, 0.8, .nan, 0.84, 0.7, 0.69, 0.68, 0.67, 0.66]
    let factors = [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125]
    for (error, factor) in zip(errors, factors) {
      plateau.take(error, options)
      #expect(plateau.factor(options) == factor, "after \(error)")
    }
    #expect(plateau.least == 0.7)
  }

  @Test("its numbers continue it", arguments: 0..<6)
  func continues(after count: Int) throws {
    let errors = [1.0, 0.99, 0.5, 0.49, 0.48, 0.47]
    var whole = Plateau()
    var parts = Plateau()
    for (index, error) in errors.enumerated() {
      if index == count { parts = try #require(Plateau(numbers: parts.numbers)) }
      whole.take(error, options)
      parts.take(error, options)
      #expect(parts == whole)
    }
    #expect(whole.drops == 1)
  }

  @Test(
    "other numbers are none", arguments: [[], [1, 2], [1, 0.5, 0], [1, -1, 0], [1, 0, .nan]])
  func refuses(numbers: [Double]) {
    #expect(Plateau(numbers: numbers) == nil)
  }
}
