public import Checkpoints

/// Everything that determines factors and their training.
public struct FactorConfiguration: SavedConfiguration {
  /// All settings with their defaults.
  public static let standard = FactorConfiguration(matrix: MatrixSource(""))
  /// Every file describes the matrix, the factors and their training.
  public static let requiredGroups = ["matrix", "factors", "refinement"]

  /// The matrix.
  public var matrix: MatrixSource
  /// The structure of the factors, and where their training starts.
  public var factors: FactorOptions
  /// How they are trained.
  public var refinement: RefinementOptions

  /// Creates a configuration.
  ///
  /// - Parameters:
  ///   - matrix: The matrix.
  ///   - factors: The structure of the factors, and where their training starts.
  ///   - refinement: How they are trained.
  public init(
    matrix: MatrixSource, factors: FactorOptions = FactorOptions(),
    refinement: RefinementOptions = RefinementOptions()
  ) {
    (self.matrix, self.factors, self.refinement) = (matrix, factors, refinement)
  }

  /// Names the settings that are not those of a run that was saved.
  ///
  /// The path of a file may differ: the digest says whether the matrix is the same.
  ///
  /// - Parameter saved: The configuration of the run.
  /// - Returns: Texts such as “`channels` 2, now 4”.
  func changes(from saved: FactorConfiguration) -> [String] {
    var mine = self
    if matrix.digest != nil, matrix.digest == saved.matrix.digest {
      (mine.matrix.matrix, mine.matrix.object) = (saved.matrix.matrix, saved.matrix.object)
      mine.matrix.options = saved.matrix.options
    }
    return mine.differences(from: saved)
  }
}
