import BlockKernels
import CheckSupport
import KrylovMethods
import MessagePassing
import Preconditioners
import SparseMatrices

/// Preconditioners of sparse matrices and what they plan.
let preconditionerChecks = [
  Check("incomplete-factors", checkIncompleteFactors),
  Check("diagonal-factors", checkDiagonalFactors),
  Check("matrix-operator", checkMatrixOperator),
]

/// Matrices that are not symmetric, some of them not even in their structure.
private func matrices() throws -> [SparseMatrix] {
  let plane = try ModelMatrix.convectionDiffusion2D.matrix(shape: [9, 7])
  // Neighbours are far from each other, so that most ranks share entries.
  let scattered = plane.permuted(by: (0..<63).map { Int32($0 * 25 % 63) })
  var triplets = (0..<41).map {
    SparseMatrix.Triplet(row: $0, column: $0, value: 3 + Double($0 % 4))
  }
  for index in 0..<150 {
    let (row, column) = (Int32(index * 37 % 41), Int32((index * index + 5) % 41))
    triplets.append(.init(row: row, column: column, value: Double(index % 13) / 26 - 0.3))
  }
  return [
    try ModelMatrix.convectionDiffusion1D.matrix(shape: [23]), plane, scattered,
    try SparseMatrix(rowCount: 41, columnCount: 41, triplets: triplets),
    // All entries are stored: the factors are complete.
    try ModelMatrix.exponential.matrix(shape: [5, 4]),
    try SparseMatrix(rowCount: 0, columnCount: 0, triplets: []),
  ]
}

/// Cuts of some rows for all ranks: even ones, uneven ones, and some with empty ranges.
func cuts(_ count: Int, _ size: Int) -> [[Int]] {
  let even = (0...size).map { count * $0 / size }
  let uneven = (0...size).map { count * $0 * $0 / (size * size) }
  let last = [Int](repeating: 0, count: size) + [count]
  let first = [0] + [Int](repeating: count, count: size)
  let pairs = (0...size).map { $0 == size ? count : count * ($0 / 2 * 2) / size }
  return [even, uneven, last, first, pairs]
}

/// Gaussian elimination as in textbooks, row by row, that drops what falls where A has no entry.
private func textbookFactors(_ matrix: SparseMatrix) throws -> DenseMatrix {
  var a = try matrix.dense()
  var isEntry = DenseMatrix(rows: a.rows, columns: a.columns)
  for row in 0..<a.rows {
    for place in matrix.rowStarts[row]..<matrix.rowStarts[row + 1] {
      isEntry[row, Int(matrix.columns[place])] = 1
    }
  }
  for i in 0..<a.rows {
    for k in 0..<i where isEntry[i, k] == 1 {
      a[i, k] /= a[k, k]
      for j in k + 1..<a.rows where isEntry[i, j] == 1 { a[i, j] -= a[i, k] * a[k, j] }
    }
  }
  return a
}

/// The product of the factors that stand in one matrix.
private func product(_ factors: DenseMatrix) -> DenseMatrix {
  let n = factors.rows
  var (lower, upper) = (TestSystem.identity(n), DenseMatrix(rows: n, columns: n))
  for i in 0..<n {
    for j in 0..<n {
      if j < i { lower[i, j] = factors[i, j] } else { upper[i, j] = factors[i, j] }
    }
  }
  return lower.times(upper)
}

/// Right-hand sides, and the rows of one rank of a block.
private func vectors(_ rows: Int, _ columns: Int) -> DenseMatrix {
  var result = DenseMatrix(rows: rows, columns: columns)
  for i in result.elements.indices {
    result.elements[i] = Double((i * 7919 + 13) % 1009) / 504 - 1
  }
  return result
}

private func part(_ whole: DenseMatrix, _ rows: Range<Int>) -> [Double] {
  (0..<whole.columns).flatMap { c in rows.map { whole[$0, c] } }
}

/// Applies an operator to what this rank has of a block, and compares what it sends with its plan.
private func apply(
  _ operation: any PlannedOperator, _ whole: DenseMatrix, _ rows: Range<Int>,
  on ranks: borrowing Communicator
) throws -> [Double] {
  let own = part(whole, rows)
  var results = [Double](repeating: .nan, count: own.count)
  var span = results.mutableSpan
  let before = (ranks.traffic.messages, ranks.traffic.messageBytes, ranks.traffic.collectives)
  try operation.apply(own.span, into: &span, columns: whole.columns, on: ranks)
  let sent = (ranks.traffic.messages - before.0, ranks.traffic.messageBytes - before.1)
  let plan = (
    operation.messages(columns: whole.columns), operation.messageBytes(columns: whole.columns)
  )
  try expect(sent == plan, "\(sent) messages and bytes, planned \(plan)")
  try expect(ranks.traffic.collectives == before.2, "an application is a collective")
  return results
}

/// The largest difference, relative to the largest number.
private func difference(_ found: [Double], _ expected: [Double]) -> Double {
  let scale = expected.reduce(0) { max($0, abs($1)) }
  return zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1)) } / (scale > 0 ? scale : 1)
}

/// Factors have the bits of the textbook, and solve with the product of L and U.
@Sendable private func checkIncompleteFactors(_ ranks: borrowing Communicator) throws {
  for (index, matrix) in try matrices().enumerated() {
    let factors = try textbookFactors(matrix)
    let dense = product(factors)
    if index == 4 {
      let a = try matrix.dense()
      try expect(difference(dense.elements, a.elements) < 1e-14, "the factors are not complete")
    }
    let blocks = try [1, 3, 9].map { columns in
      let right = vectors(matrix.rowCount, columns)
      return (right: right, solution: try TestSystem.solve(dense, right))
    }
    for cuts in cuts(matrix.rowCount, ranks.size) {
      let rows = cuts[ranks.rank]..<cuts[ranks.rank + 1]
      let found = try IncompleteLUPreconditioner(
        ownRows: matrix.rows(rows), cuts: cuts, on: ranks)
      let factored = try found.factoredRows(columnCount: matrix.columnCount)
      let own = matrix.rows(rows)
      try expect(
        factored.rowStarts == own.rowStarts && factored.columns == own.columns,
        "matrix \(index), cuts \(cuts): the structure differs")
      for row in 0..<rows.count {
        for place in own.rowStarts[row]..<own.rowStarts[row + 1] {
          let value = factors[rows.lowerBound + row, Int(own.columns[place])]
          try expect(
            factored.values[place].bitPattern == value.bitPattern,
            "matrix \(index), cuts \(cuts), row \(row): \(factored.values[place]), not \(value)")
        }
      }
      try expect(found.entryCount == own.entryCount, "entries")
      for (right, solution) in blocks {
        let x = try apply(found, right, rows, on: ranks)
        let error = difference(x, part(solution, rows))
        try expect(error < 1e-12, "matrix \(index), cuts \(cuts): solutions differ by \(error)")
      }
      // More columns in a sweep, the same numbers.
      let wider = try IncompleteLUPreconditioner(
        matrix, cuts: cuts, maximumVectors: 16, on: ranks)
      let right = blocks[2].right
      try expect(
        try apply(wider, right, rows, on: ranks) == apply(found, right, rows, on: ranks),
        "matrix \(index), cuts \(cuts): a wide sweep differs")
      // Each number of the factors and of a piece of columns is stored.
      let least = 12 * own.entryCount + 8 * 4 * rows.count
      try expect(
        found.bytes >= least && wider.bytes >= found.bytes + 8 * 12 * rows.count, "bytes")
      let total = try found.totalBytes(on: ranks)
      try expect(try ranks.allGather(found.bytes).reduce(0, +) == total, "the bytes of all ranks")
    }
  }
}

/// Jacobi divides by the diagonal, and its blocks are solved with.
@Sendable private func checkDiagonalFactors(_ ranks: borrowing Communicator) throws {
  for (index, matrix) in try matrices().enumerated() {
    let (a, n) = (try matrix.dense(), matrix.rowCount)
    let right = vectors(n, 3)
    for cuts in cuts(n, ranks.size) {
      let rows = cuts[ranks.rank]..<cuts[ranks.rank + 1]
      // Blocks of one to four rows, of which every cut begins one.
      let starts = (0..<n).filter { $0 % 9 % 4 == 0 || cuts.contains($0) }
      let ends = starts.dropFirst() + [n]
      var (diagonal, blocks) = (right, DenseMatrix(rows: n, columns: n))
      for i in 0..<n { for c in 0..<3 { diagonal[i, c] /= a[i, i] } }
      for (start, end) in zip(starts, ends) {
        for i in start..<end { for j in start..<end { blocks[i, j] = a[i, j] } }
      }
      let jacobi = try JacobiPreconditioner(matrix, cuts: cuts, on: ranks)
      let first = difference(
        try apply(jacobi, right, rows, on: ranks), part(diagonal, rows))
      try expect(first < 1e-15, "matrix \(index), cuts \(cuts): Jacobi differs by \(first)")
      try expect(jacobi.bytes == 8 * rows.count, "bytes of Jacobi")
      let block = try BlockJacobiPreconditioner(
        matrix, cuts: cuts, blockStarts: starts, on: ranks)
      let second = difference(
        try apply(block, right, rows, on: ranks), part(try TestSystem.solve(blocks, right), rows))
      try expect(second < 1e-13, "matrix \(index), cuts \(cuts): blocks differ by \(second)")
      let count = zip(starts, ends).reduce(0) {
        $0 + (rows.contains($1.0) ? ($1.1 - $1.0) * ($1.1 - $1.0) : 0)
      }
      try expect(block.bytes >= 8 * count && block.blockCount <= rows.count, "bytes of blocks")
    }
  }
  // A block that needs pivoting.
  let n = 2 * ranks.size
  let swaps = try SparseMatrix(
    rowCount: n, columnCount: n,
    triplets: (0..<n).map { .init(row: Int32($0), column: Int32($0 ^ 1), value: 2) })
  let cuts = (0...ranks.size).map { 2 * $0 }
  let block = try BlockJacobiPreconditioner(
    swaps, cuts: cuts, blockStarts: Array(cuts.dropLast()), on: ranks)
  let right = vectors(n, 2)
  let rows = cuts[ranks.rank]..<cuts[ranks.rank + 1]
  let expected = (0..<2).flatMap { c in rows.map { right[$0 ^ 1, c] / 2 } }
  try expect(try apply(block, right, rows, on: ranks) == expected, "a block of exchanges")
}

/// Products have the bits of the whole matrix, however many columns are multiplied at once.
@Sendable private func checkMatrixOperator(_ ranks: borrowing Communicator) throws {
  for (index, matrix) in try matrices().enumerated() {
    for cuts in cuts(matrix.rowCount, ranks.size) {
      let rows = cuts[ranks.rank]..<cuts[ranks.rank + 1]
      for (maximumVectors, columns) in [(1, 1), (1, 3), (4, 1), (4, 9), (8, 5), (8, 0)] {
        let operation = try MatrixOperator(
          ownRows: matrix.rows(rows), cuts: cuts, maximumVectors: maximumVectors, on: ranks)
        let right = vectors(matrix.rowCount, columns)
        let found = try apply(operation, right, rows, on: ranks)
        try expect(
          found == part(matrix.times(right), rows),
          "matrix \(index), cuts \(cuts), \(columns) columns, \(maximumVectors) at once")
        let buffers = maximumVectors > 1 ? 2 * 8 * maximumVectors * rows.count : 0
        try expect(
          operation.bytes >= 12 * operation.matrix.entryCount + buffers
            && operation.bytes - buffers == operation.matrix.bytes, "bytes")
      }
    }
  }
}
