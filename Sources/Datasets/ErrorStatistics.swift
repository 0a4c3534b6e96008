/// The errors of a network on samples: ‖u − û‖₂ / ‖u‖₂ of each, in physical units.
///
/// Samples whose output u is zero have no such error. They are left out and named; if there are no others the
/// statistics are not numbers.
public struct ErrorStatistics: Sendable, Equatable {
  /// The number of samples that have an error.
  public let samples: Int
  /// The samples that are left out, since their outputs are zero.
  public let zeroSamples: [Int]
  /// The mean of the errors.
  public let mean: Double
  /// The largest error.
  public let maximum: Double
  /// The standard deviation of the errors.
  public let deviation: Double
  /// The mean of the squared errors.
  public let squaredMean: Double
  /// The mean error of predicting the point-wise mean of the training outputs.
  public let meanPredictor: Double

  package init(errors: [Double], meanPredictorErrors: [Double], zeroSamples: [Int] = []) {
    self.zeroSamples = zeroSamples
    let count = Double(errors.count)
    let mean = errors.reduce(0, +) / count
    samples = errors.count
    self.mean = mean
    maximum = errors.max() ?? .nan
    deviation = (errors.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
    squaredMean = errors.reduce(0) { $0 + $1 * $1 } / count
    meanPredictor = meanPredictorErrors.reduce(0, +) / count
  }

  /// The mean of the errors; nil if all samples are left out.
  public var knownMean: Double? { samples > 0 ? mean : nil }

  /// A remark about the samples that are left out; nil if there are none.
  ///
  /// - Parameter part: What the samples are called, such as `test part`.
  /// - Returns: The remark.
  public func remark(on part: String) -> String? { zeroRemark(zeroSamples, part) }
}

/// Returns a remark about samples that have no relative error; nil if there are none.
///
/// - Parameters:
///   - samples: The samples.
///   - part: What they belong to.
/// - Returns: The remark, with the numbers of the first ones.
package func zeroRemark(_ samples: [Int], _ part: String) -> String? {
  guard !samples.isEmpty else { return nil }
  let numbers = samples.prefix(10).map { "\($0)" }.joined(separator: ", ")
  return "\(part): the outputs of \(samples.count) sample\(samples.count == 1 ? "" : "s") "
    + "(\(numbers)\(samples.count > 10 ? ", …" : ""), counted from 0) are zero and have no relative error: "
    + "they are left out"
}
