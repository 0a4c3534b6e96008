import Foundation

/// When the learning rate falls because the validation error does not.
///
/// An error improves on the least one before if it is less than (1 − threshold) of it. After as many
/// validations in a row without an improvement as the patience says, the rate is multiplied by the factor,
/// and the count starts again at zero.
struct Plateau: Equatable {
  /// The least error that was an improvement.
  private(set) var least = Double.infinity
  /// The validations since, or since the rate fell.
  private(set) var waited = 0
  /// How often the rate fell.
  private(set) var drops = 0

  init() {}

  /// Continues from ``numbers``; nil if they are not a state.
  init?(numbers: [Double]) {
    guard numbers.count == 3, let waited = Int(exactly: numbers[1]),
      let drops = Int(exactly: numbers[2]), waited >= 0, drops >= 0
    else { return nil }
    (least, self.waited, self.drops) = (numbers[0], waited, drops)
  }

  /// The state.
  var numbers: [Double] { [least, Double(waited), Double(drops)] }

  /// Takes a validation error into account.
  mutating func take(_ error: Double, _ options: TrainingOptions) {
    if error < least * (1 - options.plateauThreshold) {
      (least, waited) = (error, 0)
    } else {
      waited += 1
    }
    if waited >= options.plateauPatience {
      (waited, drops) = (0, drops + 1)
    }
  }

  /// Returns what the learning rate is multiplied by.
  func factor(_ options: TrainingOptions) -> Double {
    drops == 0 ? 1 : pow(options.stepFactor, Double(drops))
  }
}
