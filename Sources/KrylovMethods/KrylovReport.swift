/// How the iteration of one column ended.
public enum KrylovEnding: Hashable, Sendable {
  /// The residual is at most tolerance · ‖b‖.
  case converged
  /// The number of iterations was reached.
  case iterationLimit
  /// More iterations would not lower the true residual: a restart began where the one before did, or the residual that
  /// the method estimates has fallen below the tolerance and the true one has stayed above ten times of it.
  case stagnation
  /// The method cannot go on.
  case breakdown(KrylovBreakdown)

  /// The name for summaries: `converged`, `iteration-limit`, `stagnation` or `breakdown`.
  public var name: String {
    switch self {
    case .converged: "converged"
    case .iterationLimit: "iteration-limit"
    case .stagnation: "stagnation"
    case .breakdown: "breakdown"
    }
  }
}

/// Why a method cannot go on.
public enum KrylovBreakdown: String, Hashable, Sendable {
  /// p·Ap ≤ 0: the matrix is not positive definite.
  case operatorNotPositive
  /// r·M⁻¹r ≤ 0: the preconditioner is not positive definite.
  case preconditionerNotPositive
  /// The Krylov space cannot grow and does not hold the solution: A or M⁻¹ is singular.
  case singular
  /// A number is not finite.
  case notFinite

  /// What went wrong, in words.
  public var message: String {
    switch self {
    case .operatorNotPositive: "the matrix is not positive definite (p·Ap ≤ 0)"
    case .preconditionerNotPositive: "the preconditioner is not positive definite (r·M⁻¹r ≤ 0)"
    case .singular: "the matrix or the preconditioner is singular"
    case .notFinite: "a number is not finite"
    }
  }
}

/// What an iteration did for one column.
public struct ColumnReport: Equatable, Sendable {
  /// The number of iterations: products with A that the column took part in, those for residuals not counted.
  public internal(set) var iterations = 0
  /// The last ‖r‖/‖b‖ that the method estimates: by recurrence in conjugate gradients, from the least-squares problem
  /// in GMRES; 0 for b = 0, NaN if it is not finite.
  public internal(set) var estimatedResidual = 0.0
  /// ‖b − A x‖/‖b‖, computed from the solution in the end.
  public internal(set) var trueResidual = 0.0
  /// How the iteration ended.
  public internal(set) var ending = KrylovEnding.converged
  /// The estimated residuals, relative: that of the start, then one of each iteration.
  public internal(set) var history: [Double] = []
  /// The range of the eigenvalues of M⁻¹A, where conjugate gradients were asked for it and made an iteration.
  public internal(set) var eigenvalues: EigenvalueRange?
}

/// What an iteration did.
public struct KrylovReport: Equatable, Sendable {
  /// The reports of the columns.
  public internal(set) var columns: [ColumnReport]
  /// How often A was applied to a block of all columns.
  public internal(set) var operatorApplications = 0
  /// How often M⁻¹ was applied to a block of all columns.
  public internal(set) var preconditionerApplications = 0

  /// The largest number of iterations of a column.
  public var iterations: Int { columns.map(\.iterations).max() ?? 0 }
  /// The largest true residual of a column, NaN if one is.
  public var trueResidual: Double {
    columns.reduce(0) { $1.trueResidual <= $0 ? $0 : ($0.isNaN ? $0 : $1.trueResidual) }
  }
  /// Whether all columns have converged.
  public var hasConverged: Bool { columns.allSatisfy { $0.ending == .converged } }
}

/// Estimates of the smallest and the largest eigenvalue.
public struct EigenvalueRange: Equatable, Sendable {
  /// The smallest one; an estimate from above.
  public var smallest: Double
  /// The largest one; an estimate from below.
  public var largest: Double

  /// Creates a range.
  ///
  /// - Parameters:
  ///   - smallest: The smallest eigenvalue.
  ///   - largest: The largest one.
  public init(smallest: Double, largest: Double) {
    self.smallest = smallest
    self.largest = largest
  }
}
