public import BlockKernels
import Checkpoints
public import Datasets
public import MessagePassing
import NetworkExecution
public import OperatorNetworks
public import ParallelHDF5

/// A trained network on a process grid, with its parameters and the samples that it is applied to.
public struct TrainedModel<Scalar: KernelScalar & HDF5Scalar & MPIScalar> {
  private let evaluator: Evaluator<Scalar>
  private let parameters: AlignedBuffer<Scalar>

  /// Reads the parameters of a checkpoint.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - checkpoint: The checkpoint.
  ///   - network: Its network.
  ///   - plan: How it is spread over the grid.
  ///   - source: The samples.
  ///   - grid: The process grid.
  /// - Throws: An `ExitStatusError`: 65 if the content of the checkpoint is wrong.
  public init(
    _ checkpoint: borrowing RunCheckpoint, _ network: Network, _ plan: StepPlan,
    _ source: SampleSource, on grid: borrowing ProcessGrid
  ) throws {
    let (share, header) = (plan.share(network, rank: grid.treeRank), checkpoint.header)
    parameters = AlignedBuffer(repeating: 0, count: share.parameterCount)
    try checkpoint.check(network)
    let parts = ArrayPart.parameters(network, share)
    // All groups hold the same parameters; the first group counts them.
    try checkpoint.read(
      StateArray(
        group: "/parameters", parts: grid.group == 0 ? parts : parts.map { $0.counting(0..<0) },
        buffer: parameters))
    let executor = NetworkExecutor<Scalar>(
      network, plan.partition, plan.communication, share,
      samples: header.configuration.training.shard, forTraining: false)
    // Transposed layers need copies of weights.
    try executor.parametersChanged(parameters, on: grid.tree)
    evaluator = Evaluator(executor, source, normalization: header.normalization)
  }

  /// Computes the errors on samples.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - samples: The samples.
  ///   - grid: The process grid.
  /// - Returns: The statistics, or nil without samples.
  /// - Throws: `MPIError` if an exchange fails, an `ExitStatusError` if samples cannot be read.
  public func errors(
    _ samples: Range<Int>, on grid: borrowing ProcessGrid
  ) throws -> ErrorStatistics? {
    try evaluator.errors(samples, parameters: parameters, on: grid)
  }

  /// Predicts the outputs of this data group's share of all samples, or of given ones.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - samples: The samples; if nil, the share of the group.
  ///   - count: The number of all samples.
  ///   - grid: The process grid.
  /// - Returns: The samples, and their outputs one after the other in the order of the points; on the first
  ///   tree rank of each group, nothing on the others.
  /// - Throws: `MPIError` if an exchange fails, an `ExitStatusError` if samples cannot be read.
  public func predict(
    _ samples: Range<Int>?, of count: Int, on grid: borrowing ProcessGrid
  ) throws -> (samples: Range<Int>, outputs: [Double]) {
    let chosen =
      samples ?? evaluator.share(of: count, pieces: grid.dataGroups, piece: grid.group)
    var outputs: [Double] = []
    try evaluator.predict(chosen, parameters: parameters, on: grid) { outputs += $1 }
    return grid.treeRank == 0 ? (chosen, outputs) : (0..<0, [])
  }
}
