import BlockKernels
import CheckSupport
import Factorization
import Foundation
import MessagePassing
import OperatorNetworks
import SparseMatrices

/// Trains by all methods and losses and prints what came out, bits and all.
///
/// The test compares numbers of ranks. In the middle, training goes on from its saved state, and must come out with the same bits.
let bitsCheck = Check("bits") { ranks in
  typealias Options = RefinementOptions
  let cases: [(ModelMatrix, Options)] = [
    (.biharmonic2D, Options(loss: .both, steps: 4, innerIterations: 3)),
    (
      .biharmonic2D,
      Options(
        method: .levenbergMarquardt, loss: .direct, probes: 40, steps: 3,
        innerIterations: 2)
    ),
    (.laplacian2D, Options(method: .lbfgs, loss: .inverse, probes: 30, steps: 6)),
    (.convectionDiffusion2D, Options(probes: 48, steps: 4, innerIterations: 2)),
    (
      .convectionDiffusion2D,
      Options(method: .lbfgs, loss: .frobenius, steps: 5, transposeLoss: true)
    ),
    (.laplacian2D, Options(method: .adam, loss: .frobenius, probes: 16, steps: 5)),
    (
      .laplacian2D,
      Options(
        method: .levenbergMarquardt, loss: .frobenius, steps: 1,
        innerIterations: 1, blockWise: true)
    ),
  ]
  for (model, options) in cases {
    let problem = try TrainingProblem(model, [8, 8], z: true, .strong, levels: 2, r: 1)
    try problem.start(isScaled: true)
    let whole = try problem.refinement(options, nil, on: ranks)
    var steps: [RefinementStep] = []
    var saved: RefinementState?
    while !whole.isFinished {
      steps.append(try whole.advance())
      if steps.count == 2 {
        // As files do: progress as JSON.
        let progress = try JSONDecoder().decode(
          RefinementState.Progress.self, from: JSONEncoder().encode(whole.state.progress))
        saved = RefinementState(arrays: whole.state.arrays, progress: progress)
      }
    }
    try expect(saved != nil, "\(options): \(steps)")
    // Groups of another size.
    let rest = try problem.refinement(options, saved, treeRanks: ranks.size, on: ranks)
    var again: [RefinementStep] = []
    while !rest.isFinished { again.append(try rest.advance()) }
    try expect(again == Array(steps.dropFirst(2)), "\(options): \(again), not \(steps)")
    try expect(rest.state == whole.state, "\(options): other states")
    let line =
      "\(model.rawValue) \(options.method.rawValue) \(options.loss.rawValue) \(steps.count) "
      + digest(whole.parameters.array() + steps.flatMap { [$0.loss, $0.stepLength] })
    let lines = try ranks.allGather(line.utf8.reduce(0) { ($0 &* 31) &+ Int($1) })
    try expect(Set(lines).count == 1, "ranks differ: \(line)")
    if ranks.rank == 0 { print(line) }
  }
}

/// Training makes a factor a better preconditioner than its best classical start, and within bars of a prototype.
let learningCheck = Check("learning") { ranks in
  // Plain and scaled starts need 13 iterations; as inverse factors 48.
  let problem = try TrainingProblem(.biharmonic2D, [16, 16], z: true, .strong, levels: 3, r: 0)
  var classical: [Int] = []
  for isScaled in [false, true] {
    try problem.start(isScaled: isScaled)
    classical.append(try problem.iterations(problem.parameters, on: ranks))
  }
  var options = RefinementOptions(steps: 2, innerIterations: 30)
  let refinement = try problem.refinement(options, nil, on: ranks)
  var losses: [Double] = []
  while !refinement.isFinished { losses.append(try refinement.advance().loss) }
  try expect(losses.count == 2 && losses[1] < losses[0], "\(losses)")
  let learned = try problem.iterations(refinement.parameters, on: ranks)
  try expect(learned <= 11 && classical.allSatisfy { learned < $0 }, "\(classical) → \(learned)")
  // Block rows from a start that is not even close: without a far field they find the factor itself.
  let line = try TrainingProblem(.laplacian1D, [32], z: false, .strong, levels: 2, r: 1)
  for place in 0..<line.parameters.count {
    var stream = RandomStream(seed: 1, purpose: 5, index: UInt64(place))
    line.parameters[place] = 0.3 * stream.normal()
  }
  try line.setIdentityDiagonal()
  options = RefinementOptions(
    method: .levenbergMarquardt, loss: .frobenius, innerIterations: 200, innerTolerance: 1e-8,
    blockWise: true)
  let rows = try line.refinement(options, nil, on: ranks)
  while !rows.isFinished { _ = try rows.advance() }
  options = RefinementOptions(method: .lbfgs, loss: .frobenius, steps: 1)
  let whole = try Refinement(
    line.factors, matrix: line.matrix, exact: nil, options: options, parameters: rows.parameters,
    on: ranks)
  let left = try whole.advance().directLoss
  try expect(left < 1e-16, "block rows leave \(left)")
}

/// What has no meaning is refused on all ranks.
let refusalCheck = Check("refusals") { ranks in
  typealias Options = RefinementOptions
  let problem = try TrainingProblem(.laplacian2D, [8, 8], z: true, .strong, levels: 2, r: 1)
  try problem.start(isScaled: false)
  let usual = problem.status(Options(), on: ranks)
  try expect(usual == "0", usual)
  for (found, word) in [
    (problem.status(Options(probes: 0), on: ranks), "`probes`"),
    (problem.status(Options(steps: 0), on: ranks), "`steps`"),
    (problem.status(Options(innerTolerance: .nan), on: ranks), "`innerTolerance`"),
    (problem.status(Options(learningRate: 0.1), on: ranks), "`learningRate`"),
    (problem.status(Options(method: .adam, learningRate: -1), on: ranks), "`learningRate`"),
    (problem.status(Options(method: .lbfgs, innerIterations: 3), on: ranks), "`innerIterations`"),
    (problem.status(Options(transposeLoss: true), on: ranks), "`transposeLoss`"),
    (problem.status(Options(blockWise: true), on: ranks), "`blockWise`"),
    (problem.status(Options(method: .none, steps: 3), on: ranks), "`method`"),
    (problem.status(Options(), exact: false, on: ranks), "`loss`"),
    (problem.status(Options(loss: .frobenius), form: .inverse, on: ranks), "`loss`"),
  ] {
    try expect(found.hasPrefix("64 ") && found.contains(word), "\(word): \(found)")
  }
  // A singular start, and one that is not finite.
  for scale: Double in [0, .nan] {
    let found = problem.status(Options(), scale: scale, on: ranks)
    try expect(found.hasPrefix("65 "), found)
  }
}

extension TrainingProblem {
  /// Prepares training from a state, or from the start.
  fileprivate func refinement(
    _ options: RefinementOptions, _ state: RefinementState?, treeRanks: Int? = nil,
    on ranks: borrowing Communicator
  ) throws -> Refinement {
    try Refinement(
      factors, matrix: matrix, exact: exact, options: options, parameters: parameters,
      state: state, treeRanks: treeRanks, on: ranks)
  }

  /// Returns the exit status and the message of an attempt to prepare training.
  fileprivate func status(
    _ options: RefinementOptions, form: FactorForm = .product, exact hasExact: Bool = true,
    scale: Double = 1, on ranks: borrowing Communicator
  ) -> String {
    let start = AlignedBuffer<Double>(repeating: 0, count: parameters.count)
    for place in 0..<start.count { start[place] = scale * parameters[place] }
    do {
      _ = try Refinement(
        factors, form: form, matrix: matrix, exact: hasExact ? exact : nil, options: options,
        parameters: start, on: ranks)
      return "0"
    } catch { return "\(ExitStatus.status(of: error)) \(ExitStatus.message(of: error))" }
  }
}

/// FNV-1a of the bits.
private func digest(_ values: [Double]) -> String {
  let bytes = values.flatMap { value in
    (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
  }
  let hash = bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  return String(hash, radix: 16)
}
