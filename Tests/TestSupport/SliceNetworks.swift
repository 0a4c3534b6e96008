public import BlockKernels
import BlockSparse
import ClusterTrees
public import OperatorNetworks

/// Networks some of whose layers use the same parameters, plain or transposed.
public enum SliceNetworks {
  /// Their names.
  public static let names = [
    "slices twice", "slices transposed", "slices of the input", "slices up and down",
    "slices by offset", "slices by offset reading the input", "slices with block functions",
    "slices with an unused one", "slices symmetric", "slices of low rank",
  ]

  /// The boxes of the axis.
  private static let axis = 24

  private static func band(_ count: Int, _ width: Int, _ sharing: Sharing = .own) -> BlockPattern {
    .band(.band(gridShape: [count], width: width, periodic: true), sharing: sharing)
  }

  /// The pattern from boxes to half as many above.
  private static func halves(_ count: Int) -> BlockPattern {
    BlockPattern(
      ownWeights: count, rowStarts: (0...count / 2).map { 2 * $0 },
      sources: (0..<count).map { Int32($0) })
  }

  private static func finish(
    _ builder: NetworkBuilder, _ output: Int, channels: Int = 2, outputs: Int = 2
  ) -> Network {
    builder.finish(
      output: output, inputOrder: (0..<axis * channels).map { Int32($0) },
      outputOrder: (0..<axis * outputs).map { Int32(axis * outputs - 1 - $0) })
  }

  /// Builds two networks with the same slices, which they use in different ways; nil never.
  public static func pair() -> [Network]? {
    guard let first = build("slices with an unused one") else { return nil }
    let layout = BoxLayout(boxes: axis, channels: 2)
    var builder = NetworkBuilder(input: layout, sharing: first)
    let wide = builder.add("there", using: SliceUse(0), from: 0, activation: .tanh, hasBias: true)
    let back = builder.add("back", using: SliceUse(0, .transposed), from: wide)
    let last = builder.add("last", using: SliceUse(1), from: back, hasBias: true)
    return [first, finish(builder, last)]
  }

  /// Builds a network.
  ///
  /// - Parameters:
  ///   - name: Its name.
  ///   - f: The function between its layers.
  /// - Returns: The network; nil if none has the name.
  public static func build(_ name: String, _ f: Activation = .tanh) -> Network? {
    let layout = BoxLayout(boxes: axis, channels: 2)
    var builder = NetworkBuilder(input: layout)
    switch name {
    case "slices twice":
      // W three times, with and without its biases.
      let first = builder.add("a", from: 0, to: layout, pattern: band(axis, 1), activation: f)
      let second = builder.add("b", from: first, to: layout, pattern: band(axis, 2), activation: f)
      let third = builder.add(
        "b again", using: SliceUse(1), from: second, activation: f, hasBias: true)
      let last = builder.add("a again", using: SliceUse(0), from: third, adding: nil)
      return finish(builder, last)
    case "slices transposed", "slices symmetric":
      let wide = BoxLayout(boxes: axis, channels: name.hasSuffix("symmetric") ? 2 : 3)
      let first = builder.add("a", from: 0, to: wide, pattern: band(axis, 2), activation: f)
      if name.hasSuffix("symmetric") {
        // W Wᵀ x + b beside another branch: a symmetric product with one set of weights.
        let down = builder.add("b", from: first, to: wide, pattern: band(axis, 1), activation: f)
        let up = builder.add("bᵀ", using: SliceUse(1, .transposed), from: down)
        let last = builder.add(
          "b last", using: SliceUse(1), from: up, adding: nil, hasBias: true)
        return finish(builder, last, outputs: 2)
      }
      let back = builder.add("aᵀ", using: SliceUse(0, .transposed), from: first, activation: f)
      let last = builder.add(
        "c", from: back, to: layout, pattern: band(axis, 1), activation: .identity)
      return finish(builder, last)
    case "slices of the input":
      // Both directions read the input, and the sum goes through f.
      let plain = builder.add("a", from: 0, to: layout, pattern: band(axis, 3), activation: f)
      let other = builder.add(
        "aᵀ", using: SliceUse(0, .transposed), from: 0, activation: f, adding: plain)
      let last = builder.add("b", from: other, to: layout, pattern: band(axis, 0))
      return finish(builder, last)
    case "slices up and down":
      // A symmetric hierarchy: the transfers down are the transposes of those up.
      let (half, quarter) = (BoxLayout(boxes: 12, channels: 3), BoxLayout(boxes: 6, channels: 4))
      let up = builder.add(
        "up.1", from: 0, to: half, pattern: halves(axis), hasBias: false)
      let top = builder.add("up.2", from: up, to: quarter, pattern: halves(12), hasBias: false)
      let far = builder.add("far", from: top, to: quarter, pattern: band(6, 2), activation: f)
      let bridge = builder.add("bridge", from: up, to: half, pattern: band(12, 2), activation: f)
      let down = builder.add(
        "down.2", using: SliceUse(1, .transposed), from: far, adding: bridge)
      let near = builder.add("near", from: 0, to: layout, pattern: band(axis, 1), activation: f)
      let last = builder.add(
        "down.1", using: SliceUse(0, .transposed), from: down, adding: near)
      return finish(builder, last)
    case "slices by offset":
      let first = builder.add(
        "a", from: 0, to: layout, pattern: band(axis, 2, .offset), activation: f)
      let second = builder.add(
        "a again", using: SliceUse(0), from: first, activation: f, hasBias: true)
      let third = builder.add("aᵀ", using: SliceUse(0, .transposed), from: second)
      return finish(builder, third)
    case "slices by offset reading the input":
      let first = builder.add(
        "a", from: 0, to: layout, pattern: band(axis, 1, .offset), activation: f)
      let other = builder.add(
        "aᵀ", using: SliceUse(0, .transposed), from: 0, activation: f, adding: first)
      let last = builder.add("b", from: other, to: layout, pattern: band(axis, 1, .offset))
      return finish(builder, last)
    case "slices with block functions":
      let first = builder.add(
        "a", from: 0, to: layout, pattern: band(axis, 1), activation: f, blockActivation: .tanh)
      let second = builder.add(
        "a again", using: SliceUse(0), from: first, blockActivation: .sigmoid, hasBias: true)
      let third = builder.add("aᵀ", using: SliceUse(0, .transposed), from: second)
      return finish(builder, third)
    case "slices of low rank":
      // Blocks of the ranks 1 to 3, used plainly and transposed.
      let window = band(axis, 2)
      let near = builder.add("a", from: 0, to: layout, pattern: band(axis, 1), activation: f)
      let low = builder.addLowRank(
        "b", from: 0, to: layout, pattern: window,
        ranks: (0..<window.entryCount).map { 1 + $0 % 3 }, adding: near)
      let hidden = builder.add("bᵀ", using: SliceUse(2, .transposed), from: low, activation: f)
      let last = builder.add("b.hiddenᵀ", using: SliceUse(1, .transposed), from: hidden)
      return finish(builder, last)
    case "slices with an unused one":
      guard let other = build("slices transposed", f) else { return nil }
      builder = NetworkBuilder(input: layout, sharing: other)
      // Only the weights of "a" are used, without the biases, and not those of "c".
      let wide = builder.add(
        "d", from: 0, to: BoxLayout(boxes: axis, channels: 3), pattern: band(axis, 0), activation: f
      )
      let last = builder.add("aᵀ", using: SliceUse(0, .transposed), from: wide)
      return finish(builder, last)
    default: return nil
    }
  }
}
