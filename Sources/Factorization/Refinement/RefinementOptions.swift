public import MessagePassing

/// How factors are trained.
public struct RefinementOptions: Codable, Equatable, Sendable {
  /// The method of minimization.
  public enum Method: String, CaseIterable, Codable, Sendable {
    /// Gauss–Newton steps with a line search.
    case gaussNewton = "gauss-newton"
    /// Damped Gauss–Newton steps; the damping follows their success.
    case levenbergMarquardt = "lm"
    /// Quasi-Newton steps with limited memory.
    case lbfgs
    /// Steps of Adam, over all probes.
    case adam
    /// No training.
    case none
  }

  /// What is minimized; K is L⁻¹ A U⁻¹, or W_L A W_U.
  public enum Loss: String, CaseIterable, Codable, Sendable {
    /// tr(K + K⁻¹ − 2 I), which large and small eigenvalues enter alike, none squared. Its steps are the cheapest.
    case balanced
    /// ‖K − I‖² + ‖K⁻¹ − I‖², after a phase of ``balanced``.
    case both
    /// ‖K − I‖².
    case direct = "k"
    /// ‖K⁻¹ − I‖².
    case inverse
    /// ‖A − L U‖².
    case frobenius
  }

  /// The method.
  public var method: Method
  /// The loss.
  public var loss: Loss
  /// The number of random probes; nil: all columns of the identity up to 1024 unknowns, else 64 random probes.
  public var probes: Int?
  /// The most steps, of each block row if ``blockWise``; nil: a number that fits the method.
  public var steps: Int?
  /// The most iterations of conjugate gradients in a step; nil: 60.
  public var innerIterations: Int?
  /// The relative residual of the normal equations at which a step is exact enough.
  public var innerTolerance: Double
  /// The seed of random probes.
  public var seed: Int
  /// Whether the transposed product is compared with the transposed matrix, too.
  public var transposeLoss: Bool
  /// Whether block rows are trained one after the other, those before being frozen.
  public var blockWise: Bool
  /// The step length of Adam; nil: 1e-3.
  public var learningRate: Double?

  /// Creates options.
  ///
  /// - Parameters:
  ///   - method: The method.
  ///   - loss: The loss.
  ///   - probes: The number of random probes; nil for what fits the matrix.
  ///   - steps: The most steps; nil for what fits the method.
  ///   - innerIterations: The most iterations of conjugate gradients in a step; nil for 60.
  ///   - innerTolerance: The relative residual at which these end.
  ///   - seed: The seed of random probes.
  ///   - transposeLoss: Whether the transposed product is compared, too.
  ///   - blockWise: Whether block rows are trained one after the other.
  ///   - learningRate: The step length of Adam; nil for 1e-3.
  public init(
    method: Method = .gaussNewton, loss: Loss = .balanced, probes: Int? = nil, steps: Int? = nil,
    innerIterations: Int? = nil, innerTolerance: Double = 1e-2, seed: Int = 1,
    transposeLoss: Bool = false, blockWise: Bool = false, learningRate: Double? = nil
  ) {
    (self.method, self.loss, self.probes, self.steps) = (method, loss, probes, steps)
    (self.innerIterations, self.innerTolerance) = (innerIterations, innerTolerance)
    (self.seed, self.transposeLoss, self.blockWise) = (seed, transposeLoss, blockWise)
    self.learningRate = learningRate
  }

  /// Refuses values and combinations that have no meaning.
  ///
  /// - Throws: `RunError` (64) that names the setting.
  public func validate() throws(RunError) {
    func check(_ isRight: Bool, _ message: @autoclosure () -> String) throws(RunError) {
      guard isRight else { throw .usage(message()) }
    }
    let limit = 1 << 20
    for (name, value) in [
      ("probes", probes), ("steps", steps), ("innerIterations", innerIterations),
    ] {
      try check(
        value.map { (1...limit).contains($0) } ?? true,
        "`\(name)` \(value ?? 0): from 1 to \(limit)")
    }
    try check(
      innerTolerance >= 0 && innerTolerance < 1,
      "`innerTolerance` \(innerTolerance): at least 0 and less than 1")
    try check(
      learningRate.map { $0 > 0 && $0.isFinite } ?? true,
      "`learningRate` \(learningRate ?? 0): needed is a positive number")
    try check(
      learningRate == nil || method == .adam,
      "`learningRate` is for `method` adam; \(method.rawValue) finds its step lengths itself")
    let solvesInside = method == .gaussNewton || method == .levenbergMarquardt
    try check(
      innerIterations == nil || solvesInside,
      "`innerIterations` is for the methods gauss-newton and lm; \(method.rawValue) has none")
    try check(
      !transposeLoss || loss == .frobenius,
      "`transposeLoss` is for `loss` frobenius; \(loss.rawValue) looks at K")
    try check(
      !blockWise || loss == .frobenius,
      "`blockWise` is for `loss` frobenius: rows of K are not those of one factor")
    try check(
      method != .none || (steps == nil && probes == nil && !blockWise && !transposeLoss),
      "`method` none trains nothing: leave out `steps`, `probes`, `blockWise` and `transposeLoss`")
  }

  /// The most steps.
  var stepLimit: Int {
    if let steps { return steps }
    return switch method {
    case .gaussNewton, .levenbergMarquardt: blockWise ? 25 : 40
    case .lbfgs: 200
    case .adam: 1000
    case .none: 0
    }
  }
}
