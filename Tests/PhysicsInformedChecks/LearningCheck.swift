import BlockKernels
import CheckSupport
import Foundation
import MessagePassing
import Optimization
import PhysicsInformed

/// Solves the Poisson equation in a few seconds.
let learningCheck = Check("learning") { world in
  var options = PhysicsInformedOptions()
  (options.equation, options.width, options.depth) = ("poisson-2d", 12, 2)
  (options.pointsPerStep, options.adamSteps, options.stepLimit) = (512, 200, 300)
  (options.validationPoints, options.groups) = (512, 4)
  let training = try PhysicsInformedTraining(options, on: world)
  while !training.isFinished { _ = try training.advance() }
  let error = try training.relativeError()
  try expect(error < 1e-4, "the relative error is \(error)")
  // The solution at a point, by the same parameters.
  let found = try training.solution(at: [[0.25, 0.5, 0]])
  try expect(abs(found[0] - 0.5.squareRoot()) < 1e-3, "u is \(found[0])")

  options.conditions = .soft
  let soft = try PhysicsInformedTraining(options, on: world)
  while !soft.isFinished { _ = try soft.advance() }
  let softError = try soft.relativeError()
  try expect(softError < 2e-3, "with soft conditions the relative error is \(softError)")
}

/// Primal and dual equations have the same step, which is that of the gradient for a large damping.
let systemsCheck = Check("systems") { world in
  var options = PhysicsInformedOptions()
  (options.width, options.depth, options.shard, options.groups) = (7, 2, 16, 5)
  let equation = Burgers()
  let network = try JetNetwork(dimension: 2, width: 7, depth: 2, function: .tanh)
  let sobol = SobolSequence(dimension: 2)
  let points = (0..<70).map { [2 * sobol[$0][0] - 1, sobol[$0][1], 0] as SIMD3<Double> }
  let problem = try CollocationResiduals(network, equation, options, pointCount: 70, on: world)
  problem.setPoints(points, boundary: [])
  let count = network.parameterCount
  let start = network.initialParameters(seed: 4)
  var steps: [[Double]] = []
  let gradient = AlignedBuffer<Double>(repeating: 0, count: count)
  for solve in [PhysicsInformedOptions.Solve.primal, .dual] {
    let parameters = AlignedBuffer<Double>(repeating: 0, count: count)
    for place in 0..<count { parameters[place] = start[place] }
    try problem.update(parameters)
    try problem.halfGradient(into: gradient)
    let method = DampedGaussNewton(problem, solve: solve)
    var progress = OptimizationProgress()
    progress.damping = 1
    let loss = problem.loss
    let step = try method.advance(problem, parameters, &progress)
    try expect(step.length == 1 && problem.loss < loss, "\(solve): the loss grew")
    try expect(abs(progress.damping - 0.3) < 1e-15, "\(solve): damping \(progress.damping)")
    steps.append((0..<count).map { parameters[$0] - start[$0] })
  }
  let size = steps[0].map(\.magnitude).max() ?? 0
  let difference = zip(steps[0], steps[1]).map { ($0 - $1).magnitude }.max() ?? 1
  try expect(difference <= 1e-10 * size, "steps of \(size) differ by \(difference)")
  let product = zip(steps[0], gradient.array()).reduce(0) { $0 + $1.0 * $1.1 }
  try expect(product < 0, "the step goes up")
}

/// Options, networks and states without meaning are refused.
let refusalCheck = Check("refusals") { world in
  func refuses(
    _ status: Int32, _ what: String, _ change: (inout PhysicsInformedOptions) -> Void
  ) throws {
    var options = PhysicsInformedOptions()
    change(&options)
    do throws(RunError) {
      try options.validate()
      _ = try EquationCatalogue.named(options.equation)
      _ = try JetNetwork(
        dimension: 2, width: options.width, depth: options.depth, function: options.function)
    } catch {
      return try expect(error.exitStatus == status, "\(what): \(error)")
    }
    try expect(false, "\(what) was not refused")
  }
  try refuses(64, "shard") { $0.shard = 40 }
  try refuses(64, "equation") { $0.equation = "burger" }
  try refuses(64, "groups") { $0.groups = 0 }
  try refuses(64, "rate") { $0.firstRate = -.infinity }
  try refuses(64, "weight") { $0.conditionWeight = .nan }
  try refuses(64, "width") { $0.width = 0 }
  try refuses(64, "points") { $0.pointsPerStep = 0 }

  var options = PhysicsInformedOptions()
  (options.width, options.depth, options.pointsPerStep) = (4, 1, 64)
  (options.adamPoints, options.adamSteps, options.validationPoints) = (32, 2, 32)
  let training = try PhysicsInformedTraining(options, on: world)
  _ = try training.advance()
  for name in training.state.arrays.keys.sorted() {
    var state = training.state
    state.arrays[name]?.append(0)
    var isRefused = false
    do {
      _ = try PhysicsInformedTraining(options, state: state, on: world)
    } catch let error as RunError {
      isRefused = error.exitStatus == 65
    }
    try expect(isRefused, "a state with a wrong `\(name)` was not refused")
  }
  var state = training.state
  state.arrays["parameters"]?[0] = .nan
  do {
    _ = try PhysicsInformedTraining(options, state: state, on: world)
    try expect(false, "parameters that are no numbers were not refused")
  } catch let error as RunError {
    try expect(error.exitStatus == 65, "\(error)")
  }
}
