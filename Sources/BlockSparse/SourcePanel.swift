import BlockKernels

/// Rows that follow each other, and the channels of the source that they see: these are transposed together for the
/// gradient of the rows' weights, few enough to stay in a cache.
struct SourcePanel: Sendable {
  /// The first channel among those that the rank holds.
  private(set) var start: Int
  private(set) var channels: Int

  /// The channels of a panel, unless single rows see more.
  private static var usualChannels: Int { 128 }

  /// Groups the rows of a plan.
  ///
  /// - Parameters:
  ///   - rows: For each row the channels that it sees.
  ///   - held: The channels that the rank holds.
  /// - Returns: The panels, and for each row its panel.
  static func plan(
    _ rows: [Range<Int>], held: Int
  ) -> (panels: [SourcePanel], rows: [Int32]) {
    var (panels, places): ([SourcePanel], [Int32]) = ([], [])
    places.reserveCapacity(rows.count)
    // The first row of a panel decides how wide it may become: neighbours share most of what they see.
    var limit = 0
    for row in rows {
      if let last = panels.last, row.lowerBound >= last.start,
        row.upperBound <= last.start + limit
      {
        panels[panels.count - 1].channels = max(last.channels, row.upperBound - last.start)
      } else {
        panels.append(SourcePanel(start: row.lowerBound, channels: row.count))
        limit = max(usualChannels, 2 * row.count)
      }
      places.append(Int32(panels.count - 1))
    }
    for index in panels.indices { panels[index].align(held: held) }
    return (panels, places)
  }

  /// Widens a panel to a multiple of four channels, which the library transposes six times as fast.
  private mutating func align(held: Int) {
    let wanted = min((channels + 3) & ~3, held)
    start = min(start, held - wanted)
    channels = wanted
  }

  /// Returns how far the samples of transposed channels are apart: an odd number of cache lines, so that those of one
  /// box spread over the sets of a cache.
  static func stride<Scalar: KernelScalar>(_ channels: Int, of: Scalar.Type) -> Int {
    let line = 64 / MemoryLayout<Scalar>.stride
    return ((channels + line - 1) / line | 1) * line
  }
}
