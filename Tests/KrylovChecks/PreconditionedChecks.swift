import BlockKernels
import CheckSupport
import KrylovMethods
import MessagePassing
import Preconditioners
import SparseMatrices

/// Iterations with preconditioners of sparse matrices, and those that do not exist.
let preconditionedChecks = [
  Check("preconditioned") { ranks in
    try checkIterations(.laplacian2D, 16, ["none", "jacobi", "blocks", "ilu"], on: ranks)
    try checkIterations(
      .convectionDiffusion2D, 16, ["none", "jacobi", "blocks", "ilu"], on: ranks)
    // More columns than are multiplied, and swept, at once.
    try checkIterations(.laplacian2D, 16, ["blocks", "ilu"], columns: 9, on: ranks)
    try checkIterations(.laplacian2D, 32, ["ilu"], on: ranks)
  },
  Check("preconditioned-more") { ranks in
    try checkIterations(.laplacian2D, 32, ["none", "jacobi"], on: ranks)
  },
  Check("preconditioner-errors", checkErrors),
]

/// Solves a system with some preconditioners and prints what came out: the test compares numbers of ranks.
private func checkIterations(
  _ model: ModelMatrix, _ side: Int, _ names: [String], columns: Int = 1,
  on ranks: borrowing Communicator
) throws {
  let matrix = try model.matrix(shape: [side, side])
  // Uneven, none on the second of three or more, whole blocks of eight rows.
  let shares = (0..<ranks.size).map { $0 == 1 && ranks.size > 2 ? 0 : $0 + 2 }
  let cuts = (0...ranks.size).map {
    matrix.rowCount / 8 * shares[..<$0].reduce(0, +) / shares.reduce(0, +) * 8
  }
  let rows = cuts[ranks.rank]..<cuts[ranks.rank + 1]
  let operation = try MatrixOperator(matrix, cuts: cuts, on: ranks)
  // Numbers that differ, the same for every number of ranks.
  var right: [Double] = []
  for c in 0..<columns {
    for row in rows { right.append(Double((row * 7919 + c * 104729) % 1009) / 504 - 1) }
  }
  let options = KrylovOptions(tolerance: 1e-8)
  for name in names {
    let preconditioner: (any BlockOperator)? =
      switch name {
      case "jacobi": try JacobiPreconditioner(matrix, cuts: cuts, on: ranks)
      case "blocks":
        try BlockJacobiPreconditioner(
          matrix, cuts: cuts, blockStarts: Array(stride(from: 0, to: matrix.rowCount, by: 8)),
          on: ranks)
      case "ilu": try IncompleteLUPreconditioner(matrix, cuts: cuts, on: ranks)
      default: nil
      }
    var solution = right
    var x = solution.mutableSpan
    let report =
      if model == .laplacian2D {
        try ConjugateGradients(options).solve(
          operation, preconditioner: preconditioner, rightHandSides: right.span, solution: &x,
          columns: columns, on: ranks)
      } else {
        try GeneralizedMinimalResiduals(options).solve(
          operation, preconditioner: preconditioner, rightHandSides: right.span, solution: &x,
          columns: columns, on: ranks)
      }
    try expect(report.hasConverged && report.trueResidual < 1e-7, "\(report)")
    var numbers = report.columns.flatMap { $0.history }
    for c in 0..<columns {
      var column = [Double](repeating: 0, count: matrix.rowCount)
      var span = column.mutableSpan
      let counts = zip(cuts, cuts.dropFirst()).map { $1 - $0 }
      let own = solution.span.extracting(c * rows.count..<(c + 1) * rows.count)
      try ranks.allGather(own, counts: counts, into: &span)
      numbers += column
    }
    guard ranks.rank == 0 else { continue }
    print(
      "\(model.rawValue) \(side) \(columns) \(name) \(report.iterations)", digest(numbers))
  }
}

/// What has no reciprocal on one rank is an error of all, with the row of the matrix.
@Sendable private func checkErrors(_ ranks: borrowing Communicator) throws {
  // Nothing of interest but for some rows.
  let n = 4 * ranks.size
  func matrix(_ changes: [(Int, Int, Double?)]) throws -> SparseMatrix {
    var a: [[Double?]] = (0..<n).map { row in (0..<n).map { $0 == row ? 2 : nil } }
    for i in 1..<n { (a[i][i - 1], a[i - 1][i]) = (-1, -1) }
    for (row, column, value) in changes { a[row][column] = value }
    var triplets: [SparseMatrix.Triplet] = []
    for (i, row) in a.enumerated() {
      for (j, value) in row.enumerated() {
        if let value { triplets.append(.init(row: Int32(i), column: Int32(j), value: value)) }
      }
    }
    return try SparseMatrix(rowCount: n, columnCount: n, triplets: triplets)
  }
  let cuts = (0...ranks.size).map { 4 * $0 }
  let pairs = Array(stride(from: 0, to: n, by: 2))
  // 2 − (−1/a)(−1) = 0 for the row behind one whose pivot is a = 1/2.
  let zeroPivot: [(Int, Int, Double?)] = [(n - 3, n - 4, nil), (n - 3, n - 3, 0.5)]
  let cases: [(SparseMatrix, String, String)] = [
    (
      try matrix(zeroPivot), "ilu",
      "65 incomplete LU fails in row \(n - 2) (from 0): its pivot is 0.0"
    ),
    (try matrix([(0, 0, 0)]), "ilu", "65 incomplete LU fails in row 0 (from 0): its pivot is 0.0"),
    (
      try matrix([(n - 1, n - 2, 1e300), (n - 2, n - 3, nil), (n - 2, n - 2, 1e-300)]), "ilu",
      "65 incomplete LU fails in row \(n - 1) (from 0): its pivot is inf"
    ),
    (
      try matrix([(n - 1, n - 1, nil)]), "ilu",
      "65 row \(n - 1) (from 0) has no entry on the diagonal, where incomplete LU needs a pivot"
    ),
    (
      try matrix([(n - 2, n - 2, nil)]), "jacobi",
      "65 the diagonal is 0.0 in row \(n - 2) (from 0); Jacobi needs its reciprocal"
    ),
    (
      try matrix([(n - 1, n - 1, 0x1p-1030)]), "jacobi",
      "65 the diagonal is \(0x1p-1030) in row \(n - 1) (from 0); Jacobi needs its reciprocal"
    ),
    (
      try matrix([(n - 1, n - 1, 0.5)]), "blocks",
      "65 the diagonal block of the rows \(n - 2) to \(n - 1) is singular: 0.0 in row \(n - 1) "
        + "(from 0) of its factor"
    ),
  ]
  for (matrix, name, expected) in cases {
    try expectFailure(expected, on: ranks) { ranks in
      switch name {
      case "ilu": _ = try IncompleteLUPreconditioner(matrix, cuts: cuts, on: ranks)
      case "jacobi": _ = try JacobiPreconditioner(matrix, cuts: cuts, on: ranks)
      default:
        _ = try BlockJacobiPreconditioner(matrix, cuts: cuts, blockStarts: pairs, on: ranks)
      }
    }
  }
  let good = try matrix([])
  let blocks: [([Int], String)] = [
    ([], "64 `blockStarts` begins with nothing for \(n) rows"),
    ([1, 2], "64 `blockStarts` begins with 1 for \(n) rows"),
    ([0, 2, 2], "64 `blockStarts` has 2 before 2; \(n) rows need ascending starts"),
    (pairs + [n], "64 `blockStarts` has \(n) before \(n); \(n) rows need ascending starts"),
  ]
  for (starts, expected) in blocks {
    try expectFailure(expected, on: ranks) { ranks in
      _ = try BlockJacobiPreconditioner(good, cuts: cuts, blockStarts: starts, on: ranks)
    }
  }
  // One block of all rows belongs to one rank; with more, the first cut is inside.
  let inside = [0] + [Int](repeating: 3, count: ranks.size - 1) + [n]
  let crossing =
    ranks.size > 1
    ? "64 the block of the rows 2 to 3 is cut before row 3: every block belongs to one rank" : nil
  try expectFailure(crossing, on: ranks) { ranks in
    _ = try BlockJacobiPreconditioner(good, cuts: inside, blockStarts: pairs, on: ranks)
  }
}

/// Throws unless all ranks fail with the same status and message, or none does.
private func expectFailure(
  _ expected: String?, on ranks: borrowing Communicator, line: Int = #line,
  _ body: (borrowing Communicator) throws -> Void
) throws {
  var message: String?
  do {
    try body(ranks)
  } catch {
    message = "\(ExitStatus.status(of: error)) \(ExitStatus.message(of: error))"
  }
  try expect(
    message == expected, "\(message ?? "nothing"), not \(expected ?? "nothing")", line: line)
}
