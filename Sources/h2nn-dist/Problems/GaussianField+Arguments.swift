import MessagePassing
import OperatorProblems
import Training

extension OptionGroups {
  /// The options of fields that are sums of Gaussians, with the defaults of a problem.
  static func gaussians(
    amplitude: String, centres: String, gap: String, variance: String
  ) -> [OptionSpec] {
    [
      OptionSpec("gaussians", "n", "Gaussians of an input field", standard: "2"),
      OptionSpec("amplitude", "a,b", "range of their amplitudes ρ", standard: amplitude),
      OptionSpec("centres", "a,b", "range of their centres, per axis", standard: centres),
      OptionSpec("gap", "x", "smallest distance of two centres, per axis", standard: gap),
      OptionSpec("variance", "a,b", "range of their variance T", standard: variance),
    ]
  }
}

extension Arguments {
  /// Returns the law of fields that are sums of Gaussians.
  func gaussianField(_ standard: GaussianField) throws(TrainingError) -> GaussianField {
    var field = standard
    field.gaussians = try integer("gaussians", atLeast: 0) ?? field.gaussians
    field.amplitude = try interval("amplitude") ?? field.amplitude
    field.centres = try interval("centres") ?? field.centres
    field.gap = try real("gap", 0...1) ?? field.gap
    field.variance = try interval("variance") ?? field.variance
    return field
  }
}
