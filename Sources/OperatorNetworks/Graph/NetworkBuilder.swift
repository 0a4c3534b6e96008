public import BlockKernels
public import BlockSparse

/// Builds a network layer by layer.
public struct NetworkBuilder {
  /// The values so far; the first is the input.
  private(set) var values: [NetworkValue]
  /// Whether boxes without channels are left out of the patterns of parts, whose blocks are own then.
  let skipsEmptyBoxes: Bool
  private var layers: [NetworkLayer] = []
  /// The slices of the parameters so far.
  private(set) var slices: [ParameterSlice] = []
  private var isAddend: [Bool] = [false]

  /// Starts a network.
  ///
  /// Its boxes are the places of the axis along which the network is spread over ranks.
  ///
  /// - Parameter layout: The boxes of its input.
  public init(input layout: BoxLayout) { self.init(input: layout, skipsEmptyBoxes: false) }

  /// Starts a network on the parameters of another one, so that both can be trained on one store.
  ///
  /// - Parameters:
  ///   - layout: The boxes of its input, as many as the other network has places.
  ///   - network: The network whose slices it begins with.
  public init(input layout: BoxLayout, sharing network: Network) {
    self.init(input: layout)
    precondition(
      network.values[0].layout.boxCount == layout.boxCount,
      "networks on axes of \(layout.boxCount) and \(network.values[0].layout.boxCount) places")
    slices = network.slices
  }

  /// Adds a copy of each slice, in their order, behind all.
  ///
  /// - Parameter suffix: What stands behind the names of the copies.
  mutating func addCopiesOfSlices(suffix: String) {
    let end = slices.last?.biases.upperBound ?? 0
    slices += slices.map {
      ParameterSlice(
        name: $0.name + suffix, shape: $0.shape, places: $0.places, sourcePlaces: $0.sourcePlaces,
        start: end + $0.start)
    }
  }

  /// Starts a network some of whose boxes may have no channels.
  init(input layout: BoxLayout, skipsEmptyBoxes: Bool) {
    self.skipsEmptyBoxes = skipsEmptyBoxes
    values = [NetworkValue(name: "input", layout: layout, places: Array(0...layout.boxCount))]
  }

  /// Adds a layer.
  ///
  /// - Parameters:
  ///   - name: The name of the layer and of the value that it writes.
  ///   - source: The value that it reads.
  ///   - target: The boxes that it writes.
  ///   - pattern: The pattern between them.
  ///   - activation: f.
  ///   - blockActivation: h.
  ///   - addend: A value to be added to the product, under f, which nothing else reads.
  ///   - places: The first place of each box on the axis and the length of the axis; if nil, the boxes
  ///     share it evenly.
  ///   - hasBias: Whether each output has a bias.
  /// - Returns: The value that the layer writes.
  public mutating func add(
    _ name: String, from source: Int, to target: BoxLayout, pattern: BlockPattern,
    activation: Activation = .identity, blockActivation: Activation = .identity,
    adding addend: Int? = nil, places: [Int]? = nil, hasBias: Bool = true
  ) -> Int {
    let layer = BlockSparseLayer(
      name: name, source: values[source].layout, target: target, pattern: pattern,
      activation: activation, blockActivation: blockActivation, hasBias: hasBias)
    let places = places ?? evenPlaces(of: target)
    precondition(!slices.contains { $0.name == name }, "\(name): a slice has this name already")
    // The shape of the weights has no functions.
    let shape =
      blockActivation == .identity
      ? layer
      : BlockSparseLayer(
        name: name, source: layer.source, target: target, pattern: pattern, hasBias: hasBias)
    slices.append(
      ParameterSlice(
        name: name, shape: shape, places: places, sourcePlaces: values[source].places,
        start: slices.last?.biases.upperBound ?? 0))
    return add(layer, from: source, adding: addend, places: places, SliceUse(slices.count - 1))
  }

  /// Adds a layer that uses parameters which are there already.
  ///
  /// - Parameters:
  ///   - name: The name of the layer and of the value that it writes.
  ///   - use: The parameters.
  ///   - source: The value that it reads.
  ///   - activation: f.
  ///   - blockActivation: h, of a plain layer.
  ///   - addend: A value to be added to the product, under f, which nothing else reads.
  ///   - places: The first place of each box on the axis and the length of the axis; those with which the slice was made if
  ///     nil.
  ///   - hasBias: Whether a plain layer adds the biases of the slice.
  /// - Returns: The value that the layer writes.
  /// - Precondition: The boxes and their places fit the slice.
  public mutating func add(
    _ name: String, using use: SliceUse, from source: Int, activation: Activation = .identity,
    blockActivation: Activation = .identity, adding addend: Int? = nil, places: [Int]? = nil,
    hasBias: Bool = false
  ) -> Int {
    let slice = slices[use.slice]
    let shape = slice.shape
    precondition(!hasBias || shape.hasBias, "\(name): \(slice.name) has no biases")
    switch use.form {
    case .plain:
      precondition(values[source].layout == shape.source, "\(name): other boxes than \(slice.name)")
      let layer = BlockSparseLayer(
        name: name, source: shape.source, target: shape.target, pattern: shape.pattern,
        activation: activation, blockActivation: blockActivation, hasBias: hasBias)
      precondition(
        places == nil || places == slice.places, "\(name): rows at other places than \(slice.name)")
      return add(layer, from: source, adding: addend, places: slice.places, use)
    case .transposed:
      precondition(values[source].layout == shape.target, "\(name): other boxes than \(slice.name)")
      precondition(
        !hasBias && blockActivation == .identity,
        "\(name): a transposed layer with biases or a function of each block")
      precondition(
        values[source].places == slice.places, "\(name): rows at other places than \(slice.name)")
      return add(
        shape.transposed(name, activation: activation), from: source, adding: addend,
        places: places ?? slice.sourcePlaces, use)
    }
  }

  /// Adds a layer and the value that it writes.
  private mutating func add(
    _ layer: BlockSparseLayer, from source: Int, adding addend: Int?, places: [Int],
    _ use: SliceUse
  ) -> Int {
    let (name, target) = (layer.name, layer.target)
    precondition(!isAddend[source], "\(name): \(values[source].name) is added elsewhere")
    if let addend {
      precondition(values[addend].layout == target, "\(name): an addend of other boxes")
      precondition(
        addend != 0 && !isAddend[addend] && !layers.contains { $0.source == addend },
        "\(name): \(values[addend].name) is used elsewhere")
      isAddend[addend] = true
    }
    let axis = values[0].layout.boxCount
    precondition(
      places.count == target.boxCount + 1 && places.last == axis,
      "\(name): \(places.count) places for \(target.boxCount) boxes on an axis of \(axis)")
    values.append(NetworkValue(name: name, layout: target, places: places))
    isAddend.append(false)
    layers.append(
      NetworkLayer(
        layer: layer, source: source, addend: addend, target: values.count - 1, weights: use))
    return values.count - 1
  }

  /// Returns places of boxes that share the axis evenly.
  func evenPlaces(of layout: BoxLayout) -> [Int] {
    let axis = values[0].layout.boxCount
    return (0...layout.boxCount).map { $0 * axis / layout.boxCount }
  }

  /// Ends the network.
  ///
  /// - Parameters:
  ///   - output: The value that is the output.
  ///   - inputOrder: For each channel of the input: the index of its point in the data.
  ///   - outputOrder: For each channel of the output: the index of its point in the data.
  /// - Returns: The network.
  public func finish(output: Int, inputOrder: [Int32], outputOrder: [Int32]) -> Network {
    precondition(
      inputOrder.count == values[0].layout.channelCount
        && outputOrder.count == values[output].layout.channelCount,
      "orders of \(inputOrder.count) and \(outputOrder.count) points")
    precondition(
      !isAddend[output] && !layers.contains { $0.source == output },
      "the output \(values[output].name) is read inside of the network")
    return Network(
      values: values, layers: layers, slices: slices, output: output, inputOrder: inputOrder,
      outputOrder: outputOrder)
  }
}
