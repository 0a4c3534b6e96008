import BlockKernels
public import MessagePassing
public import OperatorNetworks
public import SparseMatrices

/// The exact factorization of a matrix in blocks of leaves, without pivoting between them.
///
/// A = L Lᵀ of a symmetric positive definite matrix, its diagonal blocks lower triangular; else A = L U, where L has
/// identity blocks on the diagonal, and pivoting stays inside of the diagonal blocks of U, which are dense.
///
/// No library has this one: LAPACK pivots over all rows, which breaks the order of the tree, and UMFPACK does, too. It is
/// right-looking: a leaf is eliminated, and its column updates what stands behind it. In a structure that lacks what
/// fills it is incomplete, as the start of matrices whose factor does not fit into memory.
public struct ExactFactor: Sendable {
  /// L.
  var lower: BlockTriangle
  /// Uᵀ, lower triangular; nil if it is L.
  var upper: BlockTriangle?

  /// Factorizes.
  ///
  /// Where the structure lacks blocks that fill, the factorization is incomplete: they are dropped.
  ///
  /// - Parameters:
  ///   - structure: The blocks of the factors.
  ///   - matrix: A in the order of the leaves.
  ///   - isPositive: Whether A is symmetric and taken to be positive definite.
  ///   - shift: A multiple of the diagonal of A that is added to it.
  /// - Throws: `RunError` (65) if A is not positive definite, or a diagonal block is singular when its leaf is eliminated.
  /// - Complexity: Two flops for each pair of blocks in a column and each triple of unknowns.
  init(
    structure: BlockStructure, _ matrix: SparseMatrix, isPositive: Bool, shift: Double = 0
  ) throws(RunError) {
    lower = BlockTriangle(structure)
    upper = isPositive ? nil : BlockTriangle(structure)
    fill(matrix, shift)
    for leaf in 0..<structure.leafCount { try eliminate(leaf) }
  }

  /// Factorizes with all blocks that fill.
  ///
  /// - Parameters:
  ///   - matrix: A in the order of the tree.
  ///   - structure: The structure of the factors: its leaves are eliminated one after the other.
  ///   - isPositive: Whether A is symmetric and taken to be positive definite.
  /// - Throws: `RunError` (65) if A is not positive definite, or a diagonal block is singular when its leaf is eliminated.
  public init(
    _ matrix: SparseMatrix, _ structure: FactorStructure, isPositive: Bool
  ) throws(RunError) {
    try self.init(
      structure: BlockStructure(
        starts: structure.leafStarts, rowStarts: matrix.rowStarts, columns: matrix.columns),
      matrix, isPositive: isPositive)
  }

  /// Makes room for a factor that another rank has.
  init(zerosOf structure: BlockStructure, isPositive: Bool) {
    lower = BlockTriangle(structure)
    upper = isPositive ? nil : BlockTriangle(structure)
  }

  /// Copies the factor of the first rank to all others.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Bcast`.
  mutating func broadcast(on ranks: borrowing Communicator) throws(MPIError) {
    try Self.broadcast(&lower, on: ranks)
    guard var triangle = upper else { return }
    // Without this, the elements would be copied.
    upper = nil
    try Self.broadcast(&triangle, on: ranks)
    upper = triangle
  }

  private static func broadcast(
    _ triangle: inout BlockTriangle, on ranks: borrowing Communicator
  ) throws(MPIError) {
    var span = triangle.elements.mutableSpan
    try ranks.broadcast(&span, from: 0)
  }

  /// Copies A: its lower part into L, the transpose of its upper part into Uᵀ.
  private mutating func fill(_ matrix: SparseMatrix, _ shift: Double) {
    let structure = lower.structure
    let (rowStarts, columns) = (matrix.rowStarts, matrix.columns)
    var leaf = [Int](repeating: 0, count: structure.starts[structure.leafCount])
    for box in 0..<structure.leafCount {
      for unknown in structure.starts[box]..<structure.starts[box + 1] { leaf[unknown] = box }
    }
    // The blocks of a column in reach, by their row.
    var places = [Int?](repeating: nil, count: structure.leafCount)
    var entriesOfColumn = [[Int]](repeating: [], count: structure.leafCount)
    var rowOfEntry = [Int32](repeating: 0, count: columns.count)
    for row in leaf.indices {
      for entry in rowStarts[row]..<rowStarts[row + 1] {
        rowOfEntry[entry] = Int32(row)
        entriesOfColumn[min(leaf[row], leaf[Int(columns[entry])])].append(entry)
      }
    }
    for box in 0..<structure.leafCount {
      for (place, row) in zip(lower.places[box], [Int32(box)] + structure.rows[box]) {
        places[Int(row)] = place
      }
      for entry in entriesOfColumn[box] {
        let (row, column) = (Int(rowOfEntry[entry]), Int(columns[entry]))
        let value = matrix.values[entry] * (row == column ? 1 + shift : 1)
        if leaf[row] >= leaf[column], let place = places[leaf[row]] {
          let local = row - structure.starts[leaf[row]]
          let offset = (column - structure.starts[box]) * structure.size(leaf[row]) + local
          lower.elements[place + offset] += value
        }
        if leaf[column] >= leaf[row], let place = places[leaf[column]] {
          let local = column - structure.starts[leaf[column]]
          let offset = (row - structure.starts[box]) * structure.size(leaf[column]) + local
          upper?.elements[place + offset] += value
        }
      }
      // The next column may have other blocks.
      for row in [Int32(box)] + structure.rows[box] { places[Int(row)] = nil }
    }
  }

  /// Eliminates a leaf.
  private mutating func eliminate(_ leaf: Int) throws(RunError) {
    let structure = lower.structure
    let (places, rows) = (lower.places[leaf], structure.rows[leaf])
    let width = structure.size(leaf)
    let below = places[0] + width * width..<places[places.count - 1]
    // The blocks below the diagonal, one below the other, are divided by the diagonal block from the right.
    var diagonal = lower.diagonal(leaf)
    guard diagonal.elements.allSatisfy(\.isFinite) else {
      throw .data("the factorization overflows in the block of unknown \(structure.starts[leaf])")
    }
    if upper == nil {
      var span = diagonal.elements.mutableSpan
      do {
        try LAPACK.factorize(&span, order: width)
      } catch {
        throw .data(
          "the matrix is not positive definite: its factorization fails in the block of unknown "
            + "\(structure.starts[leaf])")
      }
      for column in 1..<max(width, 1) {
        for row in 0..<column { diagonal[row, column] = 0 }
      }
      for place in diagonal.elements.indices {
        lower.elements[places[0] + place] = diagonal.elements[place]
      }
      for (index, row) in rows.enumerated() {
        divide(places[index + 1], structure.size(Int(row)), by: diagonal)
      }
    } else {
      let inverse: DenseMatrix
      do {
        inverse = try diagonal.inverse()
      } catch {
        throw .data(
          "the diagonal block of unknown \(structure.starts[leaf]) is singular when its turn comes: there is no "
            + "factorization without pivoting in this order")
      }
      for index in rows.indices {
        let first = places[index + 1]
        let quotient = lower.block(leaf, index + 1).times(inverse)
        for place in quotient.elements.indices {
          lower.elements[first + place] = quotient.elements[place]
        }
      }
      // L has the identity on the diagonal, Uᵀ the transposed block.
      let identity = DenseMatrix.identity(width)
      for place in identity.elements.indices {
        lower.elements[places[0] + place] = identity.elements[place]
      }
    }
    guard !rows.isEmpty else { return }
    let left = Array(lower.elements[below])
    guard var triangle = upper else { return Self.update(&lower, leaf, left, left) }
    let right = Array(triangle.elements[below])
    Self.update(&lower, leaf, left, right)
    // Without this, the elements would be copied.
    upper = nil
    Self.update(&triangle, leaf, right, left)
    upper = triangle
  }

  /// Replaces a block B by B L⁻ᵀ.
  private mutating func divide(_ first: Int, _ height: Int, by triangle: DenseMatrix) {
    let width = triangle.rows
    for column in 0..<width {
      for before in 0..<column {
        let factor = triangle[column, before]
        guard factor != 0 else { continue }
        for row in 0..<height {
          lower.elements[first + column * height + row] -=
            lower.elements[first + before * height + row] * factor
        }
      }
      for row in 0..<height {
        lower.elements[first + column * height + row] /= triangle[column, column]
      }
    }
  }

  /// Subtracts the products of a column's blocks from what stands behind it: B_ij −= left_i right_jᵀ for i ≥ j.
  private static func update(
    _ triangle: inout BlockTriangle, _ leaf: Int, _ left: [Double], _ right: [Double]
  ) {
    let structure = triangle.structure
    let rows = structure.rows[leaf]
    let width = structure.size(leaf)
    var starts = [0]
    for row in rows { starts.append(starts[starts.count - 1] + structure.size(Int(row)) * width) }
    for (second, column) in rows.enumerated() {
      let places = triangle.places[Int(column)]
      let targets = structure.rows[Int(column)]
      var cursor = 0
      for first in second..<rows.count {
        // The rows of a column are among those of the first leaf that it reaches, and of those behind.
        let place: Int
        if first == second {
          place = places[0]
        } else {
          // An incomplete factor lacks some.
          while cursor < targets.count, targets[cursor] < rows[first] { cursor += 1 }
          guard cursor < targets.count, targets[cursor] == rows[first] else { continue }
          place = places[cursor + 1]
        }
        subtract(
          left, starts[first], structure.size(Int(rows[first])), right, starts[second],
          structure.size(Int(column)), width, from: &triangle.elements, place)
      }
    }
  }

  /// C −= A Bᵀ, all column-major.
  private static func subtract(
    _ a: [Double], _ aStart: Int, _ m: Int, _ b: [Double], _ bStart: Int, _ n: Int, _ k: Int,
    from c: inout [Double], _ cStart: Int
  ) {
    var target = c.mutableSpan
    let (left, right) = (a.span, b.span)
    guard m * n * k < 1 << 11 else {
      return BLAS.multiply(
        left.extracting(aStart..<aStart + m * k), transposed: false,
        right.extracting(bStart..<bStart + n * k), transposedRight: true, ldb: n, into: &target,
        ldc: m, m: m, n: n, k: k, scale: -1, keep: 1, cStart: cStart)
    }
    for inner in 0..<k {
      for column in 0..<n {
        let factor = right[bStart + inner * n + column]
        guard factor != 0 else { continue }
        for row in 0..<m {
          target[cStart + column * m + row] -= left[aStart + inner * m + row] * factor
        }
      }
    }
  }
}
