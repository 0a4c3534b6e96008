/// How accurate, or how small, a compressed matrix shall be.
public enum CompressionTarget: Sendable, Equatable {
  /// The largest error.
  case absolute(Double)
  /// The largest error, in parts of the norm of the matrix.
  case relative(Double)
  /// The most stored numbers; the error becomes as small as it can.
  case numbers(Int)
  /// The most bytes, of numbers and of what describes the blocks; the error becomes as small as it can.
  case bytes(Int)
}

/// How the blocks share the error.
public enum ErrorShare: String, Sendable, Equatable, Codable, CaseIterable {
  /// Every block may have the whole error, so that their number enters the bound.
  case local
  /// A block may have the part that belongs to its share of the area.
  case share
  /// The blocks have what makes the storage least: a singular value is kept if it pays for its vectors.
  case optimal
}

/// Which blocks are cut further.
public enum BlockRule: Sendable, Equatable {
  /// The cheapest in stored numbers of the truncated block, the dense block and the parts.
  case cost
  /// The rule of the paper: a block is cut while its rank for the error exceeds a bound, and dense at a leaf.
  case paper(rankCap: Int)
}

/// What a matrix is compressed to.
public struct CompressionOptions: Sendable, Equatable {
  /// The largest error or size.
  public var target: CompressionTarget
  /// How the blocks share the error.
  public var share: ErrorShare
  /// Which blocks are cut further.
  public var rule: BlockRule

  /// Sets options.
  ///
  /// - Parameters:
  ///   - target: The largest error or size.
  ///   - share: How the blocks share the error; a size needs `optimal`, the default.
  ///   - rule: Which blocks are cut further; `paper` needs an error that is not shared optimally.
  public init(
    _ target: CompressionTarget, share: ErrorShare = .optimal, rule: BlockRule = .cost
  ) {
    (self.target, self.share, self.rule) = (target, share, rule)
  }

  /// Checks that the options can be used together.
  func validate() throws(HierarchicalMatrixError) {
    switch target {
    case .absolute(let bound), .relative(let bound):
      guard bound >= 0, bound.isFinite else {
        throw HierarchicalMatrixError(
          .input, "an error bound of \(bound): give a finite number that is not negative")
      }
    case .numbers(let count), .bytes(let count):
      guard count >= 0 else {
        throw HierarchicalMatrixError(.input, "a size of \(count): give one that is not negative")
      }
      guard share == .optimal else {
        throw HierarchicalMatrixError(
          .input, "a size is met by the optimal share of the error only, not by \(share.rawValue)")
      }
    }
    if case .paper(let cap) = rule {
      guard share != .optimal else {
        throw HierarchicalMatrixError(
          .input, "the rule of the paper needs an error bound with local or area shares")
      }
      guard cap >= 0 else {
        throw HierarchicalMatrixError(.input, "a rank of at most \(cap): give 0 or more")
      }
    }
  }
}
