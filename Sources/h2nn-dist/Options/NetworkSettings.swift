import BlockKernels
import MessagePassing
import OperatorNetworks
import Training

extension Setting<NetworkOptions> {
  /// The most channels of a box, and of what is hidden in a block: numbers of parameters stay far below 2⁶³.
  private static var mostChannels: Int { 1 << 16 }
  /// The most hidden channels of `dense`.
  private static var mostWidth: Int { 1 << 24 }
  /// The most layers of a part of a network.
  private static var mostLayers: Int { 1000 }

  /// The options of a network.
  static let network: [Setting] = [
    .choice("model", "NAME", "h2nn, mnn-h2, mnn-h, gfmm, conv or dense", \.model),
    .choice(
      "sharing", "NAME", "mnn-h2, mnn-h, gfmm: own (LC), offset (CNN) or mix weights", \.sharing),
    .choice(
      "bridges", "NAME",
      "gfmm: \(BridgePattern.allCases.map(\.rawValue).joined(separator: ", "))", \.bridges,
      standard: BridgePattern.usual.rawValue),
    .integer(
      "channels", "r", "channels of a box, or of a point for conv", \.channels,
      atMost: mostChannels),
    Setting(
      "coarse-channels", "a,b,…",
      "channels above the leaves, level by level upwards, the last for all further",
      \.coarseChannels, standard: "r"
    ) { (arguments) throws(RunError) in
      try arguments.counts("coarse-channels", atMost: mostChannels).map { .some($0) }
    },
    Setting(
      "skeleton", "KERNEL",
      "channels by rank: inverse-distance, exponential-integral:μ, log, gaussian:ℓ, custom-operator",
      \.skeleton, standard: "uniform"
    ) { (arguments) throws(RunError) in try arguments.skeleton() },
    .real(
      "tolerance", "ε", "skeleton: singular values up to ε times the largest are left out",
      \.tolerance, 0...1, standard: Voice.exact(Skeleton.usualTolerance)),
    .integer(
      "rank-limit", "n", "skeleton: most channels of a box", \.rankLimit, standard: "none"),
    .integer(
      "layers", "K", "layers of bridges, near field, conv and dense", \.layers,
      atMost: mostLayers),
    .integer(
      "leaf", "m", "points of a leaf, per dimension on grids; conv: half the window", \.leaf,
      standard: "chosen from the grid, 4 to 8, gfmm: r or more; clouds and conv: 5"),
    .integer(
      "levels", "L", "levels below the root, instead of --leaf; 2^L need not divide a grid",
      \.levels, atLeast: 0, standard: "chosen from the grid"),
    .real(
      "admissibility", "ϱ", "h2nn: boxes further apart than ϱ sides are far", \.admissibility,
      0...1e6),
    .choice("boundary", "NAME", "mnn-h2, mnn-h, gfmm, conv: zero or periodic", \.boundary),
    .flag(
      "linear-path", "a linear layer beside each bridge and the near field", \.linearPath),
    .choice("activation", "NAME", "relu, tanh, sigmoid, elu or identity", \.activation),
    .choice(
      "block-activation", "NAME", "function of each block's product in near field and bridges",
      \.blockActivation),
    .integer(
      "block-width", "w", "blocks of near field and bridges are networks with w hidden channels",
      \.blockWidth, atMost: mostChannels, standard: "matrices"),
    .integer(
      "transfer-layers", "n", "layers of each transfer up and down", \.transferLayers,
      atMost: mostLayers, standard: "1"),
    .choice(
      "transfer-activation", "NAME", "function of the transfers", \.transferActivation,
      standard: "identity, or --activation if there are several layers"),
    .integer(
      "width", "n", "dense: hidden channels", \.width, atMost: mostWidth,
      standard: "number of points"),
  ]
}

extension Arguments {
  /// Returns the network that the options describe.
  ///
  /// - Parameter standard: The network that is described where nothing is given.
  /// - Returns: The network.
  /// - Throws: `RunError` (64) if a text is no value of its option.
  func networkOptions(
    standard: NetworkOptions = NetworkOptions()
  ) throws(RunError) -> NetworkOptions {
    var options = standard
    try read(Setting<NetworkOptions>.network, into: &options)
    // The default is no function that was asked for.
    if options.model == .gfmm, let name = text("activation"), options.activation != .identity {
      throw .usage("--activation \(name) with --model gfmm: it is linear; leave it out")
    }
    return options
  }

  fileprivate func skeleton() throws(RunError) -> SkeletonKernel?? {
    guard let text = text("skeleton"), text != "uniform" else { return nil }
    guard let kernel = SkeletonKernel(rawValue: text) else {
      let known = ["uniform"] + SkeletonKernel.names
      let hint = Suggestion.nearest(to: text, among: known).map { "; did you mean \($0)?" } ?? ""
      throw .usage("--skeleton \(text): needed is one of \(known.joined(separator: ", "))\(hint)")
    }
    return .some(kernel)
  }
}
