public import MessagePassing

/// The parameters of model matrices.
///
/// Nil stands for the default of the matrix, which is in ``ModelMatrix/defaults``.
public struct MatrixOptions: Sendable, Equatable, Codable {
  /// The length ℓ over which a kernel decays, above 0; the grid's longest side has length 1.
  public var length: Double?
  /// What is added to the diagonal of a kernel, σ², at least 0.
  public var nugget: Double?
  /// The coefficient ε of the second derivatives, above 0.
  public var diffusion: Double?
  /// The velocity c in each dimension, of either sign.
  public var convection: Double?

  /// Creates options.
  ///
  /// - Parameters:
  ///   - length: The length over which a kernel decays.
  ///   - nugget: What is added to the diagonal of a kernel.
  ///   - diffusion: The coefficient of the second derivatives.
  ///   - convection: The velocity in each dimension.
  public init(
    length: Double? = nil, nugget: Double? = nil, diffusion: Double? = nil,
    convection: Double? = nil
  ) {
    self.length = length
    self.nugget = nugget
    self.diffusion = diffusion
    self.convection = convection
  }

  /// The settings with their names and admissible values.
  private static var settings:
    [(
      name: String, path: KeyPath<MatrixOptions, Double?>, range: String, isValid: (Double) -> Bool
    )]
  {
    [
      ("length", \.length, "above 0", { $0 > 0 }),
      ("nugget", \.nugget, "at least 0", { $0 >= 0 }),
      ("diffusion", \.diffusion, "above 0", { $0 > 0 }),
      ("convection", \.convection, "finite", { _ in true }),
    ]
  }

  /// Fills in the defaults of a matrix.
  ///
  /// - Parameter matrix: The matrix.
  /// - Returns: The options, with a value for each that the matrix has.
  /// - Throws: `RunError` (64) for an option that the matrix has not, or a value that is not admissible.
  public func resolved(for matrix: ModelMatrix) throws(RunError) -> MatrixOptions {
    let defaults = matrix.defaults
    for setting in Self.settings {
      guard let value = self[keyPath: setting.path] else { continue }
      guard defaults[keyPath: setting.path] != nil else {
        let names = Self.settings.filter { defaults[keyPath: $0.path] != nil }.map {
          "`\($0.name)`"
        }
        throw .usage(
          "the matrix \(matrix.rawValue) has no `\(setting.name)`; it has "
            + (names.isEmpty ? "no parameters" : names.joined(separator: " and ")))
      }
      guard value.isFinite, setting.isValid(value) else {
        throw .usage("`\(setting.name)` is \(value), but has to be \(setting.range)")
      }
    }
    return MatrixOptions(
      length: length ?? defaults.length, nugget: nugget ?? defaults.nugget,
      diffusion: diffusion ?? defaults.diffusion, convection: convection ?? defaults.convection)
  }
}
