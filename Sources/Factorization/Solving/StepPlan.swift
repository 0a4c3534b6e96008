import BlockKernels
import ClusterTrees

/// What one rank computes, receives and sends to solve with a factor or to multiply by it.
///
/// All of it is fixed beforehand: steps in their order, weights copied in the order in which they are used, and the rows
/// of messages. Values stand by rows, this rank's unknowns first. The unit of all places is a row of up to 16 vectors.
struct StepPlan {
  /// The largest number of vectors at once.
  static let maximumWidth = 16

  /// Values from another rank, which stand beside each other.
  struct Receive {
    let rank: Int
    let rows: Range<Int>
  }

  /// Values for another rank.
  struct Send {
    let rank: Int
    var runs: [Range<Int>]
    var rowCount: Int { runs.reduce(0) { $0 + $1.count } }
  }

  /// Some steps, after which messages are helped along.
  struct Piece {
    let steps: Range<Int>
    /// Where their weights and their indices begin.
    let weights: Int
    let indices: Int

    /// The weights of a piece: with one vector, less than a tenth of a millisecond.
    static let weightCount = 1 << 16
  }

  /// Messages that come, steps that need them, and messages that go.
  struct Phase {
    var receives: [Receive] = []
    var sends: [Send] = []
    var pieces: [Piece] = []
  }

  /// The number of this rank's unknowns.
  let rowCount: Int
  /// Where the results begin.
  let resultStart: Int
  /// The number of rows of values.
  let valueCount: Int
  let phases: [Phase]
  let steps: [RowStep]
  /// The rows of the factors x, by step.
  let indices: [Int32]
  /// The weights, by step and by row of x.
  let weights: [Double]

  /// The messages that this rank sends for up to 16 vectors.
  var messageCount: Int { phases.reduce(0) { $0 + $1.sends.count } }
  /// The numbers in them for one vector.
  var sentRowCount: Int { phases.reduce(0) { $0 + $1.sends.reduce(0) { $0 + $1.rowCount } } }
  /// Whether there are messages.
  var isAlone: Bool { phases.allSatisfy { $0.receives.isEmpty && $0.sends.isEmpty } }

  /// The memory of the plan.
  var bytes: Int {
    weights.count * MemoryLayout<Double>.stride + indices.count * MemoryLayout<Int32>.stride
      + steps.count * MemoryLayout<RowStep>.stride
  }

  /// Runs the steps of a piece.
  ///
  /// - Parameters:
  ///   - piece: The piece.
  ///   - values: The values, `[row][vector]`.
  ///   - width: The number of vectors.
  func run(_ piece: Piece, _ values: AlignedBuffer<Double>, width: Int) {
    precondition(
      (1...Self.maximumWidth).contains(width) && values.count >= valueCount * width,
      "\(values.count) numbers for \(valueCount) rows of \(width) vectors")
    var span = values.mutableSpan
    // All places that the planner gives out are below `valueCount`, and there are as many weights and indices as it
    // wrote steps for.
    unsafe span.withUnsafeMutableBufferPointer { values in
      unsafe weights.withUnsafeBufferPointer { weights in
        unsafe indices.withUnsafeBufferPointer { indices in
          unsafe steps.withUnsafeBufferPointer { steps in
            guard let values = values.baseAddress, let steps = steps.baseAddress else { return }
            // Steps without products have neither weights nor indices, and read none.
            var (noWeight, noIndex) = (0.0, Int32(0))
            unsafe withUnsafePointer(to: &noWeight) { noWeight in
              unsafe withUnsafePointer(to: &noIndex) { noIndex in
                var kernel = unsafe StepKernel(
                  values: values, width: width,
                  weights: weights.baseAddress.map { unsafe $0 + piece.weights } ?? noWeight,
                  indices: indices.baseAddress.map { unsafe $0 + piece.indices } ?? noIndex)
                unsafe kernel.run(steps + piece.steps.lowerBound, count: piece.steps.count)
              }
            }
          }
        }
      }
    }
  }
}
