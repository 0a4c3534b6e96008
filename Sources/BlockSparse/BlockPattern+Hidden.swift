extension BlockPattern {
  /// Puts a hidden box into each entry: a small network in place of a block of weights.
  ///
  /// The block W of an entry becomes W₂ f(W₁ x + b₁), as FMM-NET proposes below its equation 4. Hidden
  /// box e belongs to entry e, so the boxes of a row are neighbours. Entries that share a block share its
  /// network. Over zero padding there is no network.
  ///
  /// - Returns: The pattern from the sources to the hidden boxes, with W₁, and the one from these to the
  ///   targets, with W₂.
  public func withHiddenBoxes() -> (first: BlockPattern, second: BlockPattern) {
    // Slot after slot, each is a group of the first pattern.
    let slotStarts = slotCounts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
    let networks = groups.indices.flatMap { row in
      entries(of: row).map { Int32(slotStarts[Int(groups[row])]) + slots[$0] }
    }
    let first = BlockPattern(
      sourceCount: sourceCount, rowStarts: Array(0...entryCount), sources: sources,
      slots: [Int32](repeating: 0, count: entryCount), groups: networks,
      slotCounts: [Int](repeating: 1, count: slotStarts[slotCounts.count]))
    let second = BlockPattern(
      sourceCount: entryCount, rowStarts: rowStarts, sources: (0..<entryCount).map { Int32($0) },
      slots: slots, groups: groups, slotCounts: slotCounts)
    return (first, second)
  }
}
