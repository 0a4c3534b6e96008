import BlockKernels
import BlockSparse
import ClusterTrees
import OperatorNetworks
import Testing

@Suite("The same bits on tree ranks")
struct TreeRanksTests {
  /// Names of networks whose weights belong to rows.
  static let networks = ["h2nn", "h2nn linear path", "h2nn 2D", "h2nn cloud", "mnn-h2", "dense"]

  private func network(_ name: String) throws -> Network {
    var options = NetworkOptions()
    options.channels = 3
    options.linearPath = name.contains("linear")
    options.boundary = .periodic
    switch name {
    case "h2nn 2D":
      options.leaf = 2
      return try Network.build(options, sources: .grid([16, 16]))
    case "h2nn cloud":
      options.leaf = 3
      var stream = RandomStream(seed: 11, purpose: 3, index: 0)
      let coordinates = (0..<140).map { _ in stream.uniform() }
      return try Network.build(
        options, sources: try PointSet(coordinates: coordinates, dimension: 2))
    case "mnn-h2": options.model = .mnnH2
    case "dense": options.model = .dense
    default: break
    }
    return try Network.build(options, sources: .grid([80]))
  }

  private func check<Scalar: KernelScalar>(
    _ name: String, ranks: Int, replicated: Int, as: Scalar.Type
  ) throws {
    let network = try network(name)
    let executor = NetworkExecutor<Scalar>(network, samples: 32)
    var stream = RandomStream(seed: 5, purpose: 4, index: 0)
    func fill(_ buffer: AlignedBuffer<Scalar>) {
      for index in 0..<buffer.count { buffer[index] = Scalar(stream.normal()) }
    }
    let parameters = AlignedBuffer<Scalar>(repeating: 0, count: network.activeParameterCount)
    fill(parameters)
    fill(executor.input)
    fill(executor.outputGradient)
    let gradient = AlignedBuffer<Scalar>(repeating: 0, count: parameters.count)
    // The backward pass changes the gradient of the output in place.
    let outputGradient = AlignedBuffer<Scalar>(
      repeating: 0, count: executor.outputGradient.count)
    for index in 0..<outputGradient.count {
      outputGradient[index] = executor.outputGradient[index]
    }
    var gradientSpan = gradient.mutableSpan
    executor.parametersChanged(parameters.span)
    executor.forward(parameters.span)
    executor.backward(into: &gradientSpan)

    let tree = TreeRanks<Scalar>(
      network, ranks: ranks, samples: 32, replicatedBoxes: replicated)
    tree.forward(input: executor.input, parameters: parameters.array())
    #expect(tree.output() == executor.output.array())
    tree.backward(outputGradient: outputGradient, parameters: parameters.array())
    var owners = [Int](repeating: 0, count: parameters.count)
    for rank in tree.ranks {
      let (places, own) = (tree.parameterPlaces(rank), tree.gradient(rank))
      #expect(places.count == own.count)
      #expect(zip(places, own).allSatisfy { gradient[$0] == $1 }, "rank \(rank)")
      for place in places { owners[place] += 1 }
    }
    #expect(owners.allSatisfy { $0 >= 1 })
    // What is not replicated has one owner.
    if replicated == 0 { #expect(owners.allSatisfy { $0 == 1 }) }
  }

  @Test("output and gradients are those of one rank", arguments: networks, [1, 2, 3, 4, 5, 7])
  func floatBits(name: String, ranks: Int) throws {
    try check(name, ranks: ranks, replicated: 0, as: Float.self)
  }

  @Test("replicated levels change no bit", arguments: networks, [2, 3, 5])
  func replicated(name: String, ranks: Int) throws {
    try check(name, ranks: ranks, replicated: 9, as: Float.self)
    try check(name, ranks: ranks, replicated: 9, as: Double.self)
  }

  @Test("more ranks than boxes are idle", arguments: networks)
  func idle(name: String) throws {
    try check(name, ranks: 40, replicated: 0, as: Double.self)
  }
}
