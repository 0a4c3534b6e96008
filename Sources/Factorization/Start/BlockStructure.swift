import BlockKernels

/// The blocks of leaves that a factorization without pivoting between leaves fills, below the diagonal.
///
/// It is that of a symmetric pattern: a block that is there below the diagonal or above it stands on both sides.
struct BlockStructure: Sendable {
  /// The first unknown of each leaf, and the number of unknowns.
  let starts: [Int]
  /// For each leaf k the leaves i > k with a block (i, k), ascending.
  let rows: [[Int32]]

  /// Finds the fill.
  ///
  /// - Parameters:
  ///   - starts: The first unknown of each leaf, and the number of unknowns.
  ///   - rowStarts: The first entry of each row of the matrix, and the number of entries.
  ///   - columns: The column of each entry.
  /// - Complexity: O(blocks of the factor).
  init(starts: [Int], rowStarts: [Int], columns: [Int32]) {
    self.starts = starts
    let count = starts.count - 1
    var leaf = [Int32](repeating: 0, count: starts[count])
    for box in 0..<count {
      for unknown in starts[box]..<starts[box + 1] { leaf[unknown] = Int32(box) }
    }
    var lists = [[Int32]](repeating: [], count: count)
    for row in leaf.indices {
      for entry in rowStarts[row]..<rowStarts[row + 1] {
        let (a, b) = (leaf[row], leaf[Int(columns[entry])])
        if a != b, lists[Int(min(a, b))].last != max(a, b) {
          lists[Int(min(a, b))].append(max(a, b))
        }
      }
    }
    // The elimination tree of blocks: what a leaf leaves behind goes to the first leaf that it reaches.
    for box in 0..<count {
      let list = Self.ascending(lists[box])
      lists[box] = list
      guard let parent = list.first, list.count > 1 else { continue }
      lists[Int(parent)].append(contentsOf: list.dropFirst())
    }
    rows = lists
  }

  private static func ascending(_ list: [Int32]) -> [Int32] {
    var result: [Int32] = []
    for item in list.sorted() where item != result.last { result.append(item) }
    return result
  }

  /// The number of leaves.
  var leafCount: Int { rows.count }

  /// Returns the number of unknowns of a leaf.
  func size(_ leaf: Int) -> Int { starts[leaf + 1] - starts[leaf] }

  /// The number of blocks on and below the diagonal.
  var blockCount: Int { rows.reduce(leafCount) { $0 + $1.count } }
}

/// A block lower triangular matrix of leaves, block column by block column.
struct BlockTriangle: Sendable {
  let structure: BlockStructure
  /// For each leaf k where the blocks of its column begin: the diagonal block, then those of the rows, each column-major
  /// with the unknowns of its row as rows.
  let columnStarts: [Int]
  var elements: [Double]

  /// Creates zeros.
  init(_ structure: BlockStructure) {
    self.structure = structure
    var starts = [0]
    for leaf in 0..<structure.leafCount {
      let rows = structure.rows[leaf].reduce(structure.size(leaf)) {
        $0 + structure.size(Int($1))
      }
      starts.append(starts[leaf] + rows * structure.size(leaf))
    }
    columnStarts = starts
    elements = [Double](repeating: 0, count: starts[starts.count - 1])
  }

  /// Returns where the blocks of a column begin: the diagonal block first.
  func places(_ leaf: Int) -> [Int] {
    var place = columnStarts[leaf]
    let width = structure.size(leaf)
    var result = [place]
    place += width * width
    for row in structure.rows[leaf] {
      result.append(place)
      place += structure.size(Int(row)) * width
    }
    return result
  }

  /// Returns the diagonal block of a leaf.
  func diagonal(_ leaf: Int) -> DenseMatrix {
    let width = structure.size(leaf)
    let first = columnStarts[leaf]
    return DenseMatrix(
      rows: width, columns: width, elements: Array(elements[first..<first + width * width]))
  }

  /// Visits the blocks below the diagonal, column by column.
  func visit(_ body: (_ row: Int, _ column: Int, _ block: DenseMatrix) throws -> Void) rethrows {
    for column in 0..<structure.leafCount {
      let places = places(column)
      for (index, row) in structure.rows[column].enumerated() {
        let (height, width) = (structure.size(Int(row)), structure.size(column))
        let first = places[index + 1]
        try body(
          Int(row), column,
          DenseMatrix(
            rows: height, columns: width, elements: Array(elements[first..<first + height * width]))
        )
      }
    }
  }
}
