import BlockKernels
import Factorization
import Foundation
import MessagePassing
import OperatorNetworks
import SparseMatrices

/// Trains factors and prints what that cost and brought, step by step.
///
/// Started by hand:
/// `RefinementChecks measure MODEL SIDE z|natural PATTERN LEVELS CHANNELS [plain|scaled|inverse] [JSON of options]`.
func measure(_ words: [String], on ranks: borrowing Communicator) throws {
  guard words.count >= 6, let model = ModelMatrix(rawValue: words[0]), let side = Int(words[1]),
    let pattern = FactorPattern(rawValue: words[3]), let levels = Int(words[4]),
    let channels = Int(words[5])
  else { throw RunError.usage("measure MODEL SIDE z|natural PATTERN LEVELS CHANNELS ...") }
  let clock = ContinuousClock()
  let begin = clock.now
  func seconds() -> String { String(format: "%.1f s", (clock.now - begin) / .seconds(1)) }
  let shape = model.dimensions.upperBound == 1 ? [side] : [side, side]
  let problem = try TrainingProblem(
    model, shape, z: words[2] == "z", pattern, levels: levels, r: channels)
  let each = Double(problem.factors.parameterCount) / Double(problem.matrix.rowCount)
  func say(_ text: String) {
    guard MPIEnvironment.launcherRank == 0 else { return }
    FileHandle.standardOutput.write(Data("\(text)\n".utf8))
  }
  say("\(words.prefix(6).joined(separator: " ")): \(each) parameters per unknown, \(seconds())")
  var options = RefinementOptions()
  if words.count > 7 {
    // Keys that are left out have their usual values.
    var object =
      try JSONSerialization.jsonObject(with: JSONEncoder().encode(options)) as? [String: Any] ?? [:]
    let given = try JSONSerialization.jsonObject(with: Data(words[7].utf8)) as? [String: Any] ?? [:]
    object.merge(given) { $1 }
    options = try JSONDecoder().decode(
      RefinementOptions.self, from: JSONSerialization.data(withJSONObject: object))
  }
  let kind = words.count > 6 ? words[6] : "scaled"
  if kind == "inverse" { return try measureInverse(problem, options, say, on: ranks) }
  for isScaled in [false, true] {
    try problem.start(isScaled: isScaled)
    let iterations = try problem.iterations(problem.parameters, limit: 500, on: ranks)
    say("\(isScaled ? "scaled" : "plain") start: \(iterations) iterations, \(seconds())")
  }
  try problem.start(isScaled: kind == "scaled")
  let refinement = try Refinement(
    problem.factors, matrix: problem.matrix, exact: problem.exact, options: options,
    parameters: problem.parameters, on: ranks)
  say("prepared, \(seconds())")
  while !refinement.isFinished {
    let step = try refinement.advance()
    // Counting takes longer than a step where there are many.
    let counts = step.step % 5 == 0 || refinement.isFinished || problem.matrix.rowCount < 2000
    let iterations =
      counts ? "\(try problem.iterations(refinement.parameters, limit: 500, on: ranks))" : "?"
    say(
      "step \(step.step): loss \(step.loss) (\(step.directLoss), \(step.inverseLoss)), "
        + "\(step.innerIterations) inner, length \(step.stepLength): \(iterations) iterations, \(seconds())"
    )
  }
}

/// Trains inverse factors of a small symmetric matrix.
private func measureInverse(
  _ problem: TrainingProblem, _ options: RefinementOptions, _ say: (String) -> Void,
  on ranks: borrowing Communicator
) throws {
  try problem.startInverse()
  say("start: \(try problem.inverseIterations(problem.parameters, on: ranks)) iterations")
  let refinement = try Refinement(
    problem.factors, form: .inverse, matrix: problem.matrix, exact: problem.exact,
    options: options, parameters: problem.parameters, on: ranks)
  while !refinement.isFinished {
    let step = try refinement.advance()
    let count = try problem.inverseIterations(refinement.parameters, on: ranks)
    say("step \(step.step): loss \(step.loss), \(step.innerIterations) inner: \(count) iterations")
  }
}
