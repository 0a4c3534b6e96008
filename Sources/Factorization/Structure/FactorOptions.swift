public import ClusterTrees
public import MessagePassing
public import OperatorNetworks

/// The order of the unknowns, and with it the tree over them.
public enum FactorOrder: String, CaseIterable, Sendable, Codable {
  /// That of the matrix: a binary tree over the numbers of the rows.
  case natural
  /// Z-order of a grid: a tree with 2^d children over boxes of points.
  case z
}

/// The structure of factors, as a user asks for it.
///
/// What is nil is chosen by ``settled(for:count:)``.
public struct FactorOptions: Sendable, Equatable, Codable {
  /// Which blocks are dense, and which see each other through bases; strong in Z-order, else weak.
  public var pattern: FactorPattern?
  /// The order of the unknowns; Z-order on grids of two and three dimensions.
  public var order: FactorOrder?
  /// The unknowns of a leaf at least; on a grid in Z-order the power of a side.
  ///
  /// Nil: 2^d there, else 32.
  public var leaf: Int?
  /// The levels below the root, instead of `leaf`.
  public var levels: Int?
  /// The basis vectors of a box, r.
  public var channels = 2
  /// Those of boxes above the leaves, level by level upwards, the last for all further; r if nil.
  public var coarseChannels: [Int]?
  /// Whether the parameters are those of L and U, or of their inverses; whichever start is better if nil.
  public var form: FactorForm?
  /// Where training starts.
  public var start = StartKind.classical
  /// The megabytes that exact factors may have; if they would have more, the start is incomplete.
  public var factorMemory = 4096

  /// Creates the default options.
  public init() {}

  /// Chooses what is nil.
  ///
  /// - Parameters:
  ///   - shape: The grid of the unknowns; nil if they have none.
  ///   - count: The number of unknowns.
  /// - Returns: The options, with order, pattern and levels.
  /// - Throws: `RunError` (64) if they do not fit the unknowns.
  public func settled(for shape: [Int]?, count: Int) throws(RunError) -> FactorOptions {
    var result = self
    let dimensions = shape?.count ?? 1
    result.order = order ?? (dimensions > 1 ? .z : .natural)
    let isZOrder = result.order == .z
    guard !isZOrder || shape != nil else {
      throw .usage("`order` z needs the grid of the unknowns: give its `points`, such as 64x64")
    }
    result.pattern = pattern ?? (isZOrder && dimensions > 1 ? .strong : .weak)
    guard levels == nil || leaf == nil else {
      throw .usage("`leaf` and `levels` both say how deep the tree is: give one of them")
    }
    let sides = isZOrder ? shape ?? [count] : [count]
    if levels == nil {
      let side = try Self.side(of: leaf ?? (sides.count > 1 ? 1 << sides.count : 32), sides.count)
      result.levels = try Self.levels(sides, side: side, isGiven: leaf != nil)
      result.leaf = nil
    }
    guard (0...64).contains(result.levels ?? 0) else {
      throw .usage("`levels` is \(result.levels ?? 0); possible are 0 to 64")
    }
    if let form, start != .classical {
      let made: FactorForm = start == .inverse ? .inverse : .product
      guard made == form else {
        throw .usage(
          "`form` \(form.rawValue): the `start` \(start.rawValue) has the form \(made.rawValue)")
      }
    }
    guard channels >= 0, coarseChannels?.allSatisfy({ $0 >= 0 }) ?? true else {
      throw .usage("`channels`: a box cannot have a negative number of basis vectors")
    }
    return result
  }

  /// Returns the side of a leaf with a number of points.
  private static func side(of leaf: Int, _ dimensions: Int) throws(RunError) -> Int {
    var side = 1
    func power(_ side: Int) -> Int { (0..<dimensions).reduce(1) { product, _ in product * side } }
    while power(side) < leaf { side += 1 }
    guard leaf >= 1, power(side) == leaf else {
      let fitting = (max(side - 1, 1)...side).map { "\(power($0))" }.joined(separator: " or ")
      throw .usage(
        "`leaf` \(leaf): leaves of a grid of \(dimensions) dimensions are "
          + "\(dimensions == 2 ? "squares" : "cubes"), such as \(fitting)")
    }
    return side
  }

  /// Returns the most levels whose boxes have a side of so many points at least.
  private static func levels(
    _ sides: [Int], side: Int, isGiven: Bool
  ) throws(RunError) -> Int {
    let least = sides.min() ?? 1
    guard least >= side || !isGiven else {
      throw .usage("`leaf`: a side of \(side) points is more than the \(least) of the grid")
    }
    var levels = 0
    while least >> (levels + 1) >= side { levels += 1 }
    return levels
  }

  /// The basis vectors of boxes, by level from the root.
  func channels(levels: Int) -> [Int] {
    guard let coarseChannels, !coarseChannels.isEmpty else {
      return [Int](repeating: channels, count: levels + 1)
    }
    return (0...levels).map { level in
      level == levels
        ? channels : coarseChannels[min(levels - 1 - level, coarseChannels.count - 1)]
    }
  }

  /// Builds the tree over the unknowns.
  ///
  /// - Parameters:
  ///   - shape: The grid of the unknowns; nil if they have none.
  ///   - count: The number of unknowns.
  /// - Returns: The tree.
  /// - Throws: `RunError` (64) if the options are not settled for these unknowns.
  public func tree(_ shape: [Int]?, count: Int) throws(RunError) -> ClusterTree {
    let points: PointSet = order == .z ? .grid(shape ?? [count]) : .grid([count])
    do {
      return try ClusterTree.uniform(points, leaf: nil, levels: levels)
    } catch {
      throw .usage(error.message)
    }
  }

  /// Builds the structure of a factor.
  ///
  /// - Parameters:
  ///   - shape: The grid of the unknowns; nil if they have none.
  ///   - count: The number of unknowns.
  /// - Returns: The structure.
  /// - Throws: `RunError` (64) if the options do not fit the unknowns.
  public func structure(_ shape: [Int]?, count: Int) throws(RunError) -> FactorStructure {
    let tree = try tree(shape, count: count)
    do {
      return try FactorStructure(
        tree: tree, pattern: pattern ?? .weak, channels: channels(levels: tree.levels))
    } catch {
      throw .usage(error.description)
    }
  }
}
