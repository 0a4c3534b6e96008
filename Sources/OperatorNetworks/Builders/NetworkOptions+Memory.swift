extension NetworkOptions {
  /// Returns about how many bytes trees, patterns and orders of a network on a grid need, without its parameters.
  ///
  /// Measured with three layers of bridges on grids of up to 10⁶ points in one to three dimensions: 40 to 60 bytes for a
  /// point, and for a leaf about 700 in one dimension, 1000 in two, 5000 in three.
  ///
  /// - Parameter shape: The points of the grid.
  /// - Returns: The bytes.
  /// - Throws: ``NetworkError`` if the grid has no leaves of a reasonable size.
  public func bytesOfLists(onGrid shape: [Int]) throws(NetworkError) -> Double {
    let points = shape.reduce(1.0) { $0 * Double($1) }
    switch model {
    case .dense: return 16 * points
    case .conv:
      // Sources and blocks of each window.
      let side = Double(2 * (leaf ?? LeafChoice.usualLeaf) + 1)
      let window = shape.reduce(1.0) { product, _ in product * side }
      return points * (40 + 8 * window * Double(layers))
    case .h2nn, .mnnH2, .mnnH, .gfmm:
      var (leaf, levels) = (leaf, levels)
      if leaf == nil, levels == nil {
        (leaf, levels) = try LeafChoice(shape: shape, options: self).chosen()
      }
      let leaves = shape.reduce(1.0) { count, size in
        let boxes = leaf.map { Double(size) / Double($0) } ?? Double(1 << min(levels ?? 0, 62))
        return count * min(max(1, boxes), Double(size))
      }
      return 40 * points + 250 * Double(layers) * leaves
    }
  }
}
