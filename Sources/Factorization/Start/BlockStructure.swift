import BlockKernels
import ClusterTrees

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

  /// Takes the blocks of a list, without fill: what an incomplete factorization keeps.
  ///
  /// - Parameters:
  ///   - starts: The first unknown of each leaf, and the number of unknowns.
  ///   - near: For each leaf i the leaves j < i with a block (i, j).
  init(starts: [Int], near: BoxLists) {
    self.starts = starts
    var lists = [[Int32]](repeating: [], count: starts.count - 1)
    for row in 0..<near.targetCount {
      for column in near.sources(of: row) { lists[Int(column)].append(Int32(row)) }
    }
    rows = lists
  }

  /// Takes all blocks of the triangle: what the inverse of a factor fills.
  ///
  /// - Parameter starts: The first unknown of each leaf, and the number of unknowns.
  init(full starts: [Int]) {
    self.starts = starts
    let count = starts.count - 1
    rows = (0..<count).map { column in (column + 1..<max(count, column + 1)).map { Int32($0) } }
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

  /// The most unknowns of a leaf.
  var largestSize: Int { (0..<leafCount).reduce(0) { max($0, size($1)) } }

  /// The number of elements of all blocks on and below the diagonal.
  var elementCount: Int {
    (0..<leafCount).reduce(0) { sum, leaf in
      sum + size(leaf) * rows[leaf].reduce(size(leaf)) { $0 + size(Int($1)) }
    }
  }
}

/// A block lower triangular matrix of leaves, block column by block column.
struct BlockTriangle: Sendable {
  let structure: BlockStructure
  /// For each leaf k where the blocks of its column begin: the diagonal block, then those of the rows, each column-major
  /// with the unknowns of its row as rows; and where the column ends.
  let places: [[Int]]
  var elements: [Double]

  /// Creates zeros.
  init(_ structure: BlockStructure) {
    self.structure = structure
    var places: [[Int]] = []
    var place = 0
    for leaf in 0..<structure.leafCount {
      let width = structure.size(leaf)
      var column = [place]
      for row in [Int32(leaf)] + structure.rows[leaf] {
        place += structure.size(Int(row)) * width
        column.append(place)
      }
      places.append(column)
    }
    self.places = places
    elements = [Double](repeating: 0, count: place)
  }

  /// Returns a block of a column: the diagonal one, or that of the row before the given place.
  func block(_ column: Int, _ index: Int) -> DenseMatrix {
    let place = places[column][index]..<places[column][index + 1]
    let width = structure.size(column)
    return DenseMatrix(
      rows: place.count / width, columns: width, elements: Array(elements[place]))
  }

  /// Returns the diagonal block of a leaf.
  func diagonal(_ leaf: Int) -> DenseMatrix { block(leaf, 0) }

  /// Visits the blocks below the diagonal, column by column.
  ///
  /// - Parameters:
  ///   - isWanted: Whether the block of a row and a column is wanted; all by default.
  ///   - body: Receives row, column and block.
  func visit(
    where isWanted: (_ row: Int, _ column: Int) -> Bool = { _, _ in true },
    _ body: (_ row: Int, _ column: Int, _ block: DenseMatrix) -> Void
  ) {
    for column in 0..<structure.leafCount {
      for (index, row) in structure.rows[column].enumerated() where isWanted(Int(row), column) {
        body(Int(row), column, block(column, index + 1))
      }
    }
  }
}
