public import BlockKernels
public import BlockSparse

/// Computes a network and its gradients for one shard of samples after another.
///
/// All memory is allocated at creation. Arrays of samples are `[box][channel][sample]`.
public final class NetworkExecutor<Scalar: KernelScalar> {
  /// The network.
  public let network: Network
  /// The samples of a shard.
  public let samples: Int
  /// The values; the first is the input, to be filled by the caller.
  public let values: [AlignedBuffer<Scalar>]
  /// The plans of the layers.
  public let plans: [LayerPlan<Scalar>]
  private let gradients: [AlignedBuffer<Scalar>?]
  private let entries: [AlignedBuffer<Scalar>]
  private let packed: [AlignedBuffer<Scalar>]
  private let transposed: AlignedBuffer<Scalar>

  /// Plans a network.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - samples: The samples of a shard, a positive multiple of 16.
  ///   - forTraining: Whether gradients will be asked for.
  ///   - provider: Which library multiplies.
  public init(
    _ network: Network, samples: Int, forTraining: Bool = true,
    provider: ProductProvider = .automatic
  ) {
    self.network = network
    self.samples = samples
    values = network.values.map {
      AlignedBuffer(repeating: 0, count: $0.layout.channelCount * samples)
    }

    // A term of a sum has the gradient of the sum: they share a buffer.
    var gradients = [AlignedBuffer<Scalar>?](repeating: nil, count: network.values.count)
    // The last layer that reads a value is the first to write the value's gradient.
    var isWritten = [Bool](repeating: false, count: network.values.count)
    var plans: [LayerPlan<Scalar>] = []
    for item in network.layers.reversed() {
      if forTraining && gradients[item.target] == nil {
        gradients[item.target] = AlignedBuffer(
          repeating: 0, count: values[item.target].count)
      }
      if let addend = item.addend { gradients[addend] = gradients[item.target] }
      plans.append(
        LayerPlan(
          item.layer, samples: samples, parameterStart: item.parameterStart,
          needsInputGradient: forTraining && item.source != 0,
          accumulatesInput: isWritten[item.source], provider: provider))
      isWritten[item.source] = true
    }
    self.plans = plans.reversed()
    self.gradients = gradients
    entries = self.plans.map { AlignedBuffer(repeating: 0, count: $0.entryScratchCount) }
    packed = self.plans.map { AlignedBuffer(repeating: 0, count: $0.packedWeightCount) }
    let largest = network.layers.map { $0.layer.source.channelCount }.max() ?? 0
    transposed = AlignedBuffer(repeating: 0, count: forTraining ? largest * samples : 0)
  }

  /// The input, to be filled before a forward pass.
  public var input: AlignedBuffer<Scalar> { values[0] }

  /// The output of the last forward pass.
  public var output: AlignedBuffer<Scalar> { values[network.output] }

  /// The gradient with respect to the output, to be filled before a backward pass.
  ///
  /// - Precondition: The executor was made for training.
  public var outputGradient: AlignedBuffer<Scalar> {
    guard let gradient = gradients[network.output] else {
      preconditionFailure("an executor that was not made for training has no gradients")
    }
    return gradient
  }

  /// The floating-point operations of the products of a forward pass over one shard.
  public var forwardFlops: Int { plans.reduce(0) { $0 + $1.forwardFlops } }

  /// The floating-point operations of the products of a backward pass over one shard.
  public var backwardFlops: Int { plans.reduce(0) { $0 + $1.backwardFlops } }

  /// Takes note of changed parameters; needed before a backward pass.
  ///
  /// - Parameter parameters: The parameters.
  public func parametersChanged(_ parameters: Span<Scalar>) {
    for index in plans.indices {
      let buffer = packed[index]
      var span = buffer.mutableSpan
      plans[index].packWeights(parameters, into: &span)
    }
  }

  /// Computes the output of the input.
  ///
  /// - Parameter parameters: The parameters.
  public func forward(_ parameters: Span<Scalar>) {
    for (index, item) in network.layers.enumerated() {
      let (source, target, scratch) = (values[item.source], values[item.target], entries[index])
      var entrySpan = scratch.mutableSpan
      var targetSpan = target.mutableSpan
      if let addend = item.addend {
        let term = values[addend]
        plans[index].forward(
          parameters: parameters, source: source.span, adding: term.span, entries: &entrySpan,
          target: &targetSpan)
      } else {
        plans[index].forward(
          parameters: parameters, source: source.span, entries: &entrySpan, target: &targetSpan)
      }
    }
  }

  /// Computes the gradient with respect to all parameters.
  ///
  /// ``outputGradient`` must hold the gradient with respect to the output of the last forward pass.
  ///
  /// - Parameter gradient: The gradient with respect to the parameters, replaced.
  public func backward(into gradient: inout MutableSpan<Scalar>) {
    let transposed = transposed
    var transposedValue = -1
    for (index, item) in network.layers.enumerated().reversed() {
      guard let targetGradient = gradients[item.target] else { continue }
      let plan = plans[index]
      let (source, target) = (values[item.source], values[item.target])
      let (scratch, packedWeights) = (entries[index], packed[index])
      var targetSpan = targetGradient.mutableSpan
      var entrySpan = scratch.mutableSpan
      plan.gradientBeforeActivation(
        target: target.span, gradient: &targetSpan, entries: &entrySpan)
      if transposedValue != item.source {
        var span = transposed.mutableSpan
        plan.transposeSource(source.span, into: &span)
        transposedValue = item.source
      }
      plan.parameterGradient(
        sourceTransposed: transposed.span, gradient: targetGradient.span, entries: scratch.span,
        into: &gradient)
      if item.source != 0, let sourceGradient = gradients[item.source] {
        var span = sourceGradient.mutableSpan
        plan.inputGradient(
          packed: packedWeights.span, gradient: targetGradient.span, entries: scratch.span,
          sourceGradient: &span)
      }
    }
  }
}
