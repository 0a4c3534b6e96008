import BlockKernels

extension BlockTriangle {
  /// The most vectors that are solved for together.
  private static let width = 64

  /// Returns the inverse, with all blocks of the triangle.
  ///
  /// - Returns: The inverse.
  /// - Throws: `LAPACKError` if a diagonal block is singular.
  /// - Complexity: O(unknowns · elements of the triangle), and unknowns²/2 numbers of memory.
  func inverse() throws(LAPACKError) -> BlockTriangle {
    let solver = try TriangleSolver(self)
    let scratch = AlignedBuffer<Double>(
      repeating: 0, count: solver.scratchSize * max(Self.width, structure.largestSize))
    var result = BlockTriangle(BlockStructure(full: structure.starts))
    let unknowns = structure.starts[structure.leafCount]
    var first = 0
    while first < structure.leafCount {
      // As many leaves as fit, at least one.
      var end = first + 1
      while end < structure.leafCount,
        structure.starts[end + 1] - structure.starts[first] <= Self.width
      { end += 1 }
      let columns = structure.starts[first]..<structure.starts[end]
      // [unknown][column]
      let vectors = AlignedBuffer<Double>(repeating: 0, count: unknowns * columns.count)
      for column in columns {
        vectors[column * columns.count + column - columns.lowerBound] = 1
      }
      solver.solve(vectors, count: columns.count, transposed: false, scratch)
      for leaf in first..<end { result.setColumn(leaf, from: vectors, columns) }
      first = end
    }
    return result
  }

  /// Copies the blocks of a leaf's column out of vectors, `[unknown][column]`.
  private mutating func setColumn(
    _ leaf: Int, from vectors: AlignedBuffer<Double>, _ columns: Range<Int>
  ) {
    let own = structure.starts[leaf]..<structure.starts[leaf + 1]
    for (place, row) in zip(places[leaf], [Int32(leaf)] + structure.rows[leaf]) {
      let (start, height) = (structure.starts[Int(row)], structure.size(Int(row)))
      for column in own {
        for line in 0..<height {
          elements[place + (column - own.lowerBound) * height + line] =
            vectors[(start + line) * columns.count + column - columns.lowerBound]
        }
      }
    }
  }
}
