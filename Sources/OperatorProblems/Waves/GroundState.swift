internal import BlockKernels
import SpecialFunctions

/// The ground state of (A + diag(V) + β diag(u²)) u = E u with Σ u² = N, by gradient flow and Newton's method.
///
/// A step of the normalized gradient flow of Bao and Du (SIAM Journal on Scientific Computing 25, 2004),
/// semi-implicit with the time step 1, adds to u the solution of (A + V + β u² + 1) x = -r, where r is the
/// residual, and normalizes. Where the flow has come near, Newton's method takes over: across u it solves
/// (A + V + 3β u² - E) x = -r. For β ≥ 0 the energy is convex in u² and A has no positive entry off its
/// diagonal, so that only one solution is positive, and that is the ground state: whatever path leads to a
/// positive solution, there is no other one.
struct GroundState: ~Copyable {
  /// A.
  let laplacian: PeriodicLaplacian
  private let gradients: ProjectedGradients
  /// V + β u².
  private let diagonal: AlignedBuffer<Double>
  /// The diagonal of the system of a step.
  private let shifted: AlignedBuffer<Double>
  /// (A + V + β u² - E) u.
  private let residual: AlignedBuffer<Double>
  private let step: AlignedBuffer<Double>
  private let saved: AlignedBuffer<Double>

  /// What is known about a solution.
  struct Result {
    /// E.
    var energy: Double
    /// The norm of the residual over those of A + V + β u² and u.
    var residual: Double
    /// The last correction of Newton's method relative to u; infinite if it did not converge.
    var correction: Double
    /// The steps of the flow.
    var flowSteps: Int
    /// The steps of Newton's method.
    var newtonSteps: Int
  }

  /// The correction below which Newton's method may end; one further step would be its square or a
  /// ten-thousandth of it.
  static var tolerance: Double { 1e-9 }

  /// The residual at which Newton's method ends; rounding leaves a tenth of it.
  static var target: Double { 5e-15 }

  /// The largest number of steps of the flow.
  static var flowCapacity: Int { 5000 }

  /// Allocates all memory.
  ///
  /// - Parameter points: The numbers of points on the axes.
  /// - Throws: ``ProblemError`` if FFTW makes no plan.
  init(points: [Int]) throws(ProblemError) {
    let n = points.reduce(1, *)
    laplacian = try PeriodicLaplacian(points: points)
    gradients = ProjectedGradients(order: n)
    diagonal = AlignedBuffer(repeating: 0, count: n)
    shifted = AlignedBuffer(repeating: 0, count: n)
    residual = AlignedBuffer(repeating: 0, count: n)
    step = AlignedBuffer(repeating: 0, count: n)
    saved = AlignedBuffer(repeating: 0, count: n)
  }

  /// Finds the ground state.
  ///
  /// - Parameters:
  ///   - potential: V, at least 1.
  ///   - nonlinearity: β, not negative.
  ///   - u: The start, whose signs do not matter; becomes the ground state.
  /// - Returns: What is known about it; the caller judges the residual.
  func solve(
    potential: Span<Double>, nonlinearity: Double, state u: inout MutableSpan<Double>
  ) -> Result {
    let n = potential.count
    // A positive state stays positive in the flow, and cannot come near an excited one.
    for i in 0..<n { u[i] = abs(u[i]) }
    _ = Self.normalize(&u)
    var result = Result(
      energy: 0, residual: .nan, correction: .infinity, flowSteps: 0, newtonSteps: 0)
    // Newton's method is tried when the flow moves less than this.
    var near = 0.1
    measure(potential, nonlinearity, u.span, &result)
    while result.flowSteps < Self.flowCapacity {
      let size = flow(&u)
      result.flowSteps += 1
      measure(potential, nonlinearity, u.span, &result)
      guard size <= near else { continue }
      near *= 0.1
      for i in 0..<n { saved[i] = u[i] }
      if newton(potential, nonlinearity, &u, &result) { break }
      for i in 0..<n { u[i] = saved[i] }
      measure(potential, nonlinearity, u.span, &result)
    }
    return result
  }

  /// Takes steps of Newton's method until their size is below the tolerance.
  ///
  /// - Returns: False if the method does not converge to a positive state.
  private func newton(
    _ potential: Span<Double>, _ nonlinearity: Double, _ u: inout MutableSpan<Double>,
    _ result: inout Result
  ) -> Bool {
    var before = Double.infinity
    var shifted = shifted.mutableSpan
    for _ in 0..<20 {
      for i in 0..<u.count {
        shifted[i] = potential[i] + 3 * nonlinearity * u[i] * u[i] - result.energy
      }
      // In one dimension the inverse of an indefinite matrix is replaced by that of the flow's.
      if !laplacian.prepare(diagonal: shifted.span, least: 1) { prepareFlow() }
      let (size, outcome) = advance(&u, shifted.span, across: true, tolerance: 1e-4)
      result.newtonSteps += 1
      measure(potential, nonlinearity, u.span, &result)
      let hasStopped = size > before / 2
      // Where rounding stops the residual above its target, it is for the caller to judge.
      if size <= Self.tolerance, result.residual <= Self.target || hasStopped {
        guard Self.isPositive(u.span) else { return false }
        result.correction = size
        return true
      }
      guard outcome == .converged, !hasStopped, size.isFinite else { return false }
      before = size
    }
    return false
  }

  /// Takes one step of the flow.
  ///
  /// - Returns: Its size relative to u.
  private func flow(_ u: inout MutableSpan<Double>) -> Double {
    let diagonal = diagonal.span
    var shifted = shifted.mutableSpan
    prepareFlow()
    for i in 0..<u.count { shifted[i] = diagonal[i] + 1 }
    return advance(&u, shifted.span, across: false, tolerance: 1e-2).size
  }

  private func prepareFlow() {
    let diagonal = diagonal.span
    var step = step.mutableSpan
    for i in 0..<diagonal.count { step[i] = diagonal[i] + 1 }
    _ = laplacian.prepare(diagonal: step.span, least: 1)
  }

  /// Adds the solution x of (A + diag(d)) x = -r to u and normalizes.
  ///
  /// - Returns: The size of x relative to u, and how the solver ended.
  private func advance(
    _ u: inout MutableSpan<Double>, _ diagonal: Span<Double>, across: Bool, tolerance: Double
  ) -> (size: Double, outcome: ProjectedGradients.Outcome) {
    var step = step.mutableSpan
    let outcome = gradients.solve(
      laplacian, diagonal: diagonal, rightHandSide: residual.span, across: across, u.span,
      tolerance: tolerance, solution: &step)
    let size = VectorSums.norm(step.span) / VectorSums.norm(u.span)
    for i in 0..<u.count { u[i] -= step[i] }
    return (Self.normalize(&u) ? size : .infinity, outcome)
  }

  /// Computes V + β u², E and the residual.
  private func measure(
    _ potential: Span<Double>, _ nonlinearity: Double, _ u: Span<Double>, _ result: inout Result
  ) {
    let n = u.count
    var diagonal = diagonal.mutableSpan
    var residual = residual.mutableSpan
    var largest = 0.0
    for i in 0..<n {
      diagonal[i] = potential[i] + nonlinearity * u[i] * u[i]
      largest = max(largest, diagonal[i])
    }
    laplacian.multiply(u, diagonal: diagonal.span, into: &residual)
    let energy = VectorSums.dot(u, residual.span) / VectorSums.dot(u, u)
    for i in 0..<n { residual[i] -= energy * u[i] }
    result.energy = energy
    result.residual =
      VectorSums.norm(residual.span) / (VectorSums.norm(u) * (laplacian.norm + largest))
  }

  /// Scales u to Σ u² = N and Σ u > 0.
  ///
  /// - Returns: False if that is not possible.
  private static func normalize(_ u: inout MutableSpan<Double>) -> Bool {
    var sum = 0.0
    for i in 0..<u.count { sum += u[i] }
    let norm = VectorSums.norm(u.span)
    guard norm > 0, norm.isFinite else { return false }
    let factor = (sum < 0 ? -1 : 1) * Double(u.count).squareRoot() / norm
    for i in 0..<u.count { u[i] *= factor }
    return true
  }

  /// Returns whether no value is negative, but for the accuracy of the largest one.
  static func isPositive(_ u: Span<Double>) -> Bool {
    var (least, largest) = (Double.infinity, 0.0)
    for i in 0..<u.count {
      least = min(least, u[i])
      largest = max(largest, u[i])
    }
    return least >= -1e-12 * largest
  }
}
