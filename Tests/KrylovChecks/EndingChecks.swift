import BlockKernels
import CheckSupport
import Foundation
import KrylovMethods
import MessagePassing

/// How iterations end that do not go well; on all ranks alike.
let endingChecks = [
  Check("breakdowns") { ranks in
    let system = TestSystem(TestSystem.plane(6), on: ranks)
    let right = system.rightHandSides(2)
    let vectors = DenseVectors(values: system.local(right), columns: 2)
    // Second differences minus four times the identity have both signs.
    var indefinite = TestSystem.plane(6)
    for i in 0..<system.order { indefinite[i, i] -= 8 }
    let (_, first) = try Method.cg.solve(
      system, system.multiplication(by: indefinite), preconditioner: nil, vectors, on: ranks)
    try expectBreakdown(first, .operatorNotPositive)
    let (_, second) = try Method.cg.solve(
      system, preconditioner: system.multiplication(by: indefinite), vectors, on: ranks)
    try expectBreakdown(second, .preconditionerNotPositive)
    // A zero row: the right-hand side is not in the range.
    var singular = TestSystem.plane(6)
    for j in 0..<system.order { singular[20, j] = 0 }
    for method in [Method.gmres, .fgmres] {
      let (x, report) = try method.solve(
        system, system.multiplication(by: singular), preconditioner: nil, vectors, on: ranks)
      try expectBreakdown(report, .singular)
      try expect(x.allSatisfy(\.isFinite) && report.trueResidual < 1, "\(method): \(report)")
    }
  },
  Check("not-finite") { ranks in
    let system = TestSystem(TestSystem.plane(6), on: ranks)
    let right = system.rightHandSides(2)
    let vectors = DenseVectors(values: system.local(right), columns: 2)
    for method in Method.allCases {
      for value in [Double.nan, .infinity] {
        for product in [1, 3] {
          let faulty = Faulty(system.operation, from: product, value: value)
          let (_, report) = try method.solve(
            system, faulty, preconditioner: system.multiplication(by: system.jacobi), vectors,
            on: ranks)
          // Only the first column is at fault.
          try expect(
            report.columns[0].ending == .breakdown(.notFinite)
              && report.columns[0].iterations <= product,
            "\(method) from product \(product): \(report.columns[0])")
          try expect(
            method == .refinement || report.columns[1].ending == .converged,
            "\(method): \(report.columns[1])")
          let again = Faulty(
            system.multiplication(by: system.jacobi), from: product, value: value)
          let (x, other) = try method.solve(
            system, preconditioner: again, vectors, on: ranks)
          try expect(
            other.columns[0].ending == .breakdown(.notFinite), "\(method): \(other.columns[0])")
          // The solution is the last good one.
          try expect(x.allSatisfy(\.isFinite), "\(method): not finite")
          try agreeOnReport(report, on: ranks)
          try agreeOnReport(other, on: ranks)
        }
      }
      var bad = right
      bad[system.order - 1, 1] = .nan
      let (x, report) = try method.solve(
        system, preconditioner: nil, DenseVectors(values: system.local(bad), columns: 2),
        on: ranks)
      try expect(
        report.columns[1].ending == .breakdown(.notFinite) && report.columns[1].iterations == 0
          && report.columns[1].trueResidual.isNaN && x.allSatisfy(\.isFinite),
        "\(method): \(report.columns[1])")
    }
  },
  Check("stagnation") { ranks in
    // A cyclic shift: GMRES gains nothing before as many iterations as there are unknowns.
    let n = 10
    var shift = DenseMatrix(rows: n, columns: n)
    for i in 0..<n { shift[i, (i + 1) % n] = 1 }
    let system = TestSystem(shift, on: ranks)
    var right = DenseMatrix(rows: n, columns: 1)
    right[0, 0] = 1
    let vectors = DenseVectors(values: system.local(right), columns: 1)
    let (_, full) = try Method.gmres.solve(system, preconditioner: nil, vectors, on: ranks)
    try expect(full.hasConverged && full.iterations == n, "\(full)")
    try expect(full.columns[0].history[n - 1] == 1, "\(full)")
    let values = vectors.values
    var solution = values
    var x = solution.mutableSpan
    let method = GeneralizedMinimalResiduals(restart: n - 1)
    let restarted = try method.solve(
      system.operation, rightHandSides: values.span, solution: &x, columns: 1, on: ranks)
    try expect(
      restarted.columns[0].ending == .stagnation && restarted.iterations == n - 1, "\(restarted)")
    // Below the rounding errors of the true residual.
    let plane = TestSystem(TestSystem.plane(7), on: ranks)
    let others = DenseVectors(values: plane.local(plane.rightHandSides(1)), columns: 1)
    for method in [Method.cg, .gmres] {
      let (_, report) = try method.solve(
        plane, preconditioner: nil, others, tolerance: 1e-19, limit: 1000, on: ranks)
      try expect(
        report.columns[0].ending == .stagnation && report.trueResidual < 1e-14,
        "\(method): \(report.columns[0].ending) \(report.trueResidual)")
    }
  },
  // A preconditioner that changes in each iteration: FGMRES knows, GMRES does not converge in the same way.
  Check("flexible") { ranks in
    let system = TestSystem(TestSystem.plane(7, convection: (0.3, 0.2)), on: ranks)
    let right = system.rightHandSides(2)
    let vectors = DenseVectors(values: system.local(right), columns: 2)
    func alternating() throws -> Alternating {
      Alternating([
        system.multiplication(by: system.jacobi),
        system.multiplication(by: try system.blockInverse(7)),
        system.multiplication(by: TestSystem.identity(system.order)),
      ])
    }
    let (x, report) = try Method.fgmres.solve(
      system, preconditioner: try alternating(), vectors, on: ranks)
    let column = report.columns[0]
    try expect(
      report.hasConverged && report.iterations < 60
        && abs(column.trueResidual - column.estimatedResidual) < 1e-12, "\(report)")
    try expect(report.preconditionerApplications == report.iterations, "\(report)")
    try expect(report.operatorApplications == report.iterations + 1, "\(report)")
    let exact = try TestSystem.solve(system.matrix, right)
    let difference = zip(system.local(exact), x).map { abs($0 - $1) }.max() ?? 0
    try expect(difference < 1e-6, "\(difference)")
    let (_, other) = try Method.gmres.solve(
      system, preconditioner: try alternating(), vectors, limit: 40, on: ranks)
    try expect(other.columns[0].trueResidual > 1e-6, "\(other)")
  },
  Check("failures") { ranks in
    let system = TestSystem(TestSystem.plane(6), on: ranks)
    let right = system.rightHandSides(2)
    let vectors = DenseVectors(values: system.local(right), columns: 2)
    let culprit = ranks.size - 1
    for method in Method.allCases {
      var product = 0
      let failing = ClosureOperator(rowCount: system.rows.count) { x, y, columns, ranks in
        try system.operation.apply(x, into: &y, columns: columns, on: ranks)
        product += 1
        // Refinement has no second one.
        let last = method == .refinement ? 1 : 2
        if product == last && ranks.rank == culprit { throw RunError.data("no product") }
      }
      for fails in [true, false] {
        product = 0
        var message = "nothing"
        do {
          _ = try method.solve(
            system, fails ? failing : nil, preconditioner: fails ? nil : failing, vectors,
            on: ranks)
        } catch { message = "\(ExitStatus.status(of: error)) \(ExitStatus.message(of: error))" }
        try expect(message == "65 no product", "\(method): \(message)")
      }
    }
    // Sizes and options.
    let fewer = DenseVectors(
      values: Array(vectors.values[..<system.rows.count]), columns: 1)
    var messages: [String] = []
    let calls: [(Method, DenseVectors, Double, Int)] = [
      (.cg, ranks.rank == 0 ? vectors : fewer, 1e-8, 10), (.gmres, vectors, -1, 10),
      (.gmres, vectors, .nan, 10), (.fgmres, vectors, 1e-8, -1),
    ]
    for (method, vectors, tolerance, limit) in calls {
      do {
        _ = try method.solve(
          system, preconditioner: nil, vectors, tolerance: tolerance, limit: limit, on: ranks)
      } catch let error as RunError { messages.append("\(error.exitStatus)") }
    }
    try expect(
      messages == [String](repeating: "64", count: ranks.size > 1 ? 4 : 3), "\(messages)")
  },
  Check("memory") { ranks in
    let system = TestSystem(TestSystem.plane(7), on: ranks)
    let right = system.rightHandSides(2)
    let values = system.local(right)
    let block = 16 * (system.counts.max() ?? 0)
    // Twelve blocks: eleven iterations, or five of the flexible form; it has a preconditioner here.
    for (isFlexible, steps) in [(false, 11), (true, 5)] {
      for restart in [nil, steps, steps + 1] {
        var solution = values
        var x = solution.mutableSpan
        let method = GeneralizedMinimalResiduals(
          restart: restart, isFlexible: isFlexible, basisBytes: 12 * block + 3)
        var message: String?
        do {
          let report = try method.solve(
            system.operation, preconditioner: system.multiplication(by: system.jacobi),
            rightHandSides: values.span, solution: &x, columns: 2, on: ranks)
          try expect(report.hasConverged, "\(report)")
        } catch let error as RunError {
          try expect(error.exitStatus == 64, error.message)
          message = error.message
        }
        try expect((message == nil) == (restart == steps), "\(restart ?? 0): \(message ?? "")")
        if let message {
          try expect(
            message.contains("`basisBytes` allows \(12 * block + 3)")
              && message.contains("`restart` to at most \(steps),"), message)
        }
      }
    }
  },
]

/// Gives a number that is not finite in the first column from a product on, on the rank of the last row.
private final class Faulty: BlockOperator {
  private let operation: ClosureOperator
  private let first: Int
  private let value: Double
  private var products = 0

  init(_ operation: ClosureOperator, from first: Int, value: Double) {
    (self.operation, self.first, self.value) = (operation, first, value)
  }

  var rowCount: Int { operation.rowCount }

  func apply(
    _ vectors: Span<Double>, into results: inout MutableSpan<Double>, columns: Int,
    on ranks: borrowing Communicator
  ) throws {
    try operation.apply(vectors, into: &results, columns: columns, on: ranks)
    products += 1
    if products >= first && ranks.rank == ranks.size - 1 { results[rowCount - 1] = value }
  }
}

/// Applies several operators in turn.
private final class Alternating: BlockOperator {
  private let operations: [ClosureOperator]
  private var products = 0

  init(_ operations: [ClosureOperator]) { self.operations = operations }

  var rowCount: Int { operations[0].rowCount }

  func apply(
    _ vectors: Span<Double>, into results: inout MutableSpan<Double>, columns: Int,
    on ranks: borrowing Communicator
  ) throws {
    try operations[products % operations.count].apply(
      vectors, into: &results, columns: columns, on: ranks)
    products += 1
  }
}

private func expectBreakdown(
  _ report: KrylovReport, _ breakdown: KrylovBreakdown, line: Int = #line
) throws {
  for column in report.columns {
    try expect(column.ending == .breakdown(breakdown), "\(column)", line: line)
    try expect(column.trueResidual.isFinite, "\(column)", line: line)
  }
}

/// Throws unless all ranks have the same report.
private func agreeOnReport(_ report: KrylovReport, on ranks: borrowing Communicator) throws {
  var sum = 0
  for byte in "\(report)".utf8 { sum = sum &* 31 &+ Int(byte) }
  let sums = try ranks.allGather(sum)
  try expect(Set(sums).count == 1, "ranks differ: \(report)")
}
