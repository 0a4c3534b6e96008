import BlockKernels
import ClusterTrees
import OperatorNetworks

/// Makes the plan of one rank.
struct StepPlanner {
  private let steps: FactorSteps
  private let parameters: AlignedBuffer<Double>
  private let leaves: Range<Int>
  private let tree: ClusterTree
  private let firstRow: Int
  /// For each value: the phase in which it is computed; empty if there is only one.
  private let rounds: [Int16]
  /// For each value: the row of its first number; −1 if it is not here.
  private var places: [Int32]
  private var phases: [StepPlan.Phase]
  private let rowCount: Int
  private var valueCount: Int
  /// The rows that sums have one after the other while a leaf is solved, and what boxes get by level.
  private var reused: (sum: Int, levels: [Int]) = (0, [])
  private var rows: [RowStep] = []
  private var indices: [Int32] = []
  private var weights: [Double] = []
  /// Where the present piece begins.
  private var start = (rows: 0, weights: 0, indices: 0)
  /// The first leaf that cannot be computed with.
  private(set) var failure: FactorFailure?

  /// Plans the work of a rank.
  ///
  /// - Parameters:
  ///   - steps: The steps of all ranks.
  ///   - parameters: The parameters of all factors.
  ///   - cuts: The first leaf of each rank, and the number of leaves.
  ///   - rank: The rank.
  init(_ steps: FactorSteps, _ parameters: AlignedBuffer<Double>, cuts: [Int], rank: Int) {
    self.steps = steps
    self.parameters = parameters
    let leaves = cuts[rank]..<cuts[rank + 1]
    self.leaves = leaves
    let tree = steps.blocks.structure.tree
    self.tree = tree
    let points =
      leaves.isEmpty
      ? 0..<0
      : tree.pointRange(level: tree.levels, box: leaves.lowerBound)
        .lowerBound..<tree.pointRange(
          level: tree.levels, box: leaves.upperBound - 1
        ).upperBound
    (firstRow, rowCount, valueCount) = (points.lowerBound, points.count, points.count)
    places = [Int32](repeating: -1, count: steps.values.count)
    let transfers = StepTransfers(steps, cuts: cuts, rank: rank)
    rounds = transfers.rounds
    phases = [StepPlan.Phase](repeating: StepPlan.Phase(), count: transfers.phaseCount)
    placeUnknowns()
    placeReceived(transfers)
    write()
    planSends(transfers)
  }

  /// The plan.
  var plan: StepPlan {
    StepPlan(
      rowCount: rowCount, resultStart: steps.task == .product ? rowCount : 0,
      valueCount: valueCount, phases: phases, steps: rows, indices: indices, weights: weights)
  }

  // MARK: Rows

  /// Gives the unknowns of this rank their rows, and what is computed leaf by leaf.
  private mutating func placeUnknowns() {
    for leaf in leaves {
      let range = tree.pointRange(level: tree.levels, box: leaf)
      places[steps.values.unknowns(leaf)] = Int32(range.lowerBound - firstRow)
      guard steps.task == .product else { continue }
      places[steps.values.sum(leaf)] = Int32(rowCount + range.lowerBound - firstRow)
    }
    if steps.task == .product {
      valueCount += rowCount
    } else {
      let largest = leaves.reduce(0) {
        max($0, tree.pointRange(level: tree.levels, box: $1).count)
      }
      reused.sum = valueCount
      valueCount += largest
      for channels in steps.blocks.structure.channels {
        reused.levels.append(valueCount)
        valueCount += channels
      }
    }
  }

  /// Gives values of other ranks their rows, those of a message beside each other.
  private mutating func placeReceived(_ transfers: StepTransfers) {
    for transfer in transfers.received {
      places[transfer.value] = Int32(valueCount)
      let rows = valueCount..<valueCount + transfer.size
      valueCount += transfer.size
      let last = phases[transfer.received].receives.count - 1
      if last >= 0, phases[transfer.received].receives[last].rank == transfer.source {
        let start = phases[transfer.received].receives[last].rows.lowerBound
        phases[transfer.received].receives[last] = StepPlan.Receive(
          rank: transfer.source, rows: start..<rows.upperBound)
      } else {
        phases[transfer.received].receives.append(
          StepPlan.Receive(rank: transfer.source, rows: rows))
      }
    }
  }

  /// Finds the rows of the messages to others; they come in the order of ranks, values in that of their numbers.
  private mutating func planSends(_ transfers: StepTransfers) {
    for transfer in transfers.sent {
      let start = Int(places[transfer.value])
      let rows = start..<start + transfer.size
      var sends = phases[transfer.sent].sends
      phases[transfer.sent].sends = []
      if sends.last?.rank != transfer.target {
        sends.append(StepPlan.Send(rank: transfer.target, runs: []))
      }
      let last = sends.count - 1
      if let run = sends[last].runs.last, run.upperBound == rows.lowerBound {
        sends[last].runs[sends[last].runs.count - 1] = run.lowerBound..<rows.upperBound
      } else {
        sends[last].runs.append(rows)
      }
      phases[transfer.sent].sends = sends
    }
  }

  // MARK: Steps

  /// Writes the steps of this rank, phase by phase.
  private mutating func write() {
    let steps = steps
    let isSplit = phases.count > 1 && steps.task == .product
    if !isSplit { reserve() }
    for phase in phases.indices {
      begin()
      var inverse: DenseMatrix?
      steps.visit(leaves) { leaf, step in
        guard isSplit ? Int(rounds[step.target]) == phase : phase == 0 else { return }
        write(step, leaf, &inverse)
        if weights.count - start.weights >= StepPlan.Piece.weightCount { end(phase) }
      }
      end(phase)
    }
    precondition(valueCount <= Int(Int32.max), "\(valueCount) rows of values on one rank")
  }

  /// Begins a piece.
  private mutating func begin() { start = (rows.count, weights.count, indices.count) }

  /// Ends a piece and begins the next one.
  private mutating func end(_ phase: Int) {
    if rows.count > start.rows {
      phases[phase].pieces.append(
        StepPlan.Piece(
          steps: start.rows..<rows.count, weights: start.weights, indices: start.indices))
    }
    begin()
  }

  /// Makes room for all weights.
  private mutating func reserve() {
    var counts = (weights: 0, indices: 0, rows: 0)
    steps.visit(leaves) { _, step in
      let inputs = step.terms.reduce(0) { $0 + $1.size }
      let pieces = step.size / 8 + (step.size % 8).nonzeroBitCount
      counts.weights += step.size * inputs
      counts.indices += pieces * inputs
      counts.rows += pieces
    }
    weights.reserveCapacity(counts.weights)
    indices.reserveCapacity(counts.indices)
    rows.reserveCapacity(counts.rows)
  }

  private mutating func write(_ step: FactorStep, _ leaf: Int, _ inverse: inout DenseMatrix?) {
    var step = step
    if steps.task == .solution {
      if step.target == steps.values.sum(leaf) {
        // With an identity on the diagonal the sum is the solution.
        inverse = invertDiagonal(leaf)
        if inverse == nil { step.target = steps.values.unknowns(leaf) }
        places[steps.values.sum(leaf)] = Int32(reused.sum)
      } else if step.target == steps.values.unknowns(leaf), inverse == nil {
        return
      }
    }
    if places[step.target] < 0 {
      if steps.task == .solution, let level = steps.values.level(ofDown: step.target) {
        // What a box gets is read inside of it only, and then that of the next box may take its place.
        places[step.target] = Int32(reused.levels[level])
      } else {
        places[step.target] = Int32(valueCount)
        valueCount += step.size
      }
    }
    let (target, initial) = (places[step.target], step.initial.map { places[$0] })
    var row = 0
    while row < step.size {
      let lanes = min(8, 1 << (Int.bitWidth - 1 - (step.size - row).leadingZeroBitCount))
      let inputs = indices.count
      for term in step.terms {
        switch term.weights {
        case .block(let first, let stride, let isNegated):
          write(first, stride, isNegated, row, lanes, term)
        case .inverse:
          if let inverse { write(inverse, row, lanes, term) }
        }
      }
      rows.append(
        RowStep(
          target: target + Int32(row), initial: initial.map { $0 + Int32(row) } ?? -1,
          inputs: Int32(indices.count - inputs), lanes: Int32(lanes)))
      row += lanes
    }
    check(leaf)
  }

  /// Writes some rows of a block; columns of zeros are left out.
  private mutating func write(
    _ first: Int, _ stride: Int, _ isNegated: Bool, _ row: Int, _ lanes: Int,
    _ term: FactorStep.Term
  ) {
    let parameters = parameters
    let span = parameters.span
    let place = Int(places[term.source])
    let (rowStride, columnStride) = steps.isTransposed ? (1, stride) : (stride, 1)
    for column in 0..<term.size {
      let start = first + row * rowStride + column * columnStride
      var isZero = true
      for lane in 0..<lanes where span[start + lane * rowStride] != 0 { isZero = false }
      guard !isZero else { continue }
      indices.append(Int32(place + column))
      for lane in 0..<lanes {
        let weight = span[start + lane * rowStride]
        weights.append(isNegated ? -weight : weight)
      }
    }
  }

  /// Writes some rows of the inverse of a diagonal block; columns of zeros are left out.
  private mutating func write(
    _ inverse: DenseMatrix, _ row: Int, _ lanes: Int, _ term: FactorStep.Term
  ) {
    let first = Int(places[term.source])
    let size = inverse.rows
    let (rowStride, columnStride) = steps.isTransposed ? (size, 1) : (1, size)
    for column in 0..<size {
      let start = row * rowStride + column * columnStride
      var isZero = true
      for lane in 0..<lanes where inverse.elements[start + lane * rowStride] != 0 { isZero = false }
      guard !isZero else { continue }
      indices.append(Int32(first + column))
      for lane in 0..<lanes { weights.append(inverse.elements[start + lane * rowStride]) }
    }
  }

  // MARK: Failures

  /// The number of weights that were found finite.
  private var checked = 0

  /// Notes the leaf if new weights are not finite.
  private mutating func check(_ leaf: Int) {
    while checked < weights.count {
      if !weights[checked].isFinite { note(FactorFailure(leaf: leaf, isSingular: false)) }
      checked += 1
    }
  }

  /// Inverts the diagonal block of a leaf; nil if it is the identity, or cannot be inverted.
  private mutating func invertDiagonal(_ leaf: Int) -> DenseMatrix? {
    do throws(FactorFailure) {
      return try steps.blocks.inverseDiagonal(leaf, parameters)
    } catch {
      note(error)
      return nil
    }
  }

  private mutating func note(_ other: FactorFailure) {
    failure = failure.map { min($0, other) } ?? other
  }
}
