import MessagePassing
import PhysicsInformed

extension Setting<PhysicsInformedOptions> {
  /// The network.
  static let network: [Setting] = [
    .integer("width", "n", "channels of a hidden layer", \.width, atMost: 1 << 12),
    .integer("depth", "n", "hidden layers", \.depth, atMost: 1 << 8),
    Setting(
      "function", "NAME", "after each hidden layer: tanh, sine or softplus", \.function,
      shown: { $0.rawValue }
    ) { (arguments) throws(RunError) in
      guard let name = arguments.text("function") else { return nil }
      return try JetFunction(named: name)
    },
    .choice(
      "conditions", "NAME",
      "hard: by the form u = g + D N; soft: by residuals on the boundary", \.conditions),
    .real(
      "condition-weight", "x", "soft: weight of the mean square on the boundary",
      \.conditionWeight, 1e-300...1e300),
    .integer("boundary-points", "n", "soft: points on the boundary", \.boundaryPoints),
  ]

  /// How it is trained.
  static let training: [Setting] = [
    .choice(
      "optimizer", "NAME", "after the start by Adam: gauss-newton, lbfgs or adam", \.method),
    .integer("steps", "n", "steps, those of the start included", \.stepLimit, atLeast: 0),
    .integer(
      "points-per-step", "N", "gauss-newton, lbfgs: points of a step", \.pointsPerStep,
      atMost: 1 << 24),
    .integer("round", "n", "gauss-newton: steps until points are chosen anew", \.round),
    .choice(
      "solve", "NAME", "gauss-newton: automatic, primal or dual normal equations", \.solve),
    .integer("adam-steps", "n", "steps of Adam at the start", \.adamSteps, atLeast: 0),
    .integer("adam-points", "N", "points of a step of Adam", \.adamPoints, atMost: 1 << 24),
    .integer("adam-round", "n", "steps of Adam until points are chosen anew", \.adamRound),
    .real("first-rate", "x", "length of Adam's first steps", \.firstRate, 1e-300...1e6),
    .real("last-rate", "x", "length of Adam's last steps", \.lastRate, 1e-300...1e6),
    .integer(
      "pool-factor", "n", "candidates among which points are chosen, as a multiple of them",
      \.poolFactor, atMost: 1000),
    .integer(
      "validation-points", "N", "fixed points by whose residual the best parameters are found",
      \.validationPoints, atMost: 1 << 24),
    .integer("shard", "n", "points that are computed at once", \.shard, atMost: 1024),
    .integer(
      "groups", "n", "blocks of the Jacobian; as many ranks have work", \.groups, atMost: 4096),
    Setting("seed", "n", "seed of parameters and points", \.seed) {
      (arguments) throws(RunError) in try arguments.seed()
    },
  ]
}

extension Setting<PhysicsInformedRunOptions> {
  /// How a run proceeds.
  static let physicsInformedRun: [Setting] = [
    Setting(
      "out", "DIR", "directory of checkpoints, metrics, pictures and summary", \.directory,
      shown: { _ in nil }
    ) { $0.text("out") },
    .flag("restart", "start over although DIR has checkpoints", \.restart),
    .integer(
      "stop-after", "n", "stop after step n with a checkpoint and status 75", \.stopAfter,
      atLeast: 0),
    .real(
      "time-limit", "s", "stop after so many seconds of training with a checkpoint and status 75",
      \.timeLimit, 0...1e9, standard: "none"),
    .integer(
      "checkpoint-every", "n", "steps between two checkpoints, 0 for the last only",
      \.checkpointEvery, atLeast: 0),
  ]
}

extension Verbs {
  static let pinn = Verb(
    name: "pinn",
    summary: "Trains a network that solves a differential equation.",
    positional: "EQUATION", required: ["out"],
    groups: [
      (
        "Network",
        [OptionSpec](Setting<PhysicsInformedOptions>.network, of: PhysicsInformedOptions())
      ),
      (
        "Training",
        [OptionSpec](Setting<PhysicsInformedOptions>.training, of: PhysicsInformedOptions())
      ),
      (
        "Run",
        [OptionSpec](
          Setting<PhysicsInformedRunOptions>.physicsInformedRun, of: PhysicsInformedRunOptions())
      ),
      OptionGroups.commonOnRanks,
    ], make: { try PhysicsInformedCommand($0) })
}
