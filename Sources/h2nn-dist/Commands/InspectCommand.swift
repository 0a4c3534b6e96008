import BlockKernels
import BlockSparse
import ClusterTrees
import Datasets
import Foundation
import MessagePassing
import OperatorNetworks
import Training

/// `inspect`: the tree, the lists and the parameters of a network, without training it.
struct InspectCommand: Command {
  let arguments: Arguments
  let options: NetworkOptions
  let shape: [Int]
  let grid: GridReport

  init(_ arguments: Arguments) throws(RunError) {
    self.arguments = arguments
    options = try arguments.networkOptions()
    shape = try arguments.shape("points") ?? PointDescription.standardShape
    grid = try GridReport(arguments)
  }

  /// Prints.
  ///
  /// Not collective: needs no MPI.
  func run() throws -> Int32 {
    guard Voice.speaks else { return 0 }
    try Voice.checkPlace(of: "summary", arguments)
    if let remark = options.unusedRemark { Voice.note(remark) }
    try checkMemory()
    let (sources, receivers) = try points()
    let network: Network
    let leaf: String?
    var trees: (sources: ClusterTree, receivers: ClusterTree?)?
    do {
      network = try Network.build(options, sources: sources, receivers: receivers)
      leaf = try options.leafDescription(sources: sources, receivers: receivers)
      if options.model != .conv && options.model != .dense {
        trees = try Network.trees(options, sources: sources, receivers: receivers)
      }
    } catch {
      throw RunError(error)
    }
    if let remark = options.farFieldRemark(on: network) { Voice.note(remark) }
    Voice.say(
      "\(options.model.rawValue) on \(PointDescription(sources).text)"
        + (leaf.map { ": \($0)" } ?? ""))
    if let trees {
      printTree("tree", trees.sources)
      if let receivers = trees.receivers { printTree("tree of the outputs", receivers) }
    }
    if let skeleton = network.skeleton {
      printRanks("ranks of the sources", skeleton.sources)
      if skeleton.receivers != skeleton.sources {
        printRanks("ranks of the receivers", skeleton.receivers)
      }
    }
    printLayers(network)
    printLists(network, areWhole: arguments.has("lists"))
    Voice.say("\nparameters         \(network.parameterCount)")
    Voice.say("active parameters  \(network.activeParameterCount)")
    let bytes = network.activeParameterCount * precision
    Voice.say("memory of them     \(Voice.short(Double(bytes) / 1e6)) MB")
    var summary: [String: Any] =
      [
        "parameters": network.parameterCount,
        "active_parameters": network.activeParameterCount, "parameter_bytes": bytes,
        "layers": network.layers.map { item in
          let layer = item.layer
          return [
            "name": layer.name,
            "parameters": layer.parameterCount + layer.paddedParameterCount,
            "active_parameters": layer.parameterCount, "weights": layer.weightCount,
            "biases": layer.biasCount, "entries": layer.pattern.entryCount,
            "source_boxes": layer.source.boxCount, "target_boxes": layer.target.boxCount,
            "activation": layer.activation.rawValue,
          ] as [String: Any]
        },
      ]
    if let skeleton = network.skeleton {
      summary["ranks"] = ["sources": skeleton.sources, "receivers": skeleton.receivers]
    }
    if let plan = grid.plan(network) { summary["grid"] = plan }
    if arguments.has("scaling") {
      let report = ScalingReport(report: grid, network: network) { (factor) throws(RunError) in
        try enlarged(factor)
      }
      summary["scaling"] = try report.tables()
    }
    try Voice.summarize(summary, to: arguments.text("summary"))
    return 0
  }

  /// Refuses a grid whose tree and lists no memory holds.
  ///
  /// - Throws: `RunError` (64) with what they need.
  private func checkMemory() throws(RunError) {
    guard arguments.text("data") == nil else { return }
    let bytes: Double
    do {
      bytes = try options.bytesOfLists(onGrid: shape)
    } catch {
      throw RunError(error)
    }
    let memory = Double(ProcessInfo.processInfo.physicalMemory)
    guard bytes > memory else { return }
    throw .usage(
      "--points \(shape.map(String.init).joined(separator: "x")): the tree and the lists of the network need about "
        + "\(Voice.short(bytes / 1e9)) GB; this machine has \(Voice.short(memory / 1e9)) GB")
  }

  /// Builds the network on a grid with more points along its first dimension; nil for other points.
  private func enlarged(_ factor: Int) throws(RunError) -> Network? {
    guard arguments.text("data") == nil else { return nil }
    do {
      return try Network.build(
        options, sources: .grid([shape[0] * factor] + shape.dropFirst()))
    } catch {
      throw RunError(error)
    }
  }

  private func points() throws -> (inputs: PointSet, outputs: PointSet?) {
    guard let path = arguments.text("data") else { return (.grid(shape), nil) }
    return try Dataset.points(path, layout: try arguments.layout())
  }

  private func printTree(_ title: String, _ tree: ClusterTree) {
    Voice.say("\n\(title): \(tree.levels) levels below the root")
    Voice.say("  level    boxes  points per box      side")
    for level in 0...tree.levels {
      let count = tree.boxCount(level: level)
      let sizes = (0..<count).map { tree.pointRange(level: level, box: $0).count }
      let sides = (0..<count).map { tree.extent(level: level, box: $0) }
      let (small, large) = (sizes.min() ?? 0, sizes.max() ?? 0)
      let range = small == large ? "\(small)" : "\(small)…\(large)"
      Voice.say(
        "  \(String(level).aligned(to: 5))\(String(count).aligned(to: 9))"
          + "\(range.aligned(to: 16))\(Voice.short(sides.max() ?? 0).aligned(to: 10))")
    }
  }

  /// The bytes of a number.
  private var precision: Int { grid.precision == .float ? 4 : 8 }

  /// Prints the ranks of the bases of each level.
  private func printRanks(_ title: String, _ ranks: [[Int]]) {
    Voice.say("\n\(title)")
    Voice.say("  level    boxes  with a basis  smallest      mean   largest")
    for (level, all) in ranks.enumerated() {
      let bases = all.filter { $0 > 0 }
      guard let small = bases.min(), let large = bases.max() else { continue }
      let mean = Double(bases.reduce(0, +)) / Double(bases.count)
      let cells = [
        ("\(level)", 7), ("\(all.count)", 9), ("\(bases.count)", 14), ("\(small)", 10),
        (Voice.short(mean), 10), ("\(large)", 10),
      ]
      Voice.say(cells.map { $0.0.aligned(to: $0.1) }.joined())
    }
  }

  /// Prints the sizes of the lists of the near field and of each bridge, or the lists themselves.
  private func printLists(_ network: Network, areWhole: Bool) {
    Voice.say("\nlists")
    for item in network.layers {
      let layer = item.layer
      guard let list = listName(layer.name) else { continue }
      // A hidden box of a block is counted as the box that it reads.
      let hidden = network.layers.first { $0.layer.name == "\(layer.name).hidden" }?.layer.pattern
      let pairs = layer.pattern.entryCount
      Voice.say("  \(list.padded(to: 12))\(pairs) pairs of boxes")
      for row in 0..<(areWhole ? layer.target.boxCount : 0) {
        let sources = layer.pattern.entries(of: row).map {
          "\(hidden?.sources[$0] ?? layer.pattern.sources[$0])"
        }
        Voice.say("\(String(row).aligned(to: 8)): \(sources.joined(separator: " "))")
      }
    }
  }

  /// Returns what the pattern of a layer is called, if it is the first of a near field or a bridge.
  private func listName(_ layer: String) -> String? {
    if layer.hasPrefix("restriction") || layer.hasPrefix("interpolation") { return nil }
    // This one has a single layer for each part, so numbers are those of levels.
    if options.model == .gfmm { return layer }
    return layer.hasSuffix(".1") ? String(layer.dropLast(2)) : nil
  }

  private func printLayers(_ network: Network) {
    let width = max(22, (network.layers.map(\.layer.name.count).max() ?? 0) + 2)
    Voice.say(
      "\n\("layer".padded(to: width))\("boxes".padded(to: 16))\("channels".padded(to: 14))"
        + "\("sources per box".padded(to: 17))\("activation".padded(to: 12))parameters")
    for item in network.layers {
      let layer = item.layer
      let counts = (0..<layer.target.boxCount).map { layer.pattern.entries(of: $0).count }
      let (few, many) = (counts.min() ?? 0, counts.max() ?? 0)
      let boxes = "\(layer.source.boxCount) → \(layer.target.boxCount)"
      let channels = "\(range(layer.source)) → \(range(layer.target))"
      let sources = few == many ? "\(few)" : "\(few)…\(many)"
      Voice.say(
        layer.name.padded(to: width) + boxes.padded(to: 16) + channels.padded(to: 14)
          + sources.padded(to: 17) + layer.activation.rawValue.padded(to: 12)
          + "\(layer.parameterCount + layer.paddedParameterCount)")
    }
  }

  /// Describes the channels of boxes, from the fewest to the most.
  private func range(_ layout: BoxLayout) -> String {
    let channels = (0..<layout.boxCount).map { layout.channels(of: $0) }
    let (few, many) = (channels.min() ?? 0, channels.max() ?? 0)
    return few == many ? "\(few)" : "\(few)…\(many)"
  }
}
