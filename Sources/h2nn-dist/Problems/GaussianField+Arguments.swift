import MessagePassing
import OperatorProblems
import Training

extension Setting<GaussianField> {
  /// The options of fields that are sums of Gaussians.
  static let gaussians: [Setting] = [
    .integer("gaussians", "n", "Gaussians of an input field", \.gaussians, atLeast: 0),
    .interval("amplitude", "a,b", "range of their amplitudes ρ", \.amplitude),
    .interval("centres", "a,b", "range of their centres, per axis", \.centres),
    .real("gap", "x", "smallest distance of two centres, per axis", \.gap, 0...1),
    .interval("variance", "a,b", "range of their variance T", \.variance),
  ]
}

extension Arguments {
  /// Returns the law of fields that are sums of Gaussians.
  func gaussianField(_ standard: GaussianField) throws(RunError) -> GaussianField {
    var field = standard
    try read(Setting<GaussianField>.gaussians, into: &field)
    return field
  }
}
