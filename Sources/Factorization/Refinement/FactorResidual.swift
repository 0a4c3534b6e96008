import BlockKernels
import NetworkExecution
import OperatorNetworks
import SparseMatrices

/// The residuals of a preconditioner on probes, and their derivatives: K − I and K⁻¹ − I for K = L⁻¹ A U⁻¹.
///
/// With probes z: y = U⁻¹ z, q = L⁻¹ A y = K z; s = L z, t = A⁻¹ s, U t = K⁻¹ z. For a direction δ of the parameters
///
/// - d(K z) = −L⁻¹ (dL q + A U⁻¹ dU y),
/// - d(K⁻¹ z) = dU t + U A⁻¹ dL z.
///
/// Products with dL and dU are passes of tangent networks, their adjoints are gradients of the networks with the fixed
/// inputs q, y, z and t. Both residuals together see large and small eigenvalues of K alike.
final class FactorResidual {
  typealias Vectors = AlignedBuffer<Double>

  let factors: Factors
  /// The number of probes, a multiple of 16.
  let count: Int
  private let matrix: SparseMatrix
  private let transposedMatrix: SparseMatrix
  private let solver: ExactSolver
  /// [unknown][probe].
  private let probes: Vectors
  private let size: Int

  /// L with the inputs q and z, U with the inputs y and t.
  private let lowerAtQ: NetworkExecutor<Double>
  private let lowerAtZ: NetworkExecutor<Double>
  private let upperAtY: NetworkExecutor<Double>
  private let upperAtT: NetworkExecutor<Double>
  private let lowerTangent: NetworkExecutor<Double>
  private let upperTangent: NetworkExecutor<Double>
  /// U and Uᵀ for any input.
  private let applyUpper: NetworkExecutor<Double>
  private let applyUpperTransposed: NetworkExecutor<Double>
  /// The parameters θ of the last update.
  private var parameters: Vectors
  /// θ and δ behind each other.
  private let doubled: Vectors
  private var lowerSolver: Substitution
  private var upperSolver: Substitution

  /// K z − z and K⁻¹ z − z.
  private(set) var residuals: (direct: Vectors, inverse: Vectors)

  init(
    _ factors: Factors, _ parameters: Vectors, _ matrix: SparseMatrix, _ solver: ExactSolver,
    probes: Vectors, count: Int
  ) throws {
    self.factors = factors
    self.parameters = parameters
    self.matrix = matrix
    self.solver = solver
    self.probes = probes
    self.count = count
    transposedMatrix = matrix.transposed
    size = probes.count
    let (lower, upper) = (factors.lower.networks, factors.upper.networks)
    // L and U have the same store.
    let whole = upper.forward
    func executor(_ network: Network, forTraining: Bool = false) -> NetworkExecutor<Double> {
      NetworkExecutor(network.sharingSlices(of: whole), samples: count, forTraining: forTraining)
    }
    lowerAtQ = executor(lower.forward, forTraining: true)
    lowerAtZ = executor(lower.forward, forTraining: true)
    upperAtY = executor(upper.transposed, forTraining: true)
    upperAtT = executor(upper.transposed, forTraining: true)
    applyUpper = executor(upper.transposed)
    applyUpperTransposed = executor(upper.forward)
    lowerTangent = NetworkExecutor(
      lower.forward.sharingSlices(of: whole).tangent(), samples: count, forTraining: false)
    upperTangent = NetworkExecutor(
      upper.transposed.sharingSlices(of: whole).tangent(), samples: count, forTraining: false)
    doubled = Vectors(repeating: 0, count: 2 * parameters.count)
    lowerSolver = try Substitution(factors.lower, parameters)
    upperSolver = try Substitution(factors.upper, parameters)
    residuals = (Vectors(repeating: 0, count: size), Vectors(repeating: 0, count: size))
    try update(parameters)
  }

  /// Computes the residuals for new parameters.
  func update(_ parameters: Vectors) throws {
    doubled.copy(parameters)
    self.parameters = parameters
    lowerSolver = try Substitution(factors.lower, parameters)
    upperSolver = try Substitution(factors.upper, parameters)
    for executor in [
      lowerAtQ, lowerAtZ, upperAtY, upperAtT, applyUpper, applyUpperTransposed,
    ] { executor.parametersChanged(parameters) }
    let y = probes.scaled(1)
    upperSolver.solve(y, count: count, transposed: true)
    let q = product(matrix, y)
    lowerSolver.solve(q, count: count, transposed: false)
    set(upperAtY, y)
    set(lowerAtQ, q)
    set(lowerAtZ, probes)
    lowerAtZ.forward(parameters)
    let t = lowerAtZ.output.scaled(1)
    solver.solve(t, count: count)
    set(upperAtT, t)
    for executor in [lowerAtQ, upperAtY, upperAtT] { executor.forward(parameters) }
    residuals.direct.copy(q)
    residuals.direct.add(probes, times: -1)
    residuals.inverse.copy(upperAtT.output)
    residuals.inverse.add(probes, times: -1)
  }

  /// ‖K z − z‖² and ‖K⁻¹ z − z‖², summed over the probes.
  var squares: (direct: Double, inverse: Double) {
    (residuals.direct.dot(residuals.direct), residuals.inverse.dot(residuals.inverse))
  }

  /// Returns the derivatives of both residuals in a direction.
  func derivative(_ direction: Vectors) -> (direct: Vectors, inverse: Vectors) {
    doubled.copy(direction, at: direction.count)
    for executor in [lowerTangent, upperTangent] { executor.parametersChanged(doubled) }
    // d(K z)
    let dU = tangent(upperTangent, upperAtY.input)
    upperSolver.solve(dU, count: count, transposed: true)
    let direct = product(matrix, dU)
    let dL = tangent(lowerTangent, lowerAtQ.input)
    direct.add(dL, times: 1)
    lowerSolver.solve(direct, count: count, transposed: false)
    // d(K⁻¹ z)
    let step = tangent(lowerTangent, probes)
    solver.solve(step, count: count)
    let inverse = apply(applyUpper, step)
    let other = tangent(upperTangent, upperAtT.input)
    inverse.add(other, times: 1)
    return (direct.scaled(-1), inverse)
  }

  /// Returns the adjoint of the derivative: the gradient of ⟨v, K z⟩ + ⟨w, K⁻¹ z⟩.
  func adjoint(_ vectors: (direct: Vectors, inverse: Vectors)) -> Vectors {
    let result = Vectors(repeating: 0, count: parameters.count)
    let a = vectors.direct.scaled(1)
    lowerSolver.solve(a, count: count, transposed: true)
    let c = product(transposedMatrix, a)
    upperSolver.solve(c, count: count, transposed: false)
    result.add(gradient(lowerAtQ, a), times: -1)
    result.add(gradient(upperAtY, c), times: -1)
    result.add(gradient(upperAtT, vectors.inverse), times: 1)
    let e = apply(applyUpperTransposed, vectors.inverse)
    solver.solve(e, count: count, transposed: true)
    result.add(gradient(lowerAtZ, e), times: 1)
    return result
  }

  private func gradient(
    _ executor: NetworkExecutor<Double>, _ output: Vectors
  ) -> Vectors {
    let result = Vectors(repeating: 0, count: parameters.count)
    executor.outputGradient.copy(output)
    executor.backward(into: result)
    return result
  }

  private func tangent(_ executor: NetworkExecutor<Double>, _ input: Vectors) -> Vectors {
    set(executor, input)
    executor.forward(doubled)
    return executor.output.scaled(1)
  }

  private func apply(_ executor: NetworkExecutor<Double>, _ input: Vectors) -> Vectors {
    set(executor, input)
    executor.forward(parameters)
    return executor.output.scaled(1)
  }

  private func set(_ executor: NetworkExecutor<Double>, _ input: Vectors) {
    executor.input.copy(input)
  }

  private func product(_ matrix: SparseMatrix, _ vectors: Vectors) -> Vectors {
    let result = Vectors(repeating: 0, count: size)
    var span = result.mutableSpan
    matrix.multiply(vectors.span, vectors: count, into: &span)
    return result
  }
}
