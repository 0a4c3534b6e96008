/// Where the numbers of a block of vectors stand, and how they come to the rows of values and back.
struct VectorLayout {
  let rowStride: Int
  let vectorStride: Int

  /// Rows that are copied at once, so that neither side leaves the cache.
  private static let tile = 16

  /// Copies some vectors to rows of values, `[row][vector]`.
  ///
  /// - Parameters:
  ///   - source: The vectors.
  ///   - first: The first vector.
  ///   - width: The number of vectors.
  ///   - rows: The number of rows.
  ///   - values: The values, from the first row on.
  func load(
    _ source: Span<Double>, first: Int, width: Int, rows: Int,
    into values: inout MutableSpan<Double>
  ) {
    guard rows > 0 else { return }
    check(source.count, first, width, rows, values.count)
    // Checked above: the last number of the last row lies inside of both.
    unsafe source.withUnsafeBufferPointer { source in
      unsafe values.withUnsafeMutableBufferPointer { values in
        guard let source = source.baseAddress, let values = values.baseAddress else { return }
        for start in stride(from: 0, to: rows, by: Self.tile) {
          let end = min(start &+ Self.tile, rows)
          for vector in 0..<width {
            let place = unsafe source + (first &+ vector) &* vectorStride
            var row = start
            while row < end {
              unsafe values[row &* width &+ vector] = place[row &* rowStride]
              row &+= 1
            }
          }
        }
      }
    }
  }

  /// Copies rows of values, `[row][vector]`, to some vectors.
  ///
  /// - Parameters:
  ///   - values: The values, from the first row on.
  ///   - first: The first vector.
  ///   - width: The number of vectors.
  ///   - rows: The number of rows.
  ///   - target: The vectors.
  func store(
    _ values: Span<Double>, first: Int, width: Int, rows: Int,
    into target: inout MutableSpan<Double>
  ) {
    guard rows > 0 else { return }
    check(target.count, first, width, rows, values.count)
    // Checked above: the last number of the last row lies inside of both.
    unsafe values.withUnsafeBufferPointer { values in
      unsafe target.withUnsafeMutableBufferPointer { target in
        guard let values = values.baseAddress, let target = target.baseAddress else { return }
        for start in stride(from: 0, to: rows, by: Self.tile) {
          let end = min(start &+ Self.tile, rows)
          for vector in 0..<width {
            let place = unsafe target + (first &+ vector) &* vectorStride
            var row = start
            while row < end {
              unsafe place[row &* rowStride] = values[row &* width &+ vector]
              row &+= 1
            }
          }
        }
      }
    }
  }

  private func check(_ count: Int, _ first: Int, _ width: Int, _ rows: Int, _ values: Int) {
    precondition(
      (rows - 1) * rowStride + (first + width - 1) * vectorStride < count && rows * width <= values,
      "vectors \(first)..<\(first + width) of \(rows) rows, \(count) and \(values) numbers")
  }
}
