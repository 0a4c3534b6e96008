import BlockKernels
import CheckSupport
import Foundation
import KrylovMethods
import MessagePassing

/// What solutions have to be.
let solutionChecks = [
  // Against LAPACK, and the residuals that are reported against those of the whole system.
  Check("dense") { ranks in
    let matrices = [
      ("line", TestSystem.line(60)), ("plane", TestSystem.plane(9)),
      ("flow", TestSystem.plane(9, convection: (0.4, 0.7))),
    ]
    for (name, matrix) in matrices {
      let system = TestSystem(matrix, on: ranks)
      let right = system.rightHandSides(3)
      let exact = try TestSystem.solve(matrix, right)
      let preconditioner = system.multiplication(by: try system.blockInverse(8))
      let methods: [Method] = [.gmres, .gmres10, .fgmres] + (name == "flow" ? [] : [.cg])
      for method in methods {
        let (local, report) = try method.solve(
          system, preconditioner: preconditioner,
          DenseVectors(values: system.local(right), columns: 3), tolerance: 1e-12, on: ranks)
        let found = try system.gather(local, on: ranks)
        let product = matrix.times(found)
        for c in 0..<3 {
          let column = report.columns[c]
          let place = "\(name) \(method) column \(c)"
          try expect(column.ending == .converged, "\(place): \(column.ending)")
          // Condition numbers are below 1e4.
          let error = distance(found, exact, c) / length(exact, c)
          try expect(error < 1e-8, "\(place): error \(error)")
          let residual = distance(right, product, c) / length(right, c)
          try expect(
            abs(residual - column.trueResidual) <= 1e-14, "\(place): true \(residual), \(column)")
          try expect(column.history.count == column.iterations + 1, "\(place): history")
          try expect(column.estimatedResidual <= 1e-12, "\(place): \(column.estimatedResidual)")
        }
      }
    }
  },
  // The error in the norm of A falls in each iteration, that of the residual in GMRES.
  Check("monotone") { ranks in
    let system = TestSystem(TestSystem.plane(7), on: ranks)
    let right = system.rightHandSides(1)
    let vectors = DenseVectors(values: system.local(right), columns: 1)
    let exact = try TestSystem.solve(system.matrix, right)
    var (energies, residuals): ([Double], [Double]) = ([], [])
    for limit in 0...15 {
      let (local, report) = try Method.cg.solve(
        system, preconditioner: nil, vectors, limit: limit, on: ranks)
      try expect(
        report.columns[0].ending == .iterationLimit && report.iterations == limit, "\(report)")
      var error = try system.gather(local, on: ranks)
      for i in 0..<system.order { error[i, 0] -= exact[i, 0] }
      let product = system.matrix.times(error)
      energies.append((0..<system.order).reduce(0) { $0 + error[$1, 0] * product[$1, 0] })
      let (_, other) = try Method.gmres.solve(
        system, preconditioner: nil, vectors, limit: limit, on: ranks)
      residuals.append(other.trueResidual)
      try expect(
        abs(other.trueResidual - other.columns[0].estimatedResidual) < 1e-13, "\(other)")
      // Both search the same spaces, and GMRES takes the smallest residual in them.
      try expect(other.trueResidual <= report.trueResidual * (1 + 1e-12), "\(limit)")
    }
    for k in 1...15 {
      try expect(energies[k] < energies[k - 1], "energies \(energies)")
      try expect(residuals[k] <= residuals[k - 1], "residuals \(residuals)")
    }
  },
  // With n unknowns, n iterations are enough.
  Check("exact") { ranks in
    for n in [1, 2, 3, 8] {
      let system = TestSystem(TestSystem.line(n), on: ranks)
      let right = system.rightHandSides(2)
      let vectors = DenseVectors(values: system.local(right), columns: 2)
      for method in [Method.cg, .gmres, .fgmres] {
        let (_, report) = try method.solve(
          system, preconditioner: nil, vectors, tolerance: 1e-11, on: ranks)
        try expect(report.hasConverged && report.iterations <= n, "\(method) \(n): \(report)")
      }
    }
    // No unknowns, or no columns.
    for (n, columns) in [(0, 2), (5, 0)] {
      let system = TestSystem(DenseMatrix(rows: n, columns: n), on: ranks)
      let vectors = DenseVectors(
        values: [Double](repeating: 0, count: columns * system.rows.count), columns: columns)
      for method in Method.allCases {
        let (_, report) = try method.solve(system, preconditioner: nil, vectors, on: ranks)
        try expect(
          report.columns.count == columns && report.hasConverged && report.iterations == 0,
          "\(method): \(report)")
      }
    }
  },
  // Conjugate gradients know the extreme eigenvalues of M⁻¹A, here those of M^-½ A M^-½.
  Check("eigenvalues") { ranks in
    let system = TestSystem(TestSystem.plane(6), on: ranks)
    let right = system.rightHandSides(2)
    let vectors = DenseVectors(values: system.local(right), columns: 2)
    for isPreconditioned in [false, true] {
      var similar = system.matrix
      if isPreconditioned {
        for i in 0..<system.order {
          for j in 0..<system.order {
            similar[i, j] /= (system.matrix[i, i] * system.matrix[j, j]).squareRoot()
          }
        }
      }
      var elements = similar.elements
      var span = elements.mutableSpan
      let values = try LAPACK.diagonalize(&span, order: system.order)
      let (_, report) = try Method.cg.solve(
        system, preconditioner: isPreconditioned ? system.multiplication(by: system.jacobi) : nil,
        vectors, tolerance: 1e-13, on: ranks)
      for column in report.columns {
        guard let range = column.eigenvalues else {
          throw CheckFailure(message: "no eigenvalues: \(column)")
        }
        try expect(
          abs(range.smallest / values[0] - 1) < 1e-6
            && abs(range.largest / values[values.count - 1] - 1) < 1e-6,
          "\(range), LAPACK has \(values[0])...\(values[values.count - 1])")
      }
    }
  },
  // Columns do not know of each other, and the start is what the solution holds.
  Check("columns") { ranks in
    let system = TestSystem(TestSystem.plane(7, convection: (0.2, 0)), on: ranks)
    let right = system.rightHandSides(3)
    let preconditioner = system.multiplication(by: try system.blockInverse(5))
    for method in Method.allCases where method != .cg {
      let (together, report) = try method.solve(
        system, preconditioner: preconditioner,
        DenseVectors(values: system.local(right), columns: 3), on: ranks)
      for c in 0..<3 {
        let single = DenseVectors(
          values: system.local(right.block(0..<system.order, c..<c + 1)), columns: 1)
        let (alone, own) = try method.solve(
          system, preconditioner: preconditioner, single, on: ranks)
        let part = Array(together[c * alone.count..<(c + 1) * alone.count])
        try expect(part == alone && own.columns[0] == report.columns[c], "\(method) \(c)")
      }
    }
    let symmetric = TestSystem(TestSystem.plane(7), on: ranks)
    let exact = try TestSystem.solve(symmetric.matrix, right)
    var start = symmetric.local(exact)
    let values = symmetric.local(right)
    var x = start.mutableSpan
    let options = KrylovOptions(tolerance: 1e-10, startsFromSolution: true)
    let first = try ConjugateGradients(options).solve(
      symmetric.operation, rightHandSides: values.span, solution: &x, columns: 3, on: ranks)
    let second = try GeneralizedMinimalResiduals(options).solve(
      symmetric.operation, rightHandSides: values.span, solution: &x, columns: 3, on: ranks)
    try expect(
      first.hasConverged && first.iterations == 0 && second.hasConverged && second.iterations == 0,
      "from the solution: \(first) \(second)")
    var half = symmetric.local(exact).map { $0 / 2 }
    var y = half.mutableSpan
    let third = try GeneralizedMinimalResiduals(options, restart: 9).solve(
      symmetric.operation, rightHandSides: values.span, solution: &y, columns: 3, on: ranks)
    try expect(
      third.hasConverged && abs(third.columns[0].history[0] - 0.5) < 1e-12 && third.iterations > 9,
      "from half of the solution: \(third)")
  },
  // Powers of two before the right-hand side stand before the solution, and change nothing else.
  Check("scaling") { ranks in
    let system = TestSystem(TestSystem.plane(7), on: ranks)
    let preconditioner = system.multiplication(by: system.jacobi)
    let values = system.local(system.rightHandSides(1))
    for method in Method.allCases {
      let (x, report) = try method.solve(
        system, preconditioner: preconditioner, DenseVectors(values: values, columns: 1),
        on: ranks)
      for factor in [0x1p-900, 0x1p+900] {
        let scaled = DenseVectors(values: values.map { $0 * factor }, columns: 1)
        let (y, other) = try method.solve(
          system, preconditioner: preconditioner, scaled, on: ranks)
        try expect(x.map { $0 * factor } == y, "\(method): the solution times \(factor)")
        try expect(report == other, "\(method): \(report), \(other)")
      }
    }
  },
  // An inverse that is good to four digits gives four digits in each step.
  Check("refinement") { ranks in
    let system = TestSystem(TestSystem.plane(7, convection: (0.3, 0.1)), on: ranks)
    let right = system.rightHandSides(2)
    var inverse = try TestSystem.solve(system.matrix, TestSystem.identity(system.order))
    for i in inverse.elements.indices { inverse.elements[i] = Double(Float(inverse.elements[i])) }
    let nearly = system.multiplication(by: inverse)
    let values = system.local(right)
    var last = 1.0
    for steps in 1...2 {
      var solution = [Double](repeating: .nan, count: values.count)
      var x = solution.mutableSpan
      let report = try StationaryRefinement(steps: steps).solve(
        system.operation, preconditioner: nearly, rightHandSides: values.span, solution: &x,
        columns: 2, on: ranks)
      try expect(report.iterations == steps && report.operatorApplications == steps, "\(report)")
      try expect(report.columns[0].ending == .iterationLimit, "\(report)")
      try expect(report.trueResidual < 1e-5 * last, "\(steps): \(report.trueResidual)")
      last = report.trueResidual
    }
    // In the end no step helps; an operator that is no inverse does not at all.
    for (approximation, isGood) in [(nearly, true), (system.operation, false)] {
      var solution = [Double](repeating: .nan, count: values.count)
      var x = solution.mutableSpan
      let report = try StationaryRefinement(steps: 50).solve(
        system.operation, preconditioner: approximation, rightHandSides: values.span,
        solution: &x, columns: 2, on: ranks)
      let expected = isGood ? report.trueResidual < 1e-14 : solution.allSatisfy { $0 == 0 }
      try expect(
        report.columns[0].ending == .stagnation && expected && report.iterations < 50, "\(report)")
    }
  },
]

private func length(_ a: DenseMatrix, _ column: Int) -> Double {
  (0..<a.rows).reduce(0) { $0 + a[$1, column] * a[$1, column] }.squareRoot()
}

private func distance(_ a: DenseMatrix, _ b: DenseMatrix, _ column: Int) -> Double {
  (0..<a.rows).reduce(0) {
    let difference = a[$1, column] - b[$1, column]
    return $0 + difference * difference
  }.squareRoot()
}
