import BlockKernels
import CheckSupport
import Foundation
import MessagePassing
import PhysicsInformed

/// The names and options of short trainings.
private func trainings() -> [(String, PhysicsInformedOptions)] {
  var base = PhysicsInformedOptions()
  (base.width, base.depth, base.shard, base.groups) = (6, 2, 16, 6)
  (base.pointsPerStep, base.adamPoints, base.validationPoints) = (150, 70, 64)
  (base.adamSteps, base.adamRound, base.round, base.stepLimit) = (7, 3, 2, 13)
  base.seed = 3
  var primal = base
  primal.solve = .primal
  var dual = base
  (dual.solve, dual.equation, dual.function) = (.dual, "helmholtz-2d", .sine)
  var soft = base
  (soft.conditions, soft.boundaryPoints, soft.equation) = (.soft, 40, "heat")
  var limited = base
  (limited.method, limited.equation, limited.function) = (.lbfgs, "radiative-diffusion", .softplus)
  var adam = base
  (adam.method, adam.equation) = (.adam, "poisson-2d")
  return [("primal", primal), ("dual", dual), ("soft", soft), ("lbfgs", limited), ("adam", adam)]
}

/// Trains to the end, or to a step; returns what it did.
private func train(_ training: PhysicsInformedTraining, until last: Int = .max) throws -> String {
  var text = ""
  while !training.isFinished, training.step < last {
    let step = try training.advance()
    text += "\(step.loss.bitPattern) \((step.validation ?? 0).bitPattern) "
  }
  return text
}

/// A digest of the bits of numbers.
private func digest(_ values: [Double]) -> UInt64 {
  values.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ $1.bitPattern) &* 0x100_0000_01b3 }
}

/// Prints digests of what trainings end with, which do not depend on the number of ranks, nor on stops.
let bitsCheck = Check("bits") { world in
  for (name, options) in trainings() {
    let whole = try PhysicsInformedTraining(options, on: world)
    let steps = try train(whole)
    let error = try whole.relativeError()
    for stop in [3, 5, 7, 10] {
      let first = try PhysicsInformedTraining(options, on: world)
      let begin = try train(first, until: stop)
      let progress = try JSONEncoder().encode(first.state.progress)
      let state = PhysicsInformedState(
        arrays: first.state.arrays,
        progress: try JSONDecoder().decode(PhysicsInformedState.Progress.self, from: progress))
      let second = try PhysicsInformedTraining(options, state: state, on: world)
      let end = try train(second)
      try expect(begin + end == steps, "\(name): other losses after a stop at \(stop)")
      try expect(second.state == whole.state, "\(name): another end after a stop at \(stop)")
    }
    if world.rank == 0 {
      let values = whole.parameters.array() + whole.best.array()
      print(
        name, digest(values), error.bitPattern, whole.bestStep,
        steps.utf8.reduce(0) { ($0 &* 31) &+ Int($1) })
    }
  }
}
