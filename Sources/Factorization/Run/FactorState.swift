import Checkpoints
import OperatorNetworks

/// What a checkpoint of factors says of its run, besides the configuration and the arrays.
struct FactorState: SavedState {
  static let kind = CheckpointKind.factors

  /// The steps of training made.
  var step = 0
  /// Whether training has ended, and the better of start and result stands in `/parameters`.
  var isFinished = false
  /// The number of unknowns.
  var unknowns: Int
  /// Whether U is Lᵀ.
  var isSymmetric: Bool
  /// What the parameters stand for.
  var form: FactorForm
  /// The start that was taken.
  var start: StartKind
  /// The iterations that classical starts need, by their names; −1 for those that do not converge.
  var classicalIterations: [String: Int] = [:]
  /// The iterations that the parameters need; −1 if they do not converge, nil before training has ended.
  var iterations: Int?
  /// Whether the training was of no use, so that the start stands in `/parameters` in the end.
  var keepsStart = false
  /// What was added to the diagonal so that an incomplete factorization exists; nil if it is exact, or there is none.
  var incompleteShift: Double?
  /// The seconds that factorization and starts took.
  var startSeconds = 0.0
  /// The seconds that training took so far.
  var refinementSeconds = 0.0
  /// The digest of the parameters.
  var digest = ""
  /// The progress of training; nil without.
  var progress: RefinementState.Progress?
  /// The names of the arrays of training, in `/refinement`.
  var refinementArrays: [String] = []
  /// The graph of y = L x, or y = W x.
  var network: NetworkDescription

  enum CodingKeys: String, CodingKey {
    case step, unknowns, form, start, iterations, digest, progress, network
    case isFinished = "is_finished"
    case isSymmetric = "is_symmetric"
    case classicalIterations = "classical_iterations"
    case keepsStart = "keeps_start"
    case incompleteShift = "incomplete_shift"
    case startSeconds = "start_seconds"
    case refinementSeconds = "refinement_seconds"
    case refinementArrays = "refinement_arrays"
  }
}
