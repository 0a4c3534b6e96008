/// Which source boxes each target box sees, and through which weights.
///
/// A row belongs to a target box and names the group of its weights; an entry names its source box
/// and its slot, the place of its block in the stacked weights of the group. A source may occur
/// twice in a row, as in a periodic window wider than the level. The order of the entries is the
/// order of summation.
public struct BlockPattern: Sendable, Equatable {
  /// The number of source boxes.
  public let sourceCount: Int
  /// The first entry of each row, and at the end the number of entries.
  public let rowStarts: [Int]
  /// The source box of each entry.
  public let sources: [Int32]
  /// The slot of each entry within the group of its row.
  public let slots: [Int32]
  /// The group of weights of each row.
  public let groups: [Int32]
  /// The number of slots of each group.
  public let slotCounts: [Int]
  /// The number of entries that the papers count but that stand over zero padding.
  public let paddedEntries: Int

  /// Creates a pattern.
  ///
  /// - Parameters:
  ///   - sourceCount: The number of source boxes.
  ///   - rowStarts: The first entry of each row, and at the end the number of entries.
  ///   - sources: The source box of each entry.
  ///   - slots: The slot of each entry.
  ///   - groups: The group of each row.
  ///   - slotCounts: The number of slots of each group.
  ///   - paddedEntries: The number of entries over zero padding.
  /// - Precondition: The arrays fit each other.
  public init(
    sourceCount: Int, rowStarts: [Int], sources: [Int32], slots: [Int32], groups: [Int32],
    slotCounts: [Int], paddedEntries: Int = 0
  ) {
    precondition(
      rowStarts.count == groups.count + 1 && rowStarts.last == sources.count
        && sources.count == slots.count,
      "\(rowStarts.count) row starts, \(groups.count) rows, \(sources.count) entries")
    for row in groups.indices {
      let group = Int(groups[row])
      precondition(slotCounts.indices.contains(group), "group \(group) of \(slotCounts.count)")
      for entry in rowStarts[row]..<rowStarts[row + 1] {
        precondition(
          sources[entry] >= 0 && sources[entry] < sourceCount && slots[entry] >= 0
            && slots[entry] < slotCounts[group],
          "entry \(entry) of row \(row): source \(sources[entry]), slot \(slots[entry])")
      }
    }
    self.sourceCount = sourceCount
    self.rowStarts = rowStarts
    self.sources = sources
    self.slots = slots
    self.groups = groups
    self.slotCounts = slotCounts
    self.paddedEntries = paddedEntries
  }

  /// The number of target boxes.
  public var targetCount: Int { groups.count }

  /// The number of entries.
  public var entryCount: Int { sources.count }

  /// Returns the entries of a row.
  ///
  /// - Parameter row: The target box.
  /// - Returns: Their indices.
  public func entries(of row: Int) -> Range<Int> { rowStarts[row]..<rowStarts[row + 1] }

  /// Creates a pattern in which every entry has its own block.
  ///
  /// - Parameters:
  ///   - sourceCount: The number of source boxes.
  ///   - rowStarts: The first entry of each row, and at the end the number of entries.
  ///   - sources: The source box of each entry.
  ///   - paddedEntries: The number of entries over zero padding.
  public init(
    ownWeights sourceCount: Int, rowStarts: [Int], sources: [Int32], paddedEntries: Int = 0
  ) {
    let rows = rowStarts.count - 1
    var slots = [Int32](repeating: 0, count: sources.count)
    var slotCounts = [Int](repeating: 0, count: rows)
    for row in 0..<rows {
      slotCounts[row] = rowStarts[row + 1] - rowStarts[row]
      for slot in 0..<slotCounts[row] { slots[rowStarts[row] + slot] = Int32(slot) }
    }
    self.init(
      sourceCount: sourceCount, rowStarts: rowStarts, sources: sources, slots: slots,
      groups: (0..<rows).map { Int32($0) }, slotCounts: slotCounts, paddedEntries: paddedEntries)
  }
}

extension BlockPattern {
  /// The pattern of the transposed matrix: its rows are the sources, each with the targets that see it, ascending.
  ///
  /// Every entry has a block to itself.
  public var transposed: BlockPattern {
    let columns = PatternColumns(self)
    return BlockPattern(
      ownWeights: targetCount, rowStarts: (0...sourceCount).map(columns.start(of:)),
      sources: columns.targets)
  }
}
