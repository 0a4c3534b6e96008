/// The parts of a dataset.
public enum Part: String, CaseIterable, Sendable, Codable {
  /// The samples that gradients come from.
  case training
  /// The samples that schedules and selection may look at.
  case validation
  /// The samples that nothing looks at before the end.
  case test
}

/// The fractions of a dataset for training, validation and test, in the order of the file.
public struct Split: Sendable, Equatable, Codable {
  /// The fraction for training.
  public var training: Double
  /// The fraction for validation.
  public var validation: Double
  /// The fraction for test.
  public var test: Double

  /// Creates a split.
  ///
  /// - Parameters:
  ///   - training: The fraction for training.
  ///   - validation: The fraction for validation.
  ///   - test: The fraction for test.
  public init(training: Double = 0.6, validation: Double = 0.1, test: Double = 0.3) {
    self.training = training
    self.validation = validation
    self.test = test
  }

  /// Returns the samples of a part.
  ///
  /// The boundaries are rounded to whole samples; if the fractions sum up to one, no sample is left out.
  ///
  /// - Parameters:
  ///   - part: The part.
  ///   - count: The number of samples of the dataset.
  /// - Returns: The samples.
  public func range(of part: Part, count: Int) -> Range<Int> {
    func bound(_ fraction: Double) -> Int {
      min(max(Int((fraction * Double(count)).rounded()), 0), count)
    }
    let (first, second) = (bound(training), bound(training + validation))
    switch part {
    case .training: return 0..<first
    case .validation: return first..<max(second, first)
    case .test: return max(second, first)..<max(bound(training + validation + test), second, first)
    }
  }

  /// Reads fractions like `0.6,0.1,0.3` or `2/3,0,1/3`.
  ///
  /// - Parameter text: The fractions.
  /// - Returns: The split, or nil if the text is not one: three numbers from 0 to 1 are needed, which sum
  ///   up to at most one, the first of them positive.
  public static func parse(_ text: String) -> Split? {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      let terms = part.split(separator: "/", omittingEmptySubsequences: false)
        .map { Double($0.filter { $0 != " " }) }
      guard let first = terms.first, let numerator = first else { return Double.nan }
      guard terms.count == 2 else { return terms.count == 1 ? numerator : .nan }
      return numerator / (terms[1] ?? .nan)
    }
    guard parts.count == 3, parts.allSatisfy({ $0 >= 0 && $0 <= 1 }), parts[0] > 0,
      parts[0] + parts[1] + parts[2] <= 1 + 1e-9
    else { return nil }
    return Split(training: parts[0], validation: parts[1], test: parts[2])
  }
}
