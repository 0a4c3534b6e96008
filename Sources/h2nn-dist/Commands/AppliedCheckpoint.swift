import BlockKernels
import Checkpoints
import ClusterTrees
import Datasets
import Foundation
import MessagePassing
import NetworkExecution
import OperatorNetworks
import ParallelHDF5
import Training

/// A checkpoint and a dataset that its network is applied to: what `evaluate`, `predict`, `compare` and `plot` share.
struct AppliedCheckpoint {
  /// The network with its parameters, in its precision.
  private enum Model {
    case float(TrainedModel<Float>)
    case double(TrainedModel<Double>)
  }

  let header: CheckpointHeader
  let network: Network
  let source: SampleSource
  private let model: Model
  private let plan: StepPlan
  private let layout: DatasetLayout

  /// The dataset.
  var file: DatasetFile { source.file }

  /// Opens the checkpoint that `--checkpoint` names, and the dataset.
  ///
  /// Collective.
  init(_ arguments: Arguments, needsOutputs: Bool, on world: borrowing Communicator) throws {
    let checkpoint = try RunCheckpoint.find(
      try arguments.required("checkpoint"), on: world, note: { Voice.note($0) })
    try self.init(arguments, checkpoint, needsOutputs: needsOutputs, on: world)
  }

  /// Builds the network of a checkpoint, and reads the dataset that `--data` names, or takes that of another
  /// network if it was read with the same layout.
  ///
  /// Collective.
  init(
    _ arguments: Arguments, _ checkpoint: borrowing RunCheckpoint, needsOutputs: Bool,
    sharing other: AppliedCheckpoint? = nil, on world: borrowing Communicator
  ) throws {
    let header = checkpoint.header
    var layout = header.configuration.layout
    layout.inputName = arguments.text("input-name") ?? layout.inputName
    layout.outputName = arguments.text("output-name") ?? layout.outputName
    if arguments.has("samples-last") { layout.samplesLast = true }
    self.layout = layout
    self.header = header
    do {
      network = try header.network()
    } catch {
      throw RunError.data("\(header.path): \(error)")
    }
    let file = other?.layout == layout ? other?.file : nil
    let opened =
      try file
      ?? DatasetFile.open(
        try arguments.required("data"), layout: layout, needsOutputs: needsOutputs, on: world)
    guard opened.points == header.points,
      !needsOutputs || opened.outputPoints == header.outputPoints
    else {
      throw RunError.data(
        "\(opened.path): the network was trained on "
          + "\(PointDescription(header.points, header.outputPoints).text), the dataset has "
          + PointDescription(opened.points, opened.outputPoints).text)
    }
    // Samples are independent of each other: unless a grid is given, every rank computes the whole network.
    var options = try arguments.gridOptions()
    options.shape = options.shape ?? (world.size, 1)
    plan = try options.plan(
      network, sizes: StepPlan.Sizes(header.configuration.training), on: world)
    if let other, other.layout == layout, plan.treeRanks == 1 {
      source = other.source
    } else {
      let columns = plan.share(network, rank: world.rank % plan.treeRanks).columns(network)
      source = try SampleSource(
        opened, inputs: columns.inputs, outputs: columns.outputs, needsOutputs: needsOutputs,
        on: world)
    }
    let grid = try ProcessGrid(
      dataGroups: plan.dataGroups, treeRanks: plan.treeRanks, on: world)
    model =
      switch header.configuration.training.precision {
      case .float: .float(try TrainedModel(checkpoint, network, plan, source, on: grid))
      case .double: .double(try TrainedModel(checkpoint, network, plan, source, on: grid))
      }
  }
}

extension AppliedCheckpoint {
  /// Computes the errors on a part of the dataset, or on all of it.
  ///
  /// Collective.
  func errors(
    _ part: Part?, on world: borrowing Communicator
  ) throws -> ErrorStatistics? {
    let count = file.sampleCount
    let samples = part.map { header.configuration.training.split.range(of: $0, count: count) }
    let grid = try ProcessGrid(
      dataGroups: plan.dataGroups, treeRanks: plan.treeRanks, on: world)
    switch model {
    case .float(let model): return try model.errors(samples ?? 0..<count, on: grid)
    case .double(let model): return try model.errors(samples ?? 0..<count, on: grid)
    }
  }

  /// Predicts the outputs of samples, or of this rank's share of all samples.
  ///
  /// Collective.
  ///
  /// - Returns: The samples, and their outputs one after the other.
  func predict(
    _ samples: Range<Int>?, on world: borrowing Communicator
  ) throws -> (samples: Range<Int>, outputs: [Double]) {
    let grid = try ProcessGrid(
      dataGroups: plan.dataGroups, treeRanks: plan.treeRanks, on: world)
    switch model {
    case .float(let model): return try model.predict(samples, of: file.sampleCount, on: grid)
    case .double(let model): return try model.predict(samples, of: file.sampleCount, on: grid)
    }
  }
}
