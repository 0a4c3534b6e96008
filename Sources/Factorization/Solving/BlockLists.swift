import BlockSparse
import ClusterTrees
import OperatorNetworks

/// Where the blocks of a slice stand among the parameters.
///
/// A class, so that it is passed on at little cost.
final class SliceBlocks {
  private let start: Int
  private let rowStarts: [Int]
  private let weightStarts: [Int]
  private let groupInputs: [Int]
  private let entryInputs: [Int32]

  init(_ slice: ParameterSlice) {
    start = slice.start
    rowStarts = slice.shape.pattern.rowStarts
    weightStarts = slice.shape.weightStarts
    groupInputs = slice.shape.groupInputs
    entryInputs = slice.shape.entryInputs
  }

  /// Returns the place of the first number of a block, and the distance between outputs.
  func place(_ row: Int, _ entry: Int) -> (first: Int, stride: Int) {
    (start + weightStarts[row] + Int(entryInputs[rowStarts[row] + entry]), groupInputs[row])
  }
}

/// The blocks of each row of a block matrix, or of its transpose.
struct BlockLists {
  private let offsets: [Int]
  /// Where a block stands among the parameters: its row, and its number there.
  let rows: [Int32]
  let entries: [Int32]
  /// The box by whose values it is multiplied.
  let sources: [Int32]

  var targetCount: Int { offsets.count - 1 }

  init(_ lists: BoxLists, isTransposed: Bool) {
    let count = lists.targetCount
    var offsets = [Int](repeating: 0, count: count + 1)
    for row in 0..<count {
      for source in lists.sources(of: row) { offsets[(isTransposed ? Int(source) : row) + 1] += 1 }
    }
    for target in 0..<count { offsets[target + 1] += offsets[target] }
    var rows = [Int32](repeating: 0, count: offsets[count])
    var (entries, sources, next) = (rows, rows, offsets)
    for row in 0..<count {
      for (entry, source) in lists.sources(of: row).enumerated() {
        let target = isTransposed ? Int(source) : row
        let place = next[target]
        next[target] += 1
        rows[place] = Int32(row)
        entries[place] = Int32(entry)
        sources[place] = isTransposed ? Int32(row) : source
      }
    }
    self.offsets = offsets
    (self.rows, self.entries, self.sources) = (rows, entries, sources)
  }

  func places(of target: Int) -> Range<Int> { offsets[target]..<offsets[target + 1] }
}
