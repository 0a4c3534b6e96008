internal import BlockKernels

extension GaussianField {
  /// The fields of the radiative transfer problem in the unit square.
  ///
  /// The prefactor of a Gaussian is ρ / (2πT), as in the authors' generator; eq. 4.12 has a root there.
  public static var plane: GaussianField { GaussianField(amplitude: 0.01...0.03) }

  /// The purpose of the random numbers of fields in the plane.
  private static var planePurpose: UInt32 { 0x4741_5532 }

  /// The datasets of the parameters of fields in the plane, in the order of `drawPlane`.
  var planeParameterNames: [(name: String, columns: Int)] {
    [("rho", gaussians), ("u1", gaussians), ("u2", gaussians), ("T", 1)]
  }

  /// The description of fields in the plane.
  var planeAttributes: [(name: String, value: AttributeValue)] {
    attributes.dropLast() + [
      ("field", .text("sum rho / (2 pi T) exp(-|x - u|^2 / (2 T))")),
      ("centres", .text("each axis: sorted, uniform if neighbours keep the gap")),
    ]
  }

  /// Draws the parameters of a field in the plane: amplitudes, both coordinates of the centres, variance.
  ///
  /// The coordinates of each axis are drawn as in `draw`, so both ascend.
  ///
  /// - Parameters:
  ///   - seed: The user's seed.
  ///   - index: The number of the sample.
  ///   - parameters: Becomes ρ, c₁, c₂ and T.
  /// - Precondition: `index >= 0` and `parameters.count == 3 * gaussians + 1`.
  func drawPlane(seed: Int64, index: Int, into parameters: inout MutableSpan<Double>) {
    precondition(index >= 0, "the sample \(index)")
    precondition(
      parameters.count == 3 * gaussians + 1,
      "\(parameters.count) parameters for \(gaussians) Gaussians")
    var random = RandomStream(seed: seed, purpose: Self.planePurpose, index: UInt64(index))
    for g in 0..<gaussians { parameters[g] = random.uniform(in: amplitude) }
    drawCentres(&random, at: gaussians, into: &parameters)
    drawCentres(&random, at: 2 * gaussians, into: &parameters)
    parameters[3 * gaussians] = random.uniform(in: variance)
  }
}
