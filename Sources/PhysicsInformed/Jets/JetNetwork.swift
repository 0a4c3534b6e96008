public import BlockKernels
public import MessagePassing

/// A network of linear layers with a function between them, with one output: sizes, without parameters.
public struct JetNetwork: Sendable {
  /// A linear layer and what follows it.
  public struct Stage: Sendable {
    /// The layer.
    public let layer: any JetLayer
    /// The function after it, if there is one; a low-rank pair has none between its layers.
    public let function: JetFunction?

    /// Creates a stage.
    ///
    /// - Parameters:
    ///   - layer: The layer.
    ///   - function: The function after it.
    public init(_ layer: any JetLayer, _ function: JetFunction?) {
      (self.layer, self.function) = (layer, function)
    }
  }

  /// The layers from the input to the output.
  public let stages: [Stage]
  /// Where the parameters of each layer begin; at the end the number of all.
  public let parameterStarts: [Int]

  /// Creates a network.
  ///
  /// - Parameter stages: The layers from the input to the output.
  /// - Precondition: Each layer reads what the one before it writes, the last one writes one channel.
  public init(stages: [Stage]) {
    precondition(stages.last?.layer.outputs == 1, "a network of \(stages.count) layers")
    for (stage, next) in zip(stages, stages.dropFirst()) {
      precondition(
        stage.layer.outputs == next.layer.inputs,
        "\(stage.layer.outputs) channels for a layer of \(next.layer.inputs)")
    }
    self.stages = stages
    parameterStarts = stages.reduce(into: [0]) {
      $0.append(($0.last ?? 0) + $1.layer.parameterCount)
    }
  }

  /// Creates a multilayer perceptron.
  ///
  /// - Parameters:
  ///   - dimension: The number of coordinates.
  ///   - width: The channels of a hidden layer.
  ///   - depth: The number of hidden layers.
  ///   - function: The function after each of them.
  /// - Throws: `RunError` (64) if there is no such network.
  public init(dimension: Int, width: Int, depth: Int, function: JetFunction) throws(RunError) {
    guard (1...4096).contains(width) else {
      throw .usage("`width` \(width): a hidden layer has 1 to 4096 channels")
    }
    guard (1...64).contains(depth) else {
      throw .usage("`depth` \(depth): a network has 1 to 64 hidden layers")
    }
    var stages: [Stage] = []
    for index in 0..<depth {
      stages.append(
        Stage(DenseJetLayer(inputs: index == 0 ? dimension : width, outputs: width), function))
    }
    stages.append(Stage(DenseJetLayer(inputs: width, outputs: 1), nil))
    self.init(stages: stages)
  }

  /// The number of coordinates that it reads.
  public var dimension: Int { stages[0].layer.inputs }
  /// The number of parameters.
  public var parameterCount: Int { parameterStarts.last ?? 0 }

  /// Returns initial parameters.
  ///
  /// - Parameter seed: The seed.
  /// - Returns: The parameters.
  public func initialParameters(seed: Int64) -> [Double] {
    stages.enumerated().flatMap { $1.layer.initialParameters(seed: seed, index: $0) }
  }
}

/// A forward and a backward pass of a network on one shard: memory and products.
///
/// Between ``forward()`` and ``backward()`` the caller reads ``output`` and writes ``seed``.
public final class JetPass {
  typealias Vectors = AlignedBuffer<Double>

  /// The network.
  public let network: JetNetwork
  /// The columns.
  public let shape: JetShape
  /// What the first layer reads, `[coordinate][column][sample]`.
  public let input: AlignedBuffer<Double>
  /// What the last layer writes, `[column][sample]`.
  public let output: AlignedBuffer<Double>
  /// The adjoint of the output, `[column][sample]`.
  public let seed: AlignedBuffer<Double>
  private let plans: [any JetLayerPlan]
  /// For each stage: what its layer read and wrote, and the adjoint of the latter.
  private let inputs: [Vectors]
  private let sums: [Vectors]
  private let adjoints: [Vectors]

  /// Makes memory for shards of a shape.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - shape: The columns.
  /// - Precondition: The network reads as many coordinates as the shape has.
  public init(_ network: JetNetwork, _ shape: JetShape) {
    precondition(
      network.dimension == shape.dimension,
      "\(shape.dimension) coordinates for a network of \(network.dimension)")
    (self.network, self.shape) = (network, shape)
    plans = network.stages.map { $0.layer.plan(shape) }
    func buffer(_ channels: Int) -> Vectors { Vectors(repeating: 0, count: channels * shape.width) }
    let sums = network.stages.map { buffer($0.layer.outputs) }
    let first = buffer(network.dimension)
    var inputs = [first]
    for (index, stage) in network.stages.enumerated().dropLast() {
      inputs.append(stage.function == nil ? sums[index] : buffer(stage.layer.outputs))
    }
    let last = network.stages[network.stages.count - 1]
    output = last.function == nil ? sums[sums.count - 1] : buffer(1)
    adjoints = network.stages.map { buffer($0.layer.outputs) }
    seed = adjoints[adjoints.count - 1]
    (self.inputs, self.sums, input) = (inputs, sums, first)
  }

  /// Takes new parameters.
  ///
  /// - Parameter parameters: The parameters.
  public func load(_ parameters: AlignedBuffer<Double>) {
    precondition(
      parameters.count >= network.parameterCount,
      "\(parameters.count) parameters of \(network.parameterCount)")
    for (plan, start) in zip(plans, network.parameterStarts) { plan.load(parameters, at: start) }
  }

  /// Computes the output from the input.
  public func forward() {
    for (index, stage) in network.stages.enumerated() {
      plans[index].forward(inputs[index], into: sums[index])
      guard let function = stage.function else { continue }
      JetKernels.apply(
        sums[index], into: index + 1 < inputs.count ? inputs[index + 1] : output,
        channels: stage.layer.outputs, shape, function)
    }
  }

  /// Computes the adjoints of all layers from the seed, which may be overwritten.
  public func backward() {
    for index in network.stages.indices.reversed() {
      let stage = network.stages[index]
      if let function = stage.function {
        JetKernels.applyAdjoint(
          sums[index], index + 1 < inputs.count ? inputs[index + 1] : output,
          in: adjoints[index], channels: stage.layer.outputs, shape, function)
      }
      if index > 0 { plans[index].adjoint(adjoints[index], into: adjoints[index - 1]) }
    }
  }

  /// Adds the gradient of all parameters after a backward pass.
  ///
  /// - Parameter gradient: The gradient, increased.
  public func addGradient(to gradient: AlignedBuffer<Double>) {
    for (index, plan) in plans.enumerated() {
      plan.addGradient(
        inputs[index], adjoints[index], to: gradient, at: network.parameterStarts[index])
    }
  }

  /// Writes the gradient of each sample by itself after a backward pass.
  ///
  /// - Parameters:
  ///   - jacobian: `[parameter][row]`.
  ///   - rows: The rows of the Jacobian.
  ///   - row: The row of the first sample.
  public func writeJacobian(into jacobian: AlignedBuffer<Double>, rows: Int, from row: Int) {
    for (index, plan) in plans.enumerated() {
      plan.writeJacobian(
        inputs[index], adjoints[index], into: jacobian, at: network.parameterStarts[index],
        rows: rows, from: row)
    }
  }

  /// Returns what layers read and the adjoints of what they wrote, in memory of its own, after a backward pass.
  ///
  /// - Returns: The factors of each layer.
  public func factors() -> [JetFactors] {
    func copy(_ values: Vectors) -> Vectors {
      let result = Vectors(repeating: 0, count: values.count)
      result.copy(from: values, at: 0, to: 0..<values.count)
      return result
    }
    return zip(inputs, adjoints).map { JetFactors(input: copy($0), outputAdjoint: copy($1)) }
  }

  /// Adds the Gram matrix ⟨Jₘ, Jₙ⟩ of the samples of two shards without the Jacobian.
  ///
  /// - Parameters:
  ///   - first: The factors of the shard of m.
  ///   - second: The factors of the shard of n.
  ///   - gram: `[n][m]`, increased.
  public func addGram(
    _ first: [JetFactors], _ second: [JetFactors], to gram: AlignedBuffer<Double>
  ) {
    for (index, plan) in plans.enumerated() {
      plan.addGram(first[index], second[index], to: gram)
    }
  }
}
