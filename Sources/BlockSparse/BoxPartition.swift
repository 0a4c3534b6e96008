/// The owners of the boxes of a block vector: contiguous ranges, one for each tree rank, or all on every rank.
public struct BoxPartition: Sendable, Equatable {
  /// The first box of each rank, and at the end the number of boxes.
  public let starts: [Int]
  /// Whether every rank holds, and computes, all boxes.
  public let isReplicated: Bool

  /// Creates a partition.
  ///
  /// - Parameters:
  ///   - starts: The first box of each rank, and at the end the number of boxes.
  ///   - isReplicated: Whether every rank holds all boxes.
  /// - Precondition: The starts ascend from zero.
  public init(starts: [Int], isReplicated: Bool = false) {
    precondition(
      starts.first == 0 && zip(starts, starts.dropFirst()).allSatisfy { $0 <= $1 },
      "a partition that starts at \(starts)")
    self.starts = starts
    self.isReplicated = isReplicated
  }

  /// The number of ranks.
  public var rankCount: Int { starts.count - 1 }

  /// The number of boxes.
  public var boxCount: Int { starts[rankCount] }

  /// Returns the boxes that a rank owns; the owner of a replicated box answers for it to others.
  ///
  /// - Parameter rank: The rank.
  /// - Returns: Its range; it may be empty.
  public func range(of rank: Int) -> Range<Int> { starts[rank]..<starts[rank + 1] }

  /// Returns the boxes that a rank computes.
  ///
  /// - Parameter rank: The rank.
  /// - Returns: Its own range, or all boxes if they are replicated.
  public func computed(by rank: Int) -> Range<Int> {
    isReplicated ? 0..<boxCount : range(of: rank)
  }

  /// Returns the rank that owns a box.
  ///
  /// - Parameter box: The box.
  /// - Returns: The rank.
  /// - Complexity: O(log ranks).
  public func owner(of box: Int) -> Int {
    precondition(box >= 0 && box < boxCount, "box \(box) of \(boxCount)")
    var (low, high) = (0, rankCount)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= box { low = middle } else { high = middle }
    }
    // Of ranks with equal starts the last one is not empty.
    return low
  }

  /// Cuts a sequence of weighted items into contiguous parts with the smallest largest weight.
  ///
  /// Parts beyond the number of items are empty. The cut is a function of the arguments alone.
  ///
  /// - Parameters:
  ///   - weights: The weight of each item, not negative.
  ///   - parts: The number of parts.
  ///   - preference: For each item, how well it suits as the first of a part; if given, parts may weigh up to a
  ///     tenth more than the minimum.
  /// - Returns: The first item of each part, and at the end the number of items.
  /// - Complexity: O(items · log of the total weight).
  public static func cut(_ weights: [Int], parts: Int, preference: [Int]? = nil) -> [Int] {
    precondition(parts > 0, "\(parts) parts")
    let starts = smallestCut(weights, parts: parts)
    guard let preference, parts <= weights.count else { return starts }
    func largest(_ starts: [Int]) -> Int {
      zip(starts, starts.dropFirst()).map { weights[$0..<$1].reduce(0, +) }.max() ?? 0
    }
    let preferred = preferredCut(weights, parts: parts, preference: preference)
    return 10 * largest(preferred) <= 11 * largest(starts) ? preferred : starts
  }

  /// Cuts near the even cut, where the preference is highest.
  private static func preferredCut(_ weights: [Int], parts: Int, preference: [Int]) -> [Int] {
    let before = weights.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
    let total = before[weights.count]
    var starts = [0]
    for part in 1..<parts {
      let wanted = total * part / parts
      func distance(_ item: Int) -> Int { abs(before[item] - wanted) }
      // Every part gets an item, and leaves one for each that follows.
      let possible = starts[part - 1] + 1...weights.count - (parts - part)
      let middle = min(
        max(before.firstPlace(from: wanted), possible.lowerBound), possible.upperBound)
      // Sums ascend: what is near stands around the first item that reaches the wanted sum.
      func isNear(_ item: Int) -> Bool { 8 * parts * distance(item) <= total }
      let below = (possible.lowerBound..<middle).reversed().prefix(while: isNear).reversed()
      let near = below + (middle...possible.upperBound).prefix(while: isNear)
      let beside = max(middle - 1, possible.lowerBound)
      let nearest = distance(beside) <= distance(middle) ? beside : middle
      let best = near.max {
        (preference[$0], -distance($0), -$0) < (preference[$1], -distance($1), -$1)
      }
      starts.append(best ?? nearest)
    }
    return starts + [weights.count]
  }

  /// Cuts so that the largest part is as small as it can be.
  private static func smallestCut(_ weights: [Int], parts: Int) -> [Int] {
    let total = weights.reduce(0, +)
    /// Fills part after part up to a bound; nil if they do not suffice.
    func fill(_ bound: Int) -> [Int]? {
      var starts = [0]
      var load = 0
      for (item, weight) in weights.enumerated() {
        // At least one item must remain for each remaining part.
        let isForced = weights.count - item <= parts - starts.count && item > (starts.last ?? 0)
        if load + weight > bound && item > (starts.last ?? 0) || isForced {
          guard starts.count < parts else { return nil }
          starts.append(item)
          load = 0
        }
        load += weight
        if load > bound { return nil }
      }
      starts += [Int](repeating: weights.count, count: parts + 1 - starts.count)
      return starts
    }
    var (low, high) = (max(weights.max() ?? 0, (total + parts - 1) / parts) - 1, total)
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if fill(middle) == nil { low = middle } else { high = middle }
    }
    return fill(high) ?? [0] + [Int](repeating: weights.count, count: parts)
  }
}
