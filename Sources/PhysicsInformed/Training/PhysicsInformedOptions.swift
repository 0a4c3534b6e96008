public import MessagePassing

/// How an equation is solved by a network.
public struct PhysicsInformedOptions: Codable, Equatable, Sendable {
  /// How the conditions are held.
  public enum Conditions: String, Codable, CaseIterable, Sendable {
    /// By the form u = g + D N.
    case hard
    /// By residuals on the boundary.
    case soft
  }
  /// The method after the start by Adam.
  public enum Method: String, Codable, CaseIterable, Sendable {
    /// Damped Gauss–Newton steps.
    case gaussNewton = "gauss-newton"
    /// The quasi-Newton method L-BFGS.
    case lbfgs
    /// Adam only.
    case adam
  }
  /// Which normal equations Gauss–Newton solves.
  public enum Solve: String, Codable, CaseIterable, Sendable {
    /// The smaller ones.
    case automatic
    /// (JᵀJ + μ I) δ = −Jᵀ r, as large as there are parameters.
    case primal
    /// δ = −Jᵀ (J Jᵀ + μ I)⁻¹ r, as large as there are residuals.
    case dual
  }

  /// The name of the equation.
  public var equation = "burgers"
  /// The channels of a hidden layer.
  public var width = 20
  /// The number of hidden layers.
  public var depth = 8
  /// The function after each hidden layer.
  public var function = JetFunction.tanh
  /// How conditions are held.
  public var conditions = Conditions.hard
  /// The weight of the mean square over the boundary, beside that over the domain.
  public var conditionWeight = 100.0
  /// The points of a shard, a multiple of 16.
  public var shard = 64
  /// The most groups of shards; a group is what a rank has at least, and a block of the Jacobian.
  public var groups = 8
  /// The points of Gauss–Newton and L-BFGS steps.
  public var pointsPerStep = 1024
  /// The points on the boundary, if conditions are soft.
  public var boundaryPoints = 256
  /// The points among which the next ones are chosen, as a multiple of those.
  public var poolFactor = 8
  /// The steps of Adam at the start.
  public var adamSteps = 300
  /// The points of a step of Adam.
  public var adamPoints = 384
  /// The length of Adam's first steps.
  public var firstRate = 5e-3
  /// The length of Adam's last steps.
  public var lastRate = 1e-4
  /// After how many steps of Adam new points are chosen.
  public var adamRound = 100
  /// After how many steps of the method new points are chosen; of L-BFGS ten times as many.
  public var round = 5
  /// The method after the start.
  public var method = Method.gaussNewton
  /// Which normal equations are solved.
  public var solve = Solve.automatic
  /// The most steps, those of Adam included.
  public var stepLimit = 1200
  /// The fixed points by whose residuals the best parameters are found.
  public var validationPoints = 2048
  /// The seed.
  public var seed: Int64 = 0

  /// Creates the usual options.
  public init() {}

  /// Refuses values without meaning.
  ///
  /// - Throws: `RunError` (64).
  public func validate() throws(RunError) {
    func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(RunError) {
      guard range.contains(value) else {
        throw .usage(
          "`\(name)` \(value) is not between \(range.lowerBound) and \(range.upperBound)")
      }
    }
    let many = 1 << 24
    guard shard.isMultiple(of: 16) else {
      throw .usage("`shard` \(shard) is not a multiple of 16")
    }
    try check("shard", shard, 16...1024)
    try check("groups", groups, 1...4096)
    try check("pointsPerStep", pointsPerStep, 1...many)
    try check("boundaryPoints", boundaryPoints, 1...many)
    try check("poolFactor", poolFactor, 1...1000)
    try check("adamSteps", adamSteps, 0...many)
    try check("adamPoints", adamPoints, 1...many)
    try check("adamRound", adamRound, 1...many)
    try check("round", round, 1...many)
    try check("stepLimit", stepLimit, 0...Int(Int32.max))
    try check("validationPoints", validationPoints, 1...many)
    for (name, value) in [
      ("conditionWeight", conditionWeight), ("firstRate", firstRate), ("lastRate", lastRate),
    ] {
      guard value > 0, value.isFinite else {
        throw .usage("`\(name)` \(value) is not a positive number")
      }
    }
  }
}
