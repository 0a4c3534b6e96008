public import BlockKernels
import ClusterTrees
public import MessagePassing
import OperatorNetworks

/// Forward substitution L y = b with a factor of any pattern, and back substitution Lᵀ x = b.
///
/// Leaf by leaf in the order of the tree, or against it. When all leaves under a box are solved, its coefficients Vᵀ y are
/// known, and go to the boxes behind it that see it. So each block of the factor is used once: O(parameters).
///
/// Ranks that share a factor work one behind the other: a rank receives what it needs from those before, one message from
/// each, solves its leaves, and sends what those behind it need. With more than 16 vectors it goes on with the next 16
/// meanwhile. Copies share memory, so one of them solves at a time.
public struct Substitution {
  private let partition: LeafPartition?
  private let forward: StepPlan
  private let transposed: StepPlan
  private let workspace: StepWorkspace

  /// Prepares a rank alone for solving.
  ///
  /// - Parameters:
  ///   - blocks: The blocks of the factor.
  ///   - parameters: Its parameters, all of them; they are read here, and not kept.
  /// - Throws: `RunError` if a diagonal block is numerically singular, or a parameter is not finite.
  public init(
    _ blocks: FactorBlocks, _ parameters: AlignedBuffer<Double>
  ) throws(RunError) {
    let tree = blocks.structure.tree
    let cuts = [0, tree.boxCount(level: tree.levels)]
    let planners = Self.planners(blocks, parameters, cuts, rank: 0)
    if let failure = planners.compactMap(\.failure).min() { throw failure.error(blocks) }
    self.init(planners, nil)
  }

  /// Prepares one of several ranks for solving.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - blocks: The blocks of the factor.
  ///   - parameters: Its parameters, all of them and the same on all ranks; they are read here, and not kept.
  ///   - partition: The leaves of each rank.
  ///   - ranks: The ranks.
  /// - Throws: `RunError`, the same on all ranks, if a diagonal block is numerically singular, or a parameter is not
  ///   finite; `MPIError` if the library fails.
  public init(
    _ blocks: FactorBlocks, _ parameters: AlignedBuffer<Double>, partition: LeafPartition,
    ranks: borrowing Communicator
  ) throws {
    let planners = Self.planners(blocks, parameters, partition.leafCuts, rank: ranks.rank)
    try FactorFailure.share(planners.compactMap(\.failure).min(), blocks, on: ranks)
    self.init(planners, partition)
  }

  private init(_ planners: [StepPlanner], _ partition: LeafPartition?) {
    self.partition = partition
    (forward, transposed) = (planners[0].plan, planners[1].plan)
    workspace = StepWorkspace([forward, transposed])
  }

  private static func planners(
    _ blocks: FactorBlocks, _ parameters: AlignedBuffer<Double>, _ cuts: [Int], rank: Int
  ) -> [StepPlanner] {
    [false, true].map {
      StepPlanner(
        FactorSteps(blocks, .solution, isTransposed: $0), parameters, cuts: cuts, rank: rank)
    }
  }

  /// Solves L y = b or Lᵀ x = b on a rank alone.
  ///
  /// - Parameters:
  ///   - vectors: The right-hand sides, `[unknown][vector]` in the order of the tree; become the solutions.
  ///   - count: The number of vectors.
  ///   - transposed: Whether the matrix is Lᵀ.
  /// - Precondition: No other ranks share the factor.
  /// - Complexity: O(parameters) for each vector; no allocation, but for the first time with so many vectors.
  public func solve(_ vectors: AlignedBuffer<Double>, count: Int, transposed: Bool) {
    let plan = transposed ? self.transposed : forward
    check(vectors, count, plan)
    var results = vectors.mutableSpan
    plan.apply(
      nil, into: &results, VectorLayout(rowStride: count, vectorStride: 1), columns: count,
      workspace)
  }

  /// Solves L y = b or Lᵀ x = b.
  ///
  /// Collective. The corresponding MPI routines are `MPI_Isend` and `MPI_Recv`.
  ///
  /// - Parameters:
  ///   - vectors: This rank's rows of the right-hand sides, `[unknown][vector]`; become those of the solutions.
  ///   - count: The number of vectors.
  ///   - transposed: Whether the matrix is Lᵀ.
  ///   - ranks: The ranks that share the factor.
  /// - Throws: `MPIError` if a message fails.
  public func solve(
    _ vectors: AlignedBuffer<Double>, count: Int, transposed: Bool,
    on ranks: borrowing Communicator
  ) throws(MPIError) {
    let plan = transposed ? self.transposed : forward
    check(vectors, count, plan)
    var results = vectors.mutableSpan
    try plan.apply(
      nil, into: &results, VectorLayout(rowStride: count, vectorStride: 1), columns: count,
      workspace, on: ranks)
  }

  private func check(_ vectors: AlignedBuffer<Double>, _ count: Int, _ plan: StepPlan) {
    precondition(
      count >= 0 && vectors.count == plan.rowCount * count,
      "\(vectors.count) numbers for \(count) vectors of \(plan.rowCount) unknowns")
  }
}
