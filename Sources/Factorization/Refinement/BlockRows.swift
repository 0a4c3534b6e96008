import BlockKernels
import BlockSparse
import ClusterTrees
import OperatorNetworks

/// Which parameters may change: all but those of the gauge, or those of one block row.
///
/// A block row i owns the parameters that no block row before it depends on: its dense blocks, its basis, the transfers and
/// bridges of the boxes that begin with it, and bases of columns that no row before it sees.
struct BlockRows {
  typealias Vectors = AlignedBuffer<Double>

  private let factors: Factors
  /// For each parameter whether it may change at all.
  private let isFree: [Bool]
  /// For each parameter the block row that owns it.
  private let rows: [Int32]
  /// The unknowns of each block row.
  let unknowns: [Range<Int>]

  init(_ factors: Factors) {
    self.factors = factors
    let tree = factors.structure.tree
    unknowns = (0..<tree.boxCount(level: tree.levels)).map {
      tree.pointRange(level: tree.levels, box: $0)
    }
    var free = [Bool](repeating: true, count: factors.parameterCount)
    var rows = [Int32](repeating: 0, count: factors.parameterCount)
    // The diagonal blocks are lower triangular if U is Lᵀ, else those of L are identities.
    for leaf in unknowns.indices {
      let place = BlockPlace(factors.lower.diagonal, leaf, 0)
      for output in 0..<place.outputs {
        for input in 0..<place.inputs where !factors.isSymmetric || input > output {
          free[place.first + output * place.stride + input] = false
        }
      }
    }
    for blocks in factors.isSymmetric ? [factors.lower] : [factors.lower, factors.upper] {
      Self.own(blocks, &rows)
    }
    (isFree, self.rows) = (free, rows)
  }

  /// Returns the mask of all parameters that may change, or of those of a block row.
  func mask(row: Int? = nil) -> Vectors {
    let result = Vectors(repeating: 0, count: isFree.count)
    for place in isFree.indices where isFree[place] {
      if let row, rows[place] != Int32(row) { continue }
      result[place] = 1
    }
    return result
  }

  /// Notes the owners of the parameters of one factor.
  private static func own(_ blocks: FactorBlocks, _ rows: inout [Int32]) {
    let structure = blocks.structure
    let tree = structure.tree
    let leaves = tree.levels
    func set(_ slice: ParameterSlice?, _ owner: (_ row: Int) -> Int) {
      guard let slice else { return }
      let pattern = slice.shape.pattern
      for row in 0..<slice.shape.target.boxCount {
        let count = pattern.rowStarts[row + 1] - pattern.rowStarts[row]
        for entry in 0..<count {
          let place = BlockPlace(slice, row, entry)
          for output in 0..<place.outputs {
            for input in 0..<place.inputs {
              rows[place.first + output * place.stride + input] = Int32(owner(row))
            }
          }
        }
      }
    }
    func firstLeaf(_ level: Int, _ box: Int) -> Int { box * tree.boxCount(level: leaves - level) }
    set(blocks.diagonal) { $0 }
    set(blocks.near) { $0 }
    set(blocks.leafInterpolation) { $0 }
    // The first block row that sees a box, or one above it.
    var seen = [[Int]](
      repeating: [Int](repeating: 0, count: 1), count: leaves + 1)
    for level in 0...leaves {
      var first = (0..<tree.boxCount(level: level)).map {
        level == 0 ? Int.max : seen[level - 1][$0 / tree.arity]
      }
      for box in 0..<structure.far[level].targetCount {
        for source in structure.far[level].sources(of: box) {
          first[Int(source)] = min(first[Int(source)], firstLeaf(level, box))
        }
      }
      seen[level] = first
    }
    let last = tree.boxCount(level: leaves) - 1
    set(blocks.leafRestriction) { min(seen[leaves][$0], last) }
    for level in 0...leaves {
      set(blocks.bridges[level]) { firstLeaf(level, $0) }
      set(blocks.restrictions[level]) { min(seen[level][$0], last) }
      set(blocks.interpolations[level]) { firstLeaf(level + 1, $0) }
    }
  }
}
