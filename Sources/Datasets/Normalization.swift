/// How fields are normalized: x ↦ (x − shift) / scale, fitted to the training part.
public struct Normalization: Sendable, Equatable {
  /// What is subtracted from the inputs, by point.
  public let inputShift: [Double]
  /// What the inputs are divided by.
  public let inputScale: Double
  /// What is subtracted from the outputs, by point.
  public let outputShift: [Double]
  /// What the outputs are divided by.
  public let outputScale: Double
  /// The mean of the training outputs, by point: what the mean predictor says.
  public let meanOutput: [Double]
  /// What the user should know of it; empty if it was read.
  package var remarks: [String] = []

  /// Compares the numbers.
  ///
  /// - Parameters:
  ///   - left: A normalization.
  ///   - right: A normalization.
  /// - Returns: Whether fields become the same numbers.
  public static func == (left: Normalization, right: Normalization) -> Bool {
    left.inputShift == right.inputShift && left.inputScale == right.inputScale
      && left.outputShift == right.outputShift && left.outputScale == right.outputScale
      && left.meanOutput == right.meanOutput
  }

  /// Creates a normalization from its numbers.
  package init(
    inputShift: [Double], inputScale: Double, outputShift: [Double], outputScale: Double,
    meanOutput: [Double]
  ) {
    self.inputShift = inputShift
    self.inputScale = inputScale
    self.outputShift = outputShift
    self.outputScale = outputScale
    self.meanOutput = meanOutput
  }
}
