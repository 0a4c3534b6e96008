import Checkpoints
import ClusterTrees
public import Datasets
import Foundation
import OperatorNetworks

/// What a training run works with, as it was read and chosen, before the first sample is looked at.
public struct RunFacts: Sendable {
  /// The dataset.
  public let file: DatasetFile
  /// Everything that determines the result, except the data; settings that were left open have their chosen values.
  public let configuration: RunConfiguration
  /// The leaves of the tree in words, and whether they were chosen from the grid; nil for a model without leaves.
  public let leaves: String?
  /// The number of parameters, as the papers count.
  public let parameters: Int
  /// The number of stored parameters.
  public let activeParameters: Int
  /// The data groups of the process grid.
  public let dataGroups: Int
  /// The tree ranks of the process grid.
  public let treeRanks: Int
  /// Values with fewer boxes are computed on every tree rank.
  public let replicatedBoxes: Int
  /// The steps that a checkpoint has made already; zero if the run starts.
  public let stepsMade: Int

  /// Returns the number of samples of a part.
  ///
  /// - Parameter part: The part.
  /// - Returns: The samples by the split of the run.
  public func sampleCount(of part: Part) -> Int {
    configuration.training.split.range(of: part, count: file.sampleCount).count
  }

  /// The passes over the training part that the steps make.
  public var epochs: Double {
    let training = configuration.training
    return Double(training.samples(before: training.iterations))
      / Double(max(sampleCount(of: .training), 1))
  }

  /// The facts as members of a summary: `data`, `split`, `model`, `settings` and `process_grid`.
  public var jsonObject: [String: Any] {
    let layout = file.layout
    let settings = try? JSONSerialization.jsonObject(with: Data(configuration.json.utf8))
    return [
      "data": [
        "path": file.path, "samples": file.sampleCount, "input_name": layout.inputName,
        "output_name": layout.outputName,
        "input_shape": Array(file.inputShape.dropFirst()),
        "output_shape": file.outputShape.map { Array($0.dropFirst()) } ?? [],
        "samples_last": layout.samplesLast, "dimension": file.points.dimension,
        "points": file.points.count, "output_points": file.outputCount,
        "grid": file.points.gridShape as Any? ?? NSNull(),
      ] as [String: Any],
      "split": Dictionary(
        uniqueKeysWithValues: Part.allCases.map { ($0.rawValue, sampleCount(of: $0)) }),
      "model": configuration.network.model.rawValue, "settings": settings ?? NSNull(),
      "process_grid": [
        "data_groups": dataGroups, "tree_ranks": treeRanks, "replicate_below": replicatedBoxes,
      ],
    ]
  }
}
