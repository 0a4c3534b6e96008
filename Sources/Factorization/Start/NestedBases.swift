import BlockKernels
import ClusterTrees
import OperatorNetworks

/// The blocks of one side of a triangular matrix, box by box: for each box the leaves on the other side that are not near
/// it, with the part of the matrix between both in the basis of the box.
struct FarBlocks {
  /// One block: the coefficients of the box times the unknowns of the leaf.
  struct Block {
    let leaf: Int32
    /// The level whose boxes see each other across this block.
    let level: Int8
    var matrix: DenseMatrix
  }

  /// For each box of the level, its blocks by ascending leaf.
  var boxes: [[Block]]

  /// Returns orthonormal bases of the columns of each box's blocks, the best for their Frobenius norm, and replaces the
  /// blocks by their coefficients in it.
  ///
  /// - Parameters:
  ///   - count: The number of basis vectors.
  ///   - sizes: The rows of each box, at least `count`.
  /// - Returns: For each box a matrix rows × count; where fewer vectors are needed, orthonormal ones fill it up.
  /// - Throws: `LAPACKError` if singular values do not converge.
  mutating func compress(to count: Int, sizes: [Int]) throws(LAPACKError) -> [DenseMatrix] {
    var bases: [DenseMatrix] = []
    for box in boxes.indices {
      let basis = try Self.basis(boxes[box].map(\.matrix), rows: sizes[box], count: count)
      for index in boxes[box].indices {
        boxes[box][index].matrix = basis.times(boxes[box][index].matrix, transposesLeft: true)
      }
      bases.append(basis)
    }
    return bases
  }

  /// Returns the first left singular vectors of matrices that stand side by side.
  private static func basis(
    _ parts: [DenseMatrix], rows: Int, count: Int
  ) throws(LAPACKError) -> DenseMatrix {
    var matrix =
      parts.isEmpty ? DenseMatrix(rows: rows, columns: 0) : DenseMatrix.beside(parts)
    if matrix.columns > 2 * rows {
      // F = Rᵀ Qᵀ has the left singular vectors of Rᵀ.
      matrix = try matrix.transposed.triangle().transposed
    }
    if matrix.columns < rows { matrix = matrix.widened(to: rows) }
    let left = try matrix.singularValueDecomposition().left
    let kept = min(count, left.columns)
    return left.block(0..<rows, 0..<kept).widened(to: count)
  }

  /// Puts the blocks of children one below the other, without those that their own level covers.
  ///
  /// - Parameters:
  ///   - arity: The number of children of a box.
  ///   - level: The level of the children.
  ///   - count: The coefficients of a child.
  /// - Returns: The blocks of the parents, their rows those of all children.
  func joined(arity: Int, level: Int, count: Int) -> FarBlocks {
    FarBlocks(
      boxes: (0..<boxes.count / arity).map { parent in
        var places: [Int32: Int] = [:]
        var result: [Block] = []
        for child in 0..<arity {
          for block in boxes[parent * arity + child] where Int(block.level) < level {
            let place = places[block.leaf] ?? result.count
            if place == result.count {
              places[block.leaf] = place
              result.append(
                Block(
                  leaf: block.leaf, level: block.level,
                  matrix: DenseMatrix(rows: arity * count, columns: block.matrix.columns)))
            }
            for column in 0..<block.matrix.columns {
              for row in 0..<count {
                result[place].matrix.elements[column * arity * count + child * count + row] =
                  block.matrix.elements[column * count + row]
              }
            }
          }
        }
        return result.sorted { $0.leaf < $1.leaf }
      })
  }
}

extension FactorStructure {
  /// Returns the level on which the boxes above two leaves j < i see each other; nil if the leaves are near.
  ///
  /// Where a pattern covers a block more than once, it is the finest level. A block that no level covers is near no
  /// bases: it is left out.
  func coveringLevel(_ i: Int, _ j: Int) -> Int? {
    if near.entry(i, j) != nil { return nil }
    var (a, b) = (i, j)
    for level in stride(from: tree.levels, through: 1, by: -1) {
      if far[level].entry(a, b) != nil { return level }
      (a, b) = (a / tree.arity, b / tree.arity)
    }
    return nil
  }
}
