import BlockKernels
public import BlockSparse

// The parts that the networks over a cluster tree have in common: bridges and near fields, transfers up
// and down.

extension NetworkBuilder {
  /// Adds the K layers of a bridge or a near field, and beside them the linear path if it is asked for.
  ///
  /// - Parameters:
  ///   - name: The name of the part; its layers are numbered from 1.
  ///   - source: The value that it reads.
  ///   - layout: The boxes that it writes.
  ///   - options: The layers, their functions and the width of the networks in the blocks.
  ///   - pattern: The pattern of layer k.
  ///   - endsWithActivation: Whether the last layer has an activation.
  ///   - places: The first place of each box on the axis and the length of the axis.
  /// - Returns: The value that the last layer writes.
  mutating func addChain(
    _ name: String, from source: Int, to layout: BoxLayout, options: NetworkOptions,
    pattern: (Int) -> BlockPattern, endsWithActivation: Bool, places: [Int]? = nil
  ) -> Int {
    var value = source
    for k in 1...options.layers {
      let isLinear = k == options.layers && !endsWithActivation
      value = addBlocks(
        "\(name).\(k)", from: value, to: layout, options: options,
        pattern: kept(pattern(k), from: value, to: layout, seesItself: k > 1),
        activation: isLinear ? .identity : options.activation, places: places)
    }
    guard options.linearPath else { return value }
    return add(
      "\(name).linear", from: source, to: layout,
      pattern: kept(pattern(1), from: source, to: layout), adding: value, places: places)
  }

  /// Returns a pattern without boxes that have no channels, if there are such.
  ///
  /// A row that loses all its sources sees itself in the further layers of a bridge, so that nothing is lost of what
  /// the first layer brought.
  private func kept(
    _ pattern: BlockPattern, from source: Int, to layout: BoxLayout, seesItself: Bool = false
  ) -> BlockPattern {
    skipsEmptyBoxes
      ? pattern.withoutEmptyBoxes(values[source].layout, layout, seesItself: seesItself) : pattern
  }

  /// Adds a layer whose blocks are matrices, or small networks x ↦ W₂ f(W₁ x + b₁) if they have a width.
  ///
  /// A network takes two layers. The value between them has a box for each block, which stands at the
  /// place of its target: so a rank computes the networks of the rows that it owns.
  private mutating func addBlocks(
    _ name: String, from source: Int, to layout: BoxLayout, options: NetworkOptions,
    pattern: BlockPattern, activation: Activation, places: [Int]?
  ) -> Int {
    guard let width = options.blockWidth, pattern.entryCount > 0 else {
      return add(
        name, from: source, to: layout, pattern: pattern, activation: activation,
        blockActivation: options.blockActivation, places: places)
    }
    let (first, second) = pattern.withHiddenBoxes()
    let rowPlaces = places ?? evenPlaces(of: layout)
    let hiddenPlaces = (0..<pattern.targetCount).flatMap { row in
      [Int](repeating: rowPlaces[row], count: pattern.entries(of: row).count)
    }
    let hidden = add(
      "\(name).hidden", from: source, to: BoxLayout(boxes: pattern.entryCount, channels: width),
      pattern: first, activation: options.activation,
      places: hiddenPlaces + [rowPlaces[rowPlaces.count - 1]])
    return add(
      name, from: hidden, to: layout, pattern: second, activation: activation,
      blockActivation: options.blockActivation, places: places)
  }

  /// Adds a layer whose blocks are products U_e V_eᵀ of a rank of their own, as two layers one behind the other.
  ///
  /// The value between them has a box of `ranks[e]` channels for each entry e, at the place of its target. Neither layer has
  /// biases or functions.
  ///
  /// - Parameters:
  ///   - name: The name; the layer of the Vᵀ has `.hidden` behind it.
  ///   - source: The value that it reads.
  ///   - layout: The boxes that it writes.
  ///   - pattern: The pattern, in which every entry has a block to itself.
  ///   - ranks: The rank of each entry's block; a block of rank zero is zero.
  ///   - addend: A value to be added to the product.
  ///   - places: The first place of each box on the axis and the length of the axis.
  /// - Returns: The value that the second layer writes.
  /// - Precondition: There is a rank for each entry.
  public mutating func addLowRank(
    _ name: String, from source: Int, to layout: BoxLayout, pattern: BlockPattern, ranks: [Int],
    adding addend: Int? = nil, places: [Int]? = nil
  ) -> Int {
    precondition(
      ranks.count == pattern.entryCount,
      "\(name): \(ranks.count) ranks of \(pattern.entryCount) blocks")
    let (first, second) = pattern.withHiddenBoxes()
    let rowPlaces = places ?? evenPlaces(of: layout)
    let hiddenPlaces = (0..<pattern.targetCount).flatMap { row in
      [Int](repeating: rowPlaces[row], count: pattern.entries(of: row).count)
    }
    let hidden = add(
      "\(name).hidden", from: source, to: BoxLayout(channels: ranks), pattern: first,
      places: hiddenPlaces + [rowPlaces[rowPlaces.count - 1]], hasBias: false)
    return add(
      name, from: hidden, to: layout, pattern: second, adding: addend, places: places,
      hasBias: false)
  }

  /// Adds the K′ layers of a transfer up, of which the first leads to the boxes above.
  ///
  /// All have the transfers' function, but for the last layer of a transfer from points (Fan et al. 2019,
  /// algorithm 4, lines 6 to 9, and section 5).
  ///
  /// - Parameters:
  ///   - name: The name; if there are several layers, they are numbered from 1.
  ///   - source: The value that it reads.
  ///   - layout: The boxes that it writes.
  ///   - options: The layers and their function.
  ///   - pattern: The pattern from the boxes to those above.
  ///   - sharing: Who owns the weights of the further layers.
  ///   - isLeaf: Whether it reads the points.
  ///   - places: The first place of each box on the axis and the length of the axis.
  /// - Returns: The value that the last layer writes.
  mutating func addRestriction(
    _ name: String, from source: Int, to layout: BoxLayout, options: NetworkOptions,
    pattern: BlockPattern, sharing: Sharing, isLeaf: Bool, places: [Int]? = nil
  ) -> Int {
    let (layers, activation) = options.transfers
    var value = source
    for k in 1...layers {
      value = add(
        layers == 1 ? name : "\(name).\(k)", from: value, to: layout,
        pattern: kept(
          k == 1 ? pattern : .diagonal(layout.boxCount, sharing: sharing), from: value, to: layout),
        activation: isLeaf && k == layers ? .identity : activation, places: places)
    }
    return value
  }

  /// Adds the K′ layers of a transfer down, of which the last leads to the boxes below.
  ///
  /// All have the transfers' function, but for the last layer of a transfer to points (Fan et al. 2019,
  /// algorithm 4, lines 16 to 22, and section 5). Of the last layer it stands on the product alone, since
  /// biases and what the bridge brought come after it: f(W x) + b + ζ.
  ///
  /// - Parameters:
  ///   - name: The name; if there are several layers, they are numbered from 1.
  ///   - source: The value that it reads.
  ///   - layout: The boxes that it writes.
  ///   - options: The layers and their function.
  ///   - pattern: The pattern from the boxes to those below.
  ///   - sharing: Who owns the weights of the other layers.
  ///   - isLeaf: Whether it writes the points.
  ///   - addend: A value to be added to what it writes.
  ///   - places: The first place of each box on the axis and the length of the axis.
  /// - Returns: The value that the last layer writes.
  mutating func addInterpolation(
    _ name: String, from source: Int, to layout: BoxLayout, options: NetworkOptions,
    pattern: BlockPattern, sharing: Sharing, isLeaf: Bool, adding addend: Int?,
    places: [Int]? = nil
  ) -> Int {
    let (layers, activation) = options.transfers
    var value = source
    for k in 1..<layers {
      let above = values[source]
      value = add(
        "\(name).\(k)", from: value, to: above.layout,
        pattern: kept(
          .diagonal(above.layout.boxCount, sharing: sharing), from: value, to: above.layout),
        activation: activation, places: above.places)
    }
    return add(
      layers == 1 ? name : "\(name).\(layers)", from: value, to: layout,
      pattern: kept(pattern, from: value, to: layout),
      blockActivation: isLeaf ? .identity : activation, adding: addend, places: places)
  }
}
