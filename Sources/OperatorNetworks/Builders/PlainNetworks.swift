import BlockKernels
import BlockSparse
import ClusterTrees

extension Network {
  /// Builds the plain convolutional network: K convolutions over the points of a grid.
  ///
  /// The window spans 2·leaf + 1 points in each dimension; hidden layers have r channels and an
  /// activation, the last one has one channel and none.
  static func convolution(_ options: NetworkOptions, points: PointSet) throws -> Network {
    guard let shape = points.gridShape else {
      throw NetworkError("`model` conv needs a uniform grid; use h2nn for clouds of points")
    }
    let leaf = options.leaf ?? LeafChoice.usualLeaf
    guard leaf >= 1 else { throw NetworkError("`leaf` \(leaf): at least 1 is needed") }
    let band = Band.band(
      gridShape: shape, width: leaf, periodic: options.boundary == .periodic)
    let pattern = BlockPattern.band(band, sharing: .offset)
    var builder = NetworkBuilder(input: BoxLayout(boxes: points.count, channels: 1))
    var value = 0
    for k in 1...options.layers {
      let isLast = k == options.layers
      value = builder.add(
        "convolution.\(k)", from: value,
        to: BoxLayout(boxes: points.count, channels: isLast ? 1 : options.channels),
        pattern: pattern, activation: isLast ? .identity : options.activation)
    }
    let order = (0..<points.count).map { Int32($0) }
    return builder.finish(output: value, inputOrder: order, outputOrder: order)
  }

  /// Builds a network of K fully connected layers.
  static func dense(
    _ options: NetworkOptions, sources: PointSet, receivers: PointSet
  ) -> Network {
    let pattern = BlockPattern.diagonal(1, sharing: .own)
    var builder = NetworkBuilder(input: BoxLayout(boxes: 1, channels: sources.count))
    var value = 0
    for k in 1...options.layers {
      let isLast = k == options.layers
      value = builder.add(
        "dense.\(k)", from: value,
        to: BoxLayout(
          boxes: 1, channels: isLast ? receivers.count : options.width ?? receivers.count),
        pattern: pattern, activation: isLast ? .identity : options.activation)
    }
    return builder.finish(
      output: value, inputOrder: (0..<sources.count).map { Int32($0) },
      outputOrder: (0..<receivers.count).map { Int32($0) })
  }
}
