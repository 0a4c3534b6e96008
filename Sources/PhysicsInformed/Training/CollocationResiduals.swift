public import BlockKernels
public import MessagePassing
public import Optimization

/// The residuals of an equation at points, whose sum of squares is minimized.
///
/// With N points in the domain and M on the boundary, ‖r‖² = Σ rₙ²/N + w Σ (u − g)ₘ²/M; the second sum is there for soft
/// conditions only. Points are dealt to ranks in groups of shards, each a block of rows of the Jacobian; what is summed
/// over groups is summed along one binary tree.
public final class CollocationResiduals: Objective {
  typealias Vectors = AlignedBuffer<Double>

  /// The number of parameters.
  public let count: Int
  /// The sum of squares at the last parameters.
  public private(set) var loss = Double.infinity
  /// The groups, and how vectors of parameters are summed over them.
  let sums: ShardSums
  /// The number of groups.
  let groupCount: Int
  /// The rows of a group's block of the Jacobian.
  let groupRows: Int
  /// The residuals of this rank's groups, `[group][row]`.
  let residuals: Vectors
  let ranks: Communicator

  private let interior: ShardResiduals
  private let boundary: ShardResiduals?
  private let shard: Int
  /// The shards of a group in the domain, and on the boundary.
  private let shards: (interior: Int, boundary: Int)
  private let pointCounts: (interior: Int, boundary: Int)
  private let boundaryWeight: Double
  private var points: [SIMD3<Double>] = []
  private var boundaryPoints: [SIMD3<Double>] = []
  private let parameters: Vectors
  private var totals = [0.0]

  /// Prepares residuals at a number of points.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - equation: The equation.
  ///   - options: The sizes of shards and groups, and how conditions are held.
  ///   - pointCount: The number of points in the domain.
  ///   - ranks: The ranks.
  /// - Throws: `MPIError`.
  public init(
    _ network: JetNetwork, _ equation: any Equation, _ options: PhysicsInformedOptions,
    pointCount: Int, on ranks: borrowing Communicator
  ) throws {
    let isHard = options.conditions == .hard
    count = network.parameterCount
    shard = options.shard
    interior = ShardResiduals(network, equation, samples: shard, isHard: isHard)
    boundary =
      isHard
      ? nil
      : ShardResiduals(network, equation, samples: shard, isHard: false, onBoundary: true)
    pointCounts = (pointCount, isHard ? 0 : options.boundaryPoints)
    boundaryWeight = options.conditionWeight
    func pieces(_ whole: Int, _ piece: Int) -> Int { (whole + piece - 1) / piece }
    let all = (pieces(pointCounts.interior, shard), pieces(pointCounts.boundary, shard))
    // As many groups as are asked for, or one for each shard.
    let each = (pieces(all.0, options.groups), pieces(all.1, options.groups))
    groupCount = max(pieces(all.0, each.0), each.1 > 0 ? pieces(all.1, each.1) : 0)
    shards = each
    groupRows = (each.0 + each.1) * shard
    sums = ShardSums(
      count: groupCount, parameterCount: count, rank: ranks.rank, ranks: ranks.size)
    residuals = Vectors(repeating: 0, count: sums.own.count * groupRows)
    parameters = Vectors(repeating: 0, count: count)
    self.ranks = try ranks.duplicate()
  }

  /// The residuals of all ranks, those of filling included.
  public var rowCount: Int { groupCount * groupRows }

  /// Takes new points.
  ///
  /// - Parameters:
  ///   - points: Points in the domain.
  ///   - boundaryPoints: Points on the boundary; none if conditions are hard.
  /// - Precondition: There are as many as at the creation.
  public func setPoints(_ points: [SIMD3<Double>], boundary boundaryPoints: [SIMD3<Double>]) {
    precondition(
      points.count == pointCounts.interior && boundaryPoints.count == pointCounts.boundary,
      "\(points.count) and \(boundaryPoints.count) points of \(pointCounts)")
    (self.points, self.boundaryPoints) = (points, boundaryPoints)
    loss = .infinity
  }

  /// Computes the sum of squares of new parameters.
  ///
  /// Collective.
  ///
  /// - Parameter parameters: The parameters.
  /// - Throws: `MPIError`.
  public func update(_ parameters: AlignedBuffer<Double>) throws {
    self.parameters.copy(from: parameters, at: 0, to: 0..<count)
    interior.pass.load(parameters)
    boundary?.pass.load(parameters)
    var squares = [Double](repeating: 0, count: sums.own.count)
    for slot in 0..<sums.own.count {
      visit(slot, seeds: .none) { _, _ in }
      squares[slot] = OrderedSums.dot(
        residuals, residuals, in: slot * groupRows..<(slot + 1) * groupRows)
    }
    try sums.sum(squares, into: &totals, on: ranks)
    loss = totals[0]
  }

  /// Computes half of the gradient of the sum of squares at the last parameters, Jᵀ r.
  ///
  /// Collective.
  ///
  /// - Parameter result: Half of the gradient.
  /// - Throws: `MPIError`.
  public func halfGradient(into result: AlignedBuffer<Double>) throws {
    try sums.sum(into: result, on: ranks) { slot, vector in
      vector.fill(0)
      visit(slot, seeds: .residual) { pass, _ in pass.addGradient(to: vector) }
    }
  }

  /// Writes the Jacobian of one of this rank's groups, `[parameter][row]`.
  ///
  /// - Parameters:
  ///   - jacobian: Gets the Jacobian.
  ///   - slot: The group's number among those of this rank.
  func writeJacobian(into jacobian: AlignedBuffer<Double>, group slot: Int) {
    visit(slot, seeds: .unit) { pass, row in
      pass.writeJacobian(into: jacobian, rows: groupRows, from: row)
    }
  }

  /// Goes through the shards of a group.
  private func visit(_ slot: Int, seeds: SeedKind, _ body: (JetPass, Int) -> Void) {
    let group = sums.own.lowerBound + slot
    let inside = (1 / Double(max(pointCounts.interior, 1))).squareRoot()
    for index in 0..<shards.interior {
      let row = index * shard
      interior.evaluate(
        points, from: (group * shards.interior + index) * shard, factor: inside,
        into: residuals, at: slot * groupRows + row, seeds: seeds)
      body(interior.pass, row)
    }
    guard let boundary else { return }
    let outside = (boundaryWeight / Double(max(pointCounts.boundary, 1))).squareRoot()
    for index in 0..<shards.boundary {
      let row = (shards.interior + index) * shard
      boundary.evaluate(
        boundaryPoints, from: (group * shards.boundary + index) * shard, factor: outside,
        into: residuals, at: slot * groupRows + row, seeds: seeds)
      body(boundary.pass, row)
    }
  }
}
