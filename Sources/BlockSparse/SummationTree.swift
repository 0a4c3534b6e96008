/// The binary tree by which items in a fixed order are summed.
///
/// A node covers an aligned range of items. Its sum is that of its left half plus that of its right half,
/// or that of its left half alone if the right one lies beyond the last item. So the sum is a function of
/// the items only, and does not depend on which rank computes which part.
public struct SummationTree: Sendable, Equatable {
  /// An aligned range of 2^level items.
  public struct Node: Sendable, Equatable {
    /// How often the range can be halved.
    public let level: Int
    /// Its place among the nodes of its level.
    public let index: Int

    /// Creates a node.
    ///
    /// - Parameters:
    ///   - level: How often the range can be halved.
    ///   - index: Its place among the nodes of its level.
    public init(level: Int, index: Int) {
      self.level = level
      self.index = index
    }

    /// The lower half.
    public var left: Node { Node(level: level - 1, index: 2 * index) }
    /// The upper half.
    public var right: Node { Node(level: level - 1, index: 2 * index + 1) }
    /// The node that this one is a half of.
    public var parent: Node { Node(level: level + 1, index: index / 2) }
  }

  /// One step of a summation with a stack: a term is put on a place, then the topmost term is added to the
  /// one below it some times.
  public struct Step: Sendable, Equatable {
    /// The place of the term on the stack.
    public let place: Int
    /// How often the topmost term is added to the one below it afterwards.
    public let merges: Int
  }

  /// The number of items.
  public let count: Int

  /// Creates the tree over items.
  ///
  /// - Parameter count: The number of items.
  public init(count: Int) { self.count = count }

  /// The number of halvings down to one item.
  public var depth: Int {
    var depth = 0
    while 1 << depth < count { depth += 1 }
    return depth
  }

  /// The node of all items.
  public var root: Node { Node(level: depth, index: 0) }

  /// Returns the items that a node covers.
  ///
  /// - Parameter node: The node.
  /// - Returns: The items; none if the node lies beyond the last one.
  public func items(of node: Node) -> Range<Int> {
    min(node.index << node.level, count)..<min((node.index + 1) << node.level, count)
  }

  /// Returns the largest nodes inside a range of items.
  ///
  /// - Parameter range: The items.
  /// - Returns: The nodes from left to right.
  public func maximalNodes(inside range: Range<Int>) -> [Node] {
    func collect(_ node: Node) -> [Node] {
      let covered = items(of: node)
      if covered.isEmpty || covered.clamped(to: range).isEmpty { return [] }
      if range.lowerBound <= covered.lowerBound && covered.upperBound <= range.upperBound {
        return [node]
      }
      return collect(node.left) + collect(node.right)
    }
    return collect(root)
  }

  /// Returns how the sums of nodes are added up to that of a node above them.
  ///
  /// - Parameters:
  ///   - nodes: Nodes from left to right that cover the items of `root`, each once.
  ///   - root: The node whose sum is wanted; it ends on place 0.
  /// - Returns: One step for each of the nodes.
  public func steps(_ nodes: [Node], into root: Node) -> [Step] {
    var stack = 0
    return nodes.map { node in
      var (current, merges) = (node, 0)
      while current != root {
        if current.index % 2 == 1 {
          merges += 1
        } else if !items(of: Node(level: current.level, index: current.index + 1)).isEmpty {
          break
        }
        current = current.parent
      }
      let step = Step(place: stack, merges: merges)
      stack += 1 - merges
      return step
    }
  }

  /// Returns how the items of a node are added up.
  ///
  /// - Parameter node: The node whose sum is wanted; it ends on place 0.
  /// - Returns: One step for each of its items.
  public func steps(within node: Node) -> [Step] {
    steps(items(of: node).map { Node(level: 0, index: $0) }, into: node)
  }
}
