public import BlockKernels
public import MessagePassing
import OperatorNetworks
public import Preconditioners

/// The solution x = U⁻¹ L⁻¹ b with learned factors, over ranks.
///
/// | form | pattern | how |
/// |---|---|---|
/// | product | weak | two products, with the inverses in the same structure |
/// | product | strong, blog | forward and back substitution |
/// | inverse | all | two products, with W_L and W_U |
///
/// Rows are those of this rank in the order of the tree. Results have the same bits on any number of ranks, and a vector
/// has those that it has alone. Products go over boxes side by side: a rank waits for values of others only, of which there
/// are few. Copies share memory, so one of them is applied at a time.
public struct FactorPreconditioner: PlannedOperator {
  /// What the parameters stand for.
  public let form: FactorForm
  /// The leaves and the unknowns of each rank.
  public let partition: LeafPartition
  /// The number of rows that this rank holds.
  public var rowCount: Int { plans[0].rowCount }
  /// With L or its inverse, then with U.
  private let plans: [StepPlan]
  private let workspace: StepWorkspace

  /// Prepares for solving.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - factors: The factors.
  ///   - form: What their parameters stand for.
  ///   - parameters: All parameters, the same on all ranks; they are read here, and not kept.
  ///   - ranks: The ranks over which rows are spread.
  /// - Throws: `RunError`, the same on all ranks, if a diagonal block is numerically singular, or a parameter is not
  ///   finite; `MPIError` if the library fails.
  /// - Precondition: There are as many parameters as the factors have.
  public init(
    _ factors: Factors, form: FactorForm, parameters: AlignedBuffer<Double>,
    ranks: borrowing Communicator
  ) throws {
    precondition(
      parameters.count == factors.parameterCount,
      "\(parameters.count) parameters for \(factors.parameterCount)")
    self.form = form
    let partition = LeafPartition(factors, ranks: ranks.size)
    self.partition = partition
    let substitutes = form == .product && factors.structure.pattern != .weak
    var used = parameters
    if form == .product && !substitutes {
      used = AlignedBuffer(repeating: 0, count: parameters.count)
      for blocks in factors.isSymmetric ? [factors.lower] : [factors.lower, factors.upper] {
        try blocks.invert(parameters, into: used, partition: partition, ranks: ranks)
      }
    }
    var plans: [StepPlan] = []
    for (blocks, isTransposed) in [(factors.lower, false), (factors.upper, true)] {
      let steps = FactorSteps(
        blocks, substitutes ? .solution : .product, isTransposed: isTransposed)
      let planner = StepPlanner(steps, used, cuts: partition.leafCuts, rank: ranks.rank)
      try FactorFailure.share(planner.failure, blocks, on: ranks)
      plans.append(planner.plan)
    }
    self.plans = plans
    workspace = StepWorkspace(plans)
  }

  /// Solves for a block of vectors.
  ///
  /// Collective. The corresponding MPI routines are `MPI_Isend` and `MPI_Recv`.
  ///
  /// - Parameters:
  ///   - vectors: The right-hand sides, `[columns][rowCount]`.
  ///   - results: The solutions, as many.
  ///   - columns: The number of vectors.
  ///   - ranks: The ranks over which the rows are spread.
  /// - Throws: `MPIError` if a message fails.
  /// - Complexity: O(parameters) for each vector; no allocation on one rank, but for the first time with so many vectors.
  public func apply(
    _ vectors: Span<Double>, into results: inout MutableSpan<Double>, columns: Int,
    on ranks: borrowing Communicator
  ) throws {
    precondition(
      columns >= 0 && vectors.count == columns * rowCount && results.count == columns * rowCount,
      "\(vectors.count) and \(results.count) numbers for \(columns) vectors of \(rowCount) rows")
    let layout = VectorLayout(rowStride: 1, vectorStride: rowCount)
    try plans[0].apply(
      vectors, into: &results, layout, columns: columns, workspace, on: ranks)
    try plans[1].apply(nil, into: &results, layout, columns: columns, workspace, on: ranks)
  }

  /// Counts the messages that this rank sends for an application.
  ///
  /// - Parameter columns: The number of vectors.
  /// - Returns: The messages.
  public func messages(columns: Int) -> Int {
    let blocks = (columns + StepPlan.maximumWidth - 1) / StepPlan.maximumWidth
    return blocks * plans.reduce(0) { $0 + $1.messageCount }
  }

  /// Counts the bytes in the messages that this rank sends for an application.
  ///
  /// - Parameter columns: The number of vectors.
  /// - Returns: The bytes.
  public func messageBytes(columns: Int) -> Int {
    columns * plans.reduce(0) { $0 + $1.sentRowCount } * MemoryLayout<Double>.stride
  }

  /// The memory that the preconditioner holds on this rank.
  public var bytes: Int { plans.reduce(workspace.bytes) { $0 + $1.bytes } }
}
