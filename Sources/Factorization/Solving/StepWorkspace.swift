import BlockKernels
import MessagePassing

/// The memory in which plans run, one after the other.
final class StepWorkspace {
  /// The values, `[row][vector]` with the rows of the largest plan.
  private(set) var values = AlignedBuffer<Double>(repeating: 0, count: 0)
  /// What is sent to other ranks, message by message.
  private(set) var outgoing = AlignedBuffer<Double>(repeating: 0, count: 0)
  private let valueCount: Int
  private let sentCount: Int

  /// Makes memory for one vector.
  ///
  /// - Parameter plans: The plans that run in it.
  init(_ plans: [StepPlan]) {
    valueCount = plans.reduce(0) { max($0, $1.valueCount) }
    sentCount = plans.reduce(0) { max($0, $1.sentRowCount) }
    reserve(columns: 1)
  }

  /// Makes memory for more vectors, if there is not enough.
  func reserve(columns: Int) {
    let numbers = valueCount * min(columns, StepPlan.maximumWidth)
    if values.count < numbers { values = AlignedBuffer(repeating: 0, count: numbers) }
    let sent = sentCount * columns
    if outgoing.count < sent { outgoing = AlignedBuffer(repeating: 0, count: sent) }
  }

  /// The memory, in bytes.
  var bytes: Int { (values.count + outgoing.count) * MemoryLayout<Double>.stride }
}

extension StepPlan {
  /// The number by which ranks tell messages of solving from others.
  private static let tag = 0x5300

  /// Applies the plan of the only rank.
  ///
  /// - Parameters:
  ///   - source: The vectors; nil for those in the place of the results.
  ///   - results: The results.
  ///   - layout: Where their numbers stand.
  ///   - columns: The number of vectors.
  ///   - workspace: The memory.
  /// - Precondition: There are no other ranks.
  func apply(
    _ source: Span<Double>?, into results: inout MutableSpan<Double>, _ layout: VectorLayout,
    columns: Int, _ workspace: StepWorkspace
  ) {
    precondition(isAlone, "ranks that share a factor exchange values")
    workspace.reserve(columns: columns)
    for first in stride(from: 0, to: columns, by: Self.maximumWidth) {
      let width = min(Self.maximumWidth, columns - first)
      load(source, results.span, layout, first, width, workspace.values)
      for phase in phases {
        for piece in phase.pieces { run(piece, workspace.values, width: width) }
      }
      store(&results, layout, first, width, workspace.values)
    }
  }

  /// Applies the plans of all ranks.
  ///
  /// Collective. The corresponding MPI routines are `MPI_Isend` and `MPI_Recv`. A rank sends without waiting, and goes on
  /// with the next block of 16 vectors while others work with what it sent.
  ///
  /// - Parameters:
  ///   - source: This rank's rows of the vectors; nil for those in the place of the results.
  ///   - results: Its rows of the results.
  ///   - layout: Where their numbers stand.
  ///   - columns: The number of vectors.
  ///   - workspace: The memory.
  ///   - ranks: The ranks.
  /// - Throws: `MPIError` if a message fails.
  func apply(
    _ source: Span<Double>?, into results: inout MutableSpan<Double>, _ layout: VectorLayout,
    columns: Int, _ workspace: StepWorkspace, on ranks: borrowing Communicator
  ) throws(MPIError) {
    guard !isAlone else {
      return apply(source, into: &results, layout, columns: columns, workspace)
    }
    workspace.reserve(columns: columns)
    ranks.stallWatch.phase = .init("solving with factors")
    let (values, outgoing) = (workspace.values, workspace.outgoing)
    let none = AlignedBuffer<Double>(repeating: 0, count: 0)
    var nothing = none.mutableSpan
    try ranks.withRequests(sending: outgoing.span, receiving: &nothing) {
      (requests) throws(MPIError) in
      var place = 0
      for first in stride(from: 0, to: columns, by: Self.maximumWidth) {
        let width = min(Self.maximumWidth, columns - first)
        load(source, results.span, layout, first, width, values)
        for phase in phases {
          for message in phase.receives {
            var rows = values.mutableSpan(
              of: message.rows.lowerBound * width..<message.rows.upperBound * width)
            try ranks.receive(into: &rows, from: message.rank, tag: Self.tag)
          }
          for piece in phase.pieces {
            run(piece, values, width: width)
            try requests.progress()
          }
          for message in phase.sends {
            // The messages before stand in other places, where they stay until all are received.
            let start = place
            for run in message.runs {
              let count = run.count * width
              outgoing.copy(
                from: values, at: run.lowerBound * width, to: place..<place + count)
              place += count
            }
            try requests.send(start..<place, to: message.rank, tag: Self.tag)
          }
        }
        store(&results, layout, first, width, values)
      }
    }
  }

  /// Copies some vectors to the rows of the unknowns.
  private func load(
    _ source: Span<Double>?, _ results: Span<Double>, _ layout: VectorLayout, _ first: Int,
    _ width: Int, _ values: AlignedBuffer<Double>
  ) {
    var rows = values.mutableSpan
    guard let source else {
      return layout.load(results, first: first, width: width, rows: rowCount, into: &rows)
    }
    layout.load(source, first: first, width: width, rows: rowCount, into: &rows)
  }

  /// Copies the results of some vectors.
  private func store(
    _ results: inout MutableSpan<Double>, _ layout: VectorLayout, _ first: Int, _ width: Int,
    _ values: AlignedBuffer<Double>
  ) {
    let rows = values.span
    layout.store(
      rows.extracting((resultStart * width)...), first: first, width: width, rows: rowCount,
      into: &results)
  }
}
