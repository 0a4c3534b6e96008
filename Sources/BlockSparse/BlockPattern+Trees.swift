public import ClusterTrees

/// Which entries share a block of weights.
public enum Sharing: String, CaseIterable, Sendable, Codable {
  /// Every entry has its own block (locally connected).
  case own
  /// Entries of equal relative offset share a block (convolutional).
  case offset
}

extension BlockPattern {
  /// Creates the pattern that maps each box to itself.
  ///
  /// - Parameters:
  ///   - count: The number of boxes.
  ///   - sharing: Own blocks, or one block for all.
  /// - Returns: The pattern.
  public static func diagonal(_ count: Int, sharing: Sharing) -> BlockPattern {
    let sources = (0..<count).map { Int32($0) }
    switch sharing {
    case .own:
      return BlockPattern(ownWeights: count, rowStarts: Array(0...count), sources: sources)
    case .offset:
      let zeros = [Int32](repeating: 0, count: count)
      return BlockPattern(
        sourceCount: count, rowStarts: Array(0...count), sources: sources, slots: zeros,
        groups: zeros, slotCounts: [1])
    }
  }

  /// Creates the pattern of a transfer up: the children of a box to the box.
  ///
  /// - Parameters:
  ///   - tree: The cluster tree.
  ///   - level: The level of the parents.
  ///   - sharing: Own blocks, or one block for the children of equal place.
  /// - Returns: The pattern.
  public static func childrenToParents(
    _ tree: ClusterTree, level: Int, sharing: Sharing
  ) -> BlockPattern {
    descendantsToAncestors(tree, from: level + 1, to: level, sharing: sharing)
  }

  /// Creates the pattern of a transfer down: a box to its children.
  ///
  /// - Parameters:
  ///   - tree: The cluster tree.
  ///   - level: The level of the parents.
  ///   - sharing: Own blocks, or one block for the children of equal place.
  /// - Returns: The pattern.
  public static func parentsToChildren(
    _ tree: ClusterTree, level: Int, sharing: Sharing
  ) -> BlockPattern {
    ancestorsToDescendants(tree, from: level, to: level + 1, sharing: sharing)
  }

  /// Creates the pattern of a transfer up over several levels.
  ///
  /// - Parameters:
  ///   - tree: The cluster tree.
  ///   - fine: The level of the sources.
  ///   - level: The level of the targets, not below that of the sources.
  ///   - sharing: Own blocks, or one block for the sources of equal place under their target.
  /// - Returns: The pattern; each target sees the boxes under it, in their order.
  public static func descendantsToAncestors(
    _ tree: ClusterTree, from fine: Int, to level: Int, sharing: Sharing
  ) -> BlockPattern {
    let count = tree.boxCount(level: fine)
    let starts = firstDescendants(tree, from: level, to: fine)
    let sources = (0..<count).map { Int32($0) }
    if sharing == .own {
      return BlockPattern(ownWeights: count, rowStarts: starts, sources: sources)
    }
    let places = zip(starts, starts.dropFirst()).flatMap { first, end in
      (0..<end - first).map { Int32($0) }
    }
    return BlockPattern(
      sourceCount: count, rowStarts: starts, sources: sources, slots: places,
      groups: [Int32](repeating: 0, count: starts.count - 1),
      slotCounts: [Int(places.max() ?? 0) + 1])
  }

  /// Creates the pattern of a transfer down over several levels.
  ///
  /// - Parameters:
  ///   - tree: The cluster tree.
  ///   - level: The level of the sources.
  ///   - fine: The level of the targets, not above that of the sources.
  ///   - sharing: Own blocks, or one block for the targets of equal place under their source.
  /// - Returns: The pattern; each target sees the box above it.
  public static func ancestorsToDescendants(
    _ tree: ClusterTree, from level: Int, to fine: Int, sharing: Sharing
  ) -> BlockPattern {
    let starts = firstDescendants(tree, from: level, to: fine)
    let ancestors = zip(starts, starts.dropFirst()).enumerated().flatMap { box, ends in
      [Int32](repeating: Int32(box), count: ends.1 - ends.0)
    }
    let rows = Array(0...ancestors.count)
    if sharing == .own {
      return BlockPattern(ownWeights: starts.count - 1, rowStarts: rows, sources: ancestors)
    }
    let places = ancestors.enumerated().map { Int32($0 - starts[Int($1)]) }
    return BlockPattern(
      sourceCount: starts.count - 1, rowStarts: rows, sources: ancestors,
      slots: [Int32](repeating: 0, count: ancestors.count), groups: places,
      slotCounts: [Int](repeating: 1, count: Int(places.max() ?? 0) + 1))
  }

  /// For each box of a level the first box of a finer level under it, and at the end the number of these.
  private static func firstDescendants(
    _ tree: ClusterTree, from level: Int, to fine: Int
  ) -> [Int] {
    precondition(level <= fine, "a transfer between the levels \(level) and \(fine)")
    var firsts = Array(0...tree.boxCount(level: fine))
    for above in stride(from: fine - 1, through: level, by: -1) {
      let ends = (0..<tree.boxCount(level: above)).map {
        firsts[tree.children(level: above, box: $0).lowerBound]
      }
      firsts = ends + [firsts[firsts.count - 1]]
    }
    return firsts
  }

  /// Creates a pattern from lists of boxes, as of neighbours or interactions, with own blocks.
  ///
  /// - Parameters:
  ///   - lists: The sources of each target.
  ///   - sourceCount: The number of source boxes.
  /// - Returns: The pattern.
  public static func lists(_ lists: BoxLists, sourceCount: Int) -> BlockPattern {
    BlockPattern(ownWeights: sourceCount, rowStarts: lists.offsets, sources: lists.indices)
  }

  /// Creates the pattern of a band.
  ///
  /// - Parameters:
  ///   - band: The window of each box.
  ///   - sharing: Own blocks, or one block for each offset.
  /// - Returns: The pattern.
  public static func band(_ band: Band, sharing: Sharing) -> BlockPattern {
    let rows = band.offsets.count - 1
    if sharing == .own {
      return BlockPattern(
        ownWeights: rows, rowStarts: band.offsets, sources: band.sources,
        paddedEntries: band.padded)
    }
    let window = rows == 0 ? 0 : (band.sources.count + band.padded) / rows
    return BlockPattern(
      sourceCount: rows, rowStarts: band.offsets, sources: band.sources,
      slots: band.offsetIndices, groups: [Int32](repeating: 0, count: rows), slotCounts: [window])
  }

  /// Creates the pattern of some entries of a band, each source once for a target.
  ///
  /// An offset that no row has gets no block.
  ///
  /// - Parameters:
  ///   - band: The window of each box.
  ///   - sharing: Own blocks, or one block for each offset.
  ///   - isKept: Whether an entry is kept; it is told the number of its offset in the window.
  /// - Returns: The pattern.
  public static func band(
    _ band: Band, sharing: Sharing,
    keeping isKept: (_ target: Int, _ source: Int, _ offset: Int32) -> Bool
  ) -> BlockPattern {
    var (starts, sources, offsets): ([Int], [Int32], [Int32]) = ([0], [], [])
    for target in 0..<band.targetCount {
      for entry in band.offsets[target]..<band.offsets[target + 1] {
        let (source, offset) = (band.sources[entry], band.offsetIndices[entry])
        guard isKept(target, Int(source), offset), !sources[starts[target]...].contains(source)
        else { continue }
        sources.append(source)
        offsets.append(offset)
      }
      starts.append(sources.count)
    }
    let rows = band.targetCount
    if sharing == .own {
      return BlockPattern(ownWeights: rows, rowStarts: starts, sources: sources)
    }
    var slots = [Int32](repeating: -1, count: band.windowCount)
    let used = Set(offsets).sorted()
    for (slot, offset) in used.enumerated() { slots[Int(offset)] = Int32(slot) }
    return BlockPattern(
      sourceCount: rows, rowStarts: starts, sources: sources, slots: offsets.map { slots[Int($0)] },
      groups: [Int32](repeating: 0, count: rows), slotCounts: [used.count])
  }

  /// Leaves out the entries whose target or source has no channels.
  ///
  /// - Parameters:
  ///   - source: The boxes read.
  ///   - target: The boxes written.
  ///   - seesItself: Whether a target that loses its last entry sees the source of its own number.
  /// - Returns: The pattern, with own blocks.
  /// - Precondition: This pattern has own blocks.
  public func withoutEmptyBoxes(
    _ source: BoxLayout, _ target: BoxLayout, seesItself: Bool = false
  ) -> BlockPattern {
    var (starts, kept): ([Int], [Int32]) = ([0], [])
    for row in 0..<targetCount {
      if target.channels(of: row) > 0 {
        kept += sources[entries(of: row)].filter { source.channels(of: Int($0)) > 0 }
        if seesItself && kept.count == starts[row] { kept.append(Int32(row)) }
      }
      starts.append(kept.count)
    }
    return BlockPattern(ownWeights: sourceCount, rowStarts: starts, sources: kept)
  }
}
