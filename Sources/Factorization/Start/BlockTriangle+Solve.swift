import BlockKernels

/// A block lower triangular matrix T, stored for products and substitution with several vectors at once.
///
/// Neighbouring leaves are joined if that adds few zeros, since small blocks make slow products. What stands below the
/// diagonal of the joined columns is one matrix, so each step is one large product.
struct TriangleSolver {
  /// Joined columns.
  private struct Column {
    /// The unknowns.
    let unknowns: Range<Int>
    /// The unknowns of the rows below, in runs.
    let rows: [Range<Int>]
    let height: Int
    /// Where the diagonal block and its inverse begin, and the transposed blocks below the diagonal, side by side.
    let diagonal: Int
    let inverse: Int
    let below: Int
  }

  /// The most columns that are joined.
  private static let widest = 48

  private let columns: [Column]
  private let elements: AlignedBuffer<Double>
  /// The unknowns of the largest product.
  let scratchSize: Int

  /// Stores a matrix.
  ///
  /// - Throws: `LAPACKError` if a diagonal block is singular.
  init(_ triangle: BlockTriangle) throws(LAPACKError) {
    let structure = triangle.structure
    var columns: [Column] = []
    var groups: [Range<Int>] = []
    var (end, largest) = (0, 0)
    var first = 0
    while first < structure.leafCount {
      let leaves = first..<Self.lastJoined(structure, first) + 1
      let unknowns = structure.starts[leaves.lowerBound]..<structure.starts[leaves.upperBound]
      let rows = structure.rows[leaves.upperBound - 1]
        .map { structure.starts[Int($0)]..<structure.starts[Int($0) + 1] }
      let height = rows.reduce(0) { $0 + $1.count }
      let square = unknowns.count * unknowns.count
      columns.append(
        Column(
          unknowns: unknowns, rows: Self.joined(rows), height: height, diagonal: end,
          inverse: end + square, below: end + 2 * square))
      groups.append(leaves)
      end += 2 * square + height * unknowns.count
      largest = max(largest, unknowns.count + height)
      first = leaves.upperBound
    }
    elements = AlignedBuffer(repeating: 0, count: end)
    self.columns = columns
    scratchSize = largest
    for (column, leaves) in zip(columns, groups) { try fill(column, leaves, triangle) }
  }

  /// Returns runs of unknowns without ends where the next one begins.
  private static func joined(_ rows: [Range<Int>]) -> [Range<Int>] {
    rows.reduce(into: []) { runs, row in
      if let last = runs.last, last.upperBound == row.lowerBound {
        runs[runs.count - 1] = last.lowerBound..<row.upperBound
      } else {
        runs.append(row)
      }
    }
  }

  /// Returns the last leaf whose column is joined with that of a leaf.
  private static func lastJoined(_ structure: BlockStructure, _ first: Int) -> Int {
    func height(_ leaf: Int) -> Int {
      structure.rows[leaf].reduce(0) { $0 + structure.size(Int($1)) }
    }
    var (last, width) = (first, structure.size(first))
    var filled = width * (width + height(first))
    // What a leaf reaches beyond the next one, that one reaches, too.
    while last + 1 < structure.leafCount, structure.rows[last].first == Int32(last + 1) {
      let size = structure.size(last + 1)
      let below = height(last + 1)
      filled += size * (size + below)
      width += size
      guard width <= widest, Double(width * (width + below)) <= 1.5 * Double(filled) else { break }
      last += 1
    }
    return last
  }

  /// Copies the blocks of joined columns.
  private func fill(
    _ column: Column, _ leaves: Range<Int>, _ triangle: BlockTriangle
  ) throws(LAPACKError) {
    let structure = triangle.structure
    let (first, width) = (column.unknowns.lowerBound, column.unknowns.count)
    var diagonal = DenseMatrix(rows: width, columns: width)
    // The place of each row below.
    var places: [Int: Int] = [:]
    var place = 0
    for rows in column.rows {
      for row in rows {
        places[row] = place
        place += 1
      }
    }
    var span = elements.mutableSpan
    for leaf in leaves {
      let left = structure.starts[leaf] - first
      for (index, row) in ([Int32(leaf)] + structure.rows[leaf]).enumerated() {
        let block = triangle.block(leaf, index)
        let top = structure.starts[Int(row)]
        for j in 0..<block.columns {
          for i in 0..<block.rows {
            if leaves.contains(Int(row)) {
              diagonal[top - first + i, left + j] = block[i, j]
            } else if let place = places[top + i] {
              span[column.below + place * width + left + j] = block[i, j]
            }
          }
        }
      }
    }
    let inverse = try diagonal.inverse()
    for index in 0..<width * width {
      span[column.diagonal + index] = diagonal.elements[index]
      span[column.inverse + index] = inverse.elements[index]
    }
  }

  /// Solves T x = b or Tᵀ x = b.
  ///
  /// - Parameters:
  ///   - vectors: The right-hand sides, `[unknown][vector]`; become the solutions.
  ///   - count: The number of vectors.
  ///   - transposed: Whether the matrix is Tᵀ.
  ///   - scratch: ``scratchSize`` numbers for each vector.
  func solve(
    _ vectors: AlignedBuffer<Double>, count: Int, transposed: Bool, _ scratch: AlignedBuffer<Double>
  ) {
    var x = vectors.mutableSpan
    for step in columns.indices {
      let column = columns[transposed ? columns.count - 1 - step : step]
      if transposed {
        gather(column, x, count, scratch)
        product(column, .below, true, scratch, &x, count, scale: -1, keep: 1)
      }
      take(column, x, count, scratch)
      product(column, .inverse, !transposed, scratch, &x, count)
      if !transposed { add(column, times: -1, &x, count, scratch) }
    }
  }

  /// Computes T x in place.
  ///
  /// - Parameters:
  ///   - vectors: The vectors, `[unknown][vector]`; become the products.
  ///   - count: The number of vectors.
  ///   - scratch: ``scratchSize`` numbers for each vector.
  func multiply(
    _ vectors: AlignedBuffer<Double>, count: Int, _ scratch: AlignedBuffer<Double>
  ) {
    var x = vectors.mutableSpan
    for column in columns.reversed() {
      add(column, times: 1, &x, count, scratch)
      take(column, x, count, scratch)
      product(column, .diagonal, true, scratch, &x, count)
    }
  }

  private enum Part { case diagonal, inverse, below }

  /// Replaces or changes the vectors of a column by those in the scratch times a part of it.
  private func product(
    _ column: Column, _ part: Part, _ transposed: Bool, _ scratch: AlignedBuffer<Double>,
    _ x: inout MutableSpan<Double>, _ count: Int, scale: Double = 1, keep: Double = 0
  ) {
    let width = column.unknowns.count
    let inner = part == .below ? column.height : width
    guard inner > 0, width > 0 else { return }
    let start =
      switch part {
      case .diagonal: column.diagonal
      case .inverse: column.inverse
      case .below: column.below
      }
    BLAS.multiply(
      scratch.span, transposed: false,
      elements.span.extracting(start..<start + width * inner), transposedRight: transposed,
      ldb: width, into: &x, ldc: count, m: count, n: width, k: inner, scale: scale, keep: keep,
      cStart: column.unknowns.lowerBound * count)
  }

  /// Adds the products of a column's vectors to those of the rows below.
  private func add(
    _ column: Column, times factor: Double, _ x: inout MutableSpan<Double>, _ count: Int,
    _ scratch: AlignedBuffer<Double>
  ) {
    let (width, height) = (column.unknowns.count, column.height)
    guard height > 0, width > 0 else { return }
    var result = scratch.mutableSpan
    BLAS.multiply(
      x.span.extracting(column.unknowns.lowerBound * count..<column.unknowns.upperBound * count),
      transposed: false,
      elements.span.extracting(column.below..<column.below + width * height), ldb: width,
      into: &result, ldc: count, m: count, n: height, k: width, scale: factor)
    var place = 0
    for rows in column.rows {
      Elementwise.add(
        result.span, at: place, to: &x, in: rows.lowerBound * count..<rows.upperBound * count)
      place += rows.count * count
    }
  }

  /// Copies the vectors of a column.
  private func take(
    _ column: Column, _ x: borrowing MutableSpan<Double>, _ count: Int,
    _ scratch: AlignedBuffer<Double>
  ) {
    var result = scratch.mutableSpan
    Elementwise.copy(
      x.span, at: column.unknowns.lowerBound * count, to: &result,
      in: 0..<column.unknowns.count * count)
  }

  /// Copies the vectors of the rows below.
  private func gather(
    _ column: Column, _ x: borrowing MutableSpan<Double>, _ count: Int,
    _ scratch: AlignedBuffer<Double>
  ) {
    var result = scratch.mutableSpan
    var place = 0
    for rows in column.rows {
      Elementwise.copy(
        x.span, at: rows.lowerBound * count, to: &result, in: place..<place + rows.count * count)
      place += rows.count * count
    }
  }
}

/// Solves A x = b and Aᵀ x = b with an exact factor, and multiplies with its triangles.
final class ExactSolver {
  /// One of the triangles L and Uᵀ.
  enum Triangle { case lower, upper }

  private let lower: TriangleSolver
  private let upper: TriangleSolver
  private var scratch: AlignedBuffer<Double>

  /// Prepares for solving.
  ///
  /// - Parameter factor: The factor.
  /// - Throws: `LAPACKError` if a diagonal block is singular.
  init(_ factor: ExactFactor) throws(LAPACKError) {
    lower = try TriangleSolver(factor.lower)
    upper = if let other = factor.upper { try TriangleSolver(other) } else { lower }
    scratch = AlignedBuffer(
      repeating: 0, count: 16 * max(lower.scratchSize, upper.scratchSize))
  }

  /// Solves.
  ///
  /// - Parameters:
  ///   - vectors: The right-hand sides, `[unknown][vector]`; become the solutions.
  ///   - count: The number of vectors; up to 16 need no memory.
  ///   - transposed: Whether the matrix is Aᵀ = (Uᵀ) (Lᵀ).
  func solve(_ vectors: AlignedBuffer<Double>, count: Int, transposed: Bool = false) {
    divide(vectors, count: count, transposed ? .upper : .lower, transposed: false)
    divide(vectors, count: count, transposed ? .lower : .upper, transposed: true)
  }

  /// Solves T x = b or Tᵀ x = b with one triangle.
  ///
  /// - Parameters:
  ///   - vectors: The right-hand sides, `[unknown][vector]`; become the solutions.
  ///   - count: The number of vectors.
  ///   - triangle: T.
  ///   - transposed: Whether the matrix is Tᵀ.
  func divide(
    _ vectors: AlignedBuffer<Double>, count: Int, _ triangle: Triangle, transposed: Bool
  ) {
    reserve(count)
    (triangle == .lower ? lower : upper)
      .solve(vectors, count: count, transposed: transposed, scratch)
  }

  /// Computes T x in place with one triangle.
  ///
  /// - Parameters:
  ///   - vectors: The vectors, `[unknown][vector]`; become the products.
  ///   - count: The number of vectors.
  ///   - triangle: T.
  func multiply(_ vectors: AlignedBuffer<Double>, count: Int, _ triangle: Triangle) {
    reserve(count)
    (triangle == .lower ? lower : upper).multiply(vectors, count: count, scratch)
  }

  private func reserve(_ count: Int) {
    let size = count * max(lower.scratchSize, upper.scratchSize)
    if scratch.count < size { scratch = AlignedBuffer(repeating: 0, count: size) }
  }
}
