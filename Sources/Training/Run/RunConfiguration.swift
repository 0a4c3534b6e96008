public import Checkpoints
public import Datasets
public import OperatorNetworks

/// Everything that determines the result of a training run, except the data.
public struct RunConfiguration: SavedConfiguration {
  /// All settings with their defaults.
  public static let standard = RunConfiguration(
    network: NetworkOptions(), training: TrainingOptions())
  /// Every file describes the network and the training.
  public static let requiredGroups = ["network", "training"]

  /// The network.
  public var network: NetworkOptions
  /// How it is trained.
  public var training: TrainingOptions
  /// Where the fields stand in the dataset.
  public var layout: DatasetLayout

  /// Creates a configuration.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - training: How it is trained.
  ///   - layout: Where the fields stand in the dataset.
  public init(
    network: NetworkOptions, training: TrainingOptions, layout: DatasetLayout = DatasetLayout()
  ) {
    self.network = network
    self.training = training
    self.layout = layout
  }
}
