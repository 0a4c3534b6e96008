import BlockKernels
import BlockSparse
import ClusterTrees
import OperatorNetworks
import TestSupport

/// What a check found wrong.
struct CheckFailure: Error, CustomStringConvertible {
  let description: String
}

/// Stops a check on this rank unless a condition holds.
func expect(_ condition: Bool, _ text: @autoclosure () -> String) throws {
  if !condition { throw CheckFailure(description: text()) }
}

/// The networks that are checked, by name.
enum Networks {
  static let names =
    [
      "h2nn", "h2nn linear path", "h2nn 2D", "h2nn 3D", "h2nn cloud", "h2nn two clouds", "mnn-h2",
      "mnn-h2 zero", "mnn-h2 offset", "mnn-h2 mix", "conv", "dense",
      "h2nn one linear layer", "h2nn block function", "mnn-h2 block function",
      "mnn-h2 offset block function", "mnn-h2 2D", "mnn-h", "mnn-h offset", "mnn-h 2D mix",
      "h2nn block networks", "h2nn cloud block networks", "mnn-h2 offset block networks",
      "h2nn transfer layers", "mnn-h2 mix transfer function", "mnn-h transfer layers",
      "two readers",
      "h2nn skeleton",
      "h2nn skeleton two clouds", "h2nn 101", "h2nn 13x18", "mnn-h2 101",
      "mnn-h2 13x18 zero", "mnn-h 13x18", "gfmm", "gfmm weak", "gfmm zero strictly-lower",
      "gfmm offset", "gfmm 2D strong", "gfmm 2D strictly-upper", "gfmm 2D offset",
    ] + SliceNetworks.names

  /// Makes points in the unit square.
  private static func cloud(_ count: Int, seed: Int64) throws -> PointSet {
    var stream = RandomStream(seed: seed, purpose: 3, index: 0)
    return try PointSet(coordinates: (0..<2 * count).map { _ in stream.uniform() }, dimension: 2)
  }

  /// Makes a network of two layers that wait for the same boxes, of which one needs more of them.
  private static func twoReaders() -> Network {
    let layout = BoxLayout(boxes: 24, channels: 2)
    func band(_ width: Int) -> BlockPattern {
      .band(.band(gridShape: [24], width: width, periodic: true), sharing: .own)
    }
    var builder = NetworkBuilder(input: layout)
    let value = builder.add("before", from: 0, to: layout, pattern: band(1), activation: .relu)
    let narrow = builder.add("narrow", from: value, to: layout, pattern: band(1), activation: .tanh)
    let wide = builder.add("wide", from: value, to: layout, pattern: band(3), adding: narrow)
    let order = (0..<48).map { Int32($0) }
    return builder.finish(output: wide, inputOrder: order, outputOrder: order)
  }

  static func build(_ name: String) throws -> Network {
    if let network = SliceNetworks.build(name) { return network }
    var options = NetworkOptions()
    options.channels = 3
    options.linearPath = name.contains("linear")
    if name.contains("block function") { options.blockActivation = .tanh }
    if name.contains("one") { options.layers = 1 }
    options.boundary = name.contains("zero") ? .zero : .periodic
    if name.contains("block networks") { options.blockWidth = 2 }
    if name.contains("transfer layers") { options.transferLayers = 2 }
    if name.contains("transfer function") { options.transferActivation = .tanh }
    if name.contains("offset") { options.sharing = .offset }
    if name.contains("mix") { options.sharing = .mix }
    switch name {
    case "h2nn", "h2nn linear path", "h2nn one linear layer", "h2nn block function",
      "h2nn block networks", "h2nn transfer layers":
      return try Network.build(options, sources: .grid([80]))
    case _ where name.contains("101"):
      if name.hasPrefix("mnn-h2") { options.model = .mnnH2 }
      return try Network.build(options, sources: .grid([101]))
    case _ where name.contains("13x18"):
      // On level 2 leaves have 3 or 4 points by 4 or 5.
      options.levels = 2
      if name.hasPrefix("mnn-h") { options.model = name.hasPrefix("mnn-h2") ? .mnnH2 : .mnnH }
      return try Network.build(options, sources: .grid([13, 18]))
    case "h2nn 2D":
      options.leaf = 2
      return try Network.build(options, sources: .grid([16, 16]))
    case "h2nn 3D":
      options.leaf = 2
      return try Network.build(options, sources: .grid([8, 8, 8]))
    case "mnn-h2 2D", "mnn-h 2D mix":
      (options.model, options.leaf) = (name.hasPrefix("mnn-h2") ? .mnnH2 : .mnnH, 2)
      return try Network.build(options, sources: .grid([16, 16]))
    case "h2nn cloud", "h2nn cloud block networks":
      options.leaf = 3
      return try Network.build(options, sources: try cloud(70, seed: 11))
    case "h2nn two clouds":
      options.leaf = 3
      return try Network.build(
        options, sources: try cloud(70, seed: 12), receivers: try cloud(90, seed: 13))
    case "h2nn skeleton":
      // The third group is wide: its box has no far box on level 2, hence no channels.
      (options.leaf, options.skeleton, options.linearPath) = (4, .inverseDistance, true)
      let line = [(0.0, 0.01), (1.0, 0.01), (2.0, 18.0), (30.0, 0.01)].flatMap { start, width in
        (0..<16).map { start + width * Double($0) / 15 }
      }
      return try Network.build(options, sources: try PointSet(coordinates: line, dimension: 1))
    case "h2nn skeleton two clouds":
      (options.leaf, options.skeleton, options.tolerance) = (3, .logarithm, 1e-2)
      return try Network.build(
        options, sources: try cloud(70, seed: 12), receivers: try cloud(90, seed: 13))
    case _ where name.hasPrefix("gfmm"):
      options.model = .gfmm
      if let bridges = name.split(separator: " ").compactMap({ BridgePattern(rawValue: "\($0)") })
        .first
      {
        (options.bridges, options.boundary) = (bridges, .zero)
      }
      guard name.contains("2D") else { return try Network.build(options, sources: .grid([96])) }
      options.leaf = 2
      return try Network.build(options, sources: .grid([16, 16]))
    case _ where name.hasPrefix("mnn-h2"): options.model = .mnnH2
    case _ where name.hasPrefix("mnn-h"): options.model = .mnnH
    case "conv": options.model = .conv
    case "dense": options.model = .dense
    case "two readers": return twoReaders()
    default: throw CheckFailure(description: "no network has the name \(name)")
    }
    return try Network.build(options, sources: .grid([name == "conv" ? 37 : 80]))
  }
}
