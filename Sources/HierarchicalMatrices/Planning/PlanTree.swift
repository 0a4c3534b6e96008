/// What a planner has to choose from: blocks with their spectra, and their parts.
struct PlanTree: Sendable {
  /// A block.
  struct Node: Sendable {
    /// The number of rows.
    let rows: Int
    /// The number of columns.
    let columns: Int
    /// The singular values; nil if the block cannot be truncated.
    let spectrum: BlockSpectrum?
    /// The parts, numbered behind it; empty if it cannot be cut.
    var parts: Range<Int> = 0..<0
    /// In how many ranges of columns it is cut.
    var columnParts = 1
    /// Whether the block can be dense.
    var allowsDense = true
  }

  /// The blocks; the whole comes first, a block before its parts.
  let nodes: [Node]
  /// Whether errors of blocks side by side add as they are, and not by their squares.
  let addsAcross: Bool

  /// The bytes of a number.
  static let numberBytes = 8

  /// The error of a block of which the parts have some errors.
  func combined(_ node: Node, _ errors: [Double]) -> Double {
    var sum = 0.0
    var place = node.parts.lowerBound
    while place < node.parts.upperBound {
      var (squares, row) = (0.0, 0.0)
      for part in place..<place + node.columnParts {
        squares += errors[part] * errors[part]
        row += errors[part]
      }
      sum += addsAcross ? row * row : squares
      place += node.columnParts
    }
    return sum.squareRoot()
  }

  /// The error of a block within that of the whole, for a share that fills the area.
  func share(of node: Node) -> Double {
    let rows = Double(node.rows) / Double(nodes[0].rows)
    let columns = Double(node.columns) / Double(nodes[0].columns)
    return addsAcross ? rows.squareRoot() * columns : (rows * columns).squareRoot()
  }
}

/// What becomes of a block.
enum BlockChoice: Sendable, Equatable {
  /// Low rank, of this rank.
  case truncated(Int)
  /// All of its numbers.
  case dense
  /// Its parts.
  case parts
}

/// A choice for every block; those of which the whole consists count.
struct BlockPlan: Sendable {
  /// The choices.
  var choices: [BlockChoice]
  /// The bytes of the whole, with those of the description of each block if they were asked for.
  var cost: Int
  /// The bound of the error of the whole.
  var error: Double

  /// The blocks of which the whole consists, with their choices.
  func blocks(of tree: PlanTree) -> [(node: Int, choice: BlockChoice)] {
    var result: [(node: Int, choice: BlockChoice)] = []
    var open = [0]
    while let node = open.popLast() {
      if choices[node] == .parts {
        open += tree.nodes[node].parts.reversed()
      } else {
        result.append((node, choices[node]))
      }
    }
    return result
  }
}
