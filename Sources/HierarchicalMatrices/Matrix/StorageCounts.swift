/// What a hierarchical matrix stores.
public struct StorageCounts: Sendable, Equatable {
  /// The stored numbers, of dense blocks and of factors.
  public private(set) var numbers = 0
  /// The blocks.
  public private(set) var blocks = 0
  /// The blocks that are dense.
  public private(set) var denseBlocks = 0
  /// The largest rank of a block that is not dense.
  public private(set) var largestRank = 0

  /// Counts nothing.
  init() {}

  /// Counts a block; `rank` is nil if it is dense.
  mutating func addBlock(_ rows: Int, _ columns: Int, rank: Int?) {
    blocks += 1
    if let rank {
      numbers += rank * (rows + columns)
      largestRank = max(largestRank, rank)
    } else {
      numbers += rows * columns
      denseBlocks += 1
    }
  }

  /// The bytes that describe a block: first row and column, their numbers, and the rank, 4 bytes each.
  static let blockBytes = 20

  /// The bytes of the orders of rows and columns, 4 each.
  static func orderBytes(rows: Int, columns: Int) -> Int { 4 * (rows + columns) }
}
