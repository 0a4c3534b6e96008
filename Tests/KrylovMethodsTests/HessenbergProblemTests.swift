import Testing

@testable import KrylovMethods

@Suite("HessenbergProblem")
struct HessenbergProblemTests {
  /// A Hessenberg matrix, one column behind the other.
  private let columns = [[3.0, 4.0], [1.0, -2.0, 0.5], [0.25, 2.0, 1.0, 1.5]]

  @Test("the solution is the one of the normal equations")
  func normalEquations() {
    var problem = HessenbergProblem()
    problem.start(2)
    for (count, column) in columns.enumerated() {
      problem.openColumn()
      // In two parts, as orthogonalization twice gives them.
      for (row, value) in column.dropLast().enumerated() {
        problem.add(value - 0.125, at: row)
        problem.add(0.125, at: row)
      }
      let isRegular = problem.closeColumn(column[count + 1])
      #expect(isRegular)
      let y = problem.solution()
      var residual = [Double](repeating: 0, count: count + 2)
      residual[0] = 2
      for j in 0...count {
        for (i, value) in columns[j].enumerated() { residual[i] -= value * y[j] }
      }
      // The residual is orthogonal to all columns, and has the length that the problem knows.
      for j in 0...count {
        let product = columns[j].enumerated().reduce(0) { $0 + $1.element * residual[$1.offset] }
        #expect(abs(product) < 1e-14)
      }
      let length = residual.reduce(0) { $0 + $1 * $1 }.squareRoot()
      #expect(abs(length - problem.residual) < 1e-14)
    }
  }

  @Test("a column that adds nothing is not appended")
  func singular() {
    var problem = HessenbergProblem()
    problem.start(1)
    problem.openColumn()
    problem.add(2, at: 0)
    let isRegular = problem.closeColumn(1)
    #expect(isRegular)
    problem.openColumn()
    // The image of the first column under its rotation, and nothing below.
    problem.add(4, at: 0)
    problem.add(2, at: 1)
    let staysRegular = problem.closeColumn(0)
    #expect(!staysRegular && problem.count == 1)
    let y = problem.solution()
    #expect(y.count == 1 && abs(y[0] - 0.4) < 1e-15)
  }
}

@Suite("LanczosCoefficients")
struct LanczosCoefficientsTests {
  @Test("two steps with a diagonal matrix give its eigenvalues")
  func diagonal() throws {
    // Conjugate gradients for diag(1, 4) and b = (1, 1), by hand: α₀ = 2/5, r₁ = (3/5, −3/5), β₀ = 9/25,
    // p₁ = (24, −6)/25, α₁ = (18/25) / (720/625).
    var coefficients = LanczosCoefficients(capacity: 2)
    #expect(try coefficients.eigenvalues() == nil)
    coefficients.appendStep(0.4)
    #expect(try coefficients.eigenvalues() == EigenvalueRange(smallest: 2.5, largest: 2.5))
    coefficients.appendTurn(0.36)
    coefficients.appendStep(0.625)
    let range = try #require(try coefficients.eigenvalues())
    #expect(abs(range.smallest - 1) < 1e-14 && abs(range.largest - 4) < 1e-14)
  }
}
