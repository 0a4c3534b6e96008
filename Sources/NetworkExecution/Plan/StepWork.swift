public import BlockKernels
import BlockSparse
public import MessagePassing

/// What one rank computes and moves in a step: floating-point operations of products, and the bytes of their
/// matrices, each read or written once by each layer.
public struct StepWork: Sendable {
  /// Operations and bytes of the forward pass.
  public private(set) var forward = (flops: 0, bytes: 0)
  /// Operations and bytes of the gradients with respect to values.
  public private(set) var inputGradient = (flops: 0, bytes: 0)
  /// Operations and bytes of the gradients with respect to parameters.
  public private(set) var weightGradient = (flops: 0, bytes: 0)
  /// Bytes of derivatives, transposed sources and packed weights.
  public private(set) var elementwiseBytes = 0

  /// Counts the work of a rank.
  ///
  /// - Parameters:
  ///   - executor: The part of the network that it computes.
  ///   - shards: Its shards.
  ///   - scalar: The bytes of a number.
  public init<Scalar: KernelScalar & MPIScalar>(
    _ executor: NetworkExecutor<Scalar>, shards: Int, scalar: Int
  ) {
    let size = shards * executor.samples * scalar
    for (plan, wire) in zip(executor.plans, executor.wires) {
      let (layer, placement) = (plan.layer, plan.placement)
      let starts = layer.target.starts
      let boxes = plan.isTransposed ? placement.sources : placement.rows
      let targets = starts[boxes.upperBound] - starts[boxes.lowerBound]
      let sources = placement.sourceValues.channelCount
      let weights = plan.shape.weights(of: placement.rows).count * scalar
      let addends = wire.addend == nil ? 0 : targets
      forward.flops += shards * plan.forwardFlops
      forward.bytes += (sources + targets + addends) * size + shards * weights
      weightGradient.flops += shards * plan.parameterFlops
      weightGradient.bytes += (sources + targets) * size + shards * weights
      elementwiseBytes += 2 * sources * size
      if layer.activation != .identity { elementwiseBytes += 3 * targets * size }
      guard wire.source != 0 else { continue }
      inputGradient.flops += shards * plan.inputFlops
      inputGradient.bytes +=
        (sources + placement.targetGradients.channelCount) * size
        + shards * plan.packedWeightCount * scalar
      elementwiseBytes += 2 * plan.packedWeightCount * scalar
    }
  }
}
