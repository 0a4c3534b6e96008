/// For each target box its source boxes in ascending order, in compressed rows.
public struct BoxLists: Sendable, Equatable {
  /// The number of entries before each target, and their total.
  public let offsets: [Int]
  /// The source boxes of all targets, one target after the other.
  public let indices: [Int32]

  /// The number of target boxes.
  public var targetCount: Int { offsets.count - 1 }

  /// The number of pairs of target and source.
  public var entryCount: Int { indices.count }

  /// Makes lists from compressed rows.
  ///
  /// - Parameters:
  ///   - offsets: The number of entries before each target, and their total.
  ///   - indices: The source boxes of all targets.
  /// - Precondition: `offsets` starts with 0, never falls, and ends with `indices.count`.
  public init(offsets: [Int], indices: [Int32]) {
    precondition(
      offsets.first == 0 && offsets.last == indices.count,
      "offsets from 0 to \(indices.count) needed, found \(offsets.first ?? -1) to "
        + "\(offsets.last ?? -1)")
    precondition(
      zip(offsets, offsets.dropFirst()).allSatisfy { $0 <= $1 }, "offsets must not fall")
    self.offsets = offsets
    self.indices = indices
  }

  /// The source boxes of a target, in ascending order.
  ///
  /// - Parameter target: The number of the target box.
  /// - Returns: The numbers of its source boxes; may be empty.
  public func sources(of target: Int) -> ArraySlice<Int32> {
    precondition(
      (0..<targetCount).contains(target), "target \(target) of \(targetCount) asked for")
    return indices[offsets[target]..<offsets[target + 1]]
  }
}
