import BlockKernels
import BlockSparse
import ClusterTrees
import Datasets
import MessagePassing
import NetworkExecution
import OperatorNetworks
import TestSupport
import Training

/// What some steps on one store of parameters with two networks came to.
private struct Steps<Scalar: KernelScalar & MPIScalar>: Equatable {
  var losses: [Double] = []
  /// ⟨g, g⟩ of the gradient, by step.
  var squares: [Double] = []
  /// The parameters of the rank after the steps, and before.
  var parameters: [Scalar] = []
  var first: [Scalar] = []
  /// The places of the rank's parameters among those of the network.
  var places: [Int] = []
  /// The gradient of the first step in the range that the rank owns, times the unit of the loss.
  var gradient: [Double] = []
}

/// Two networks that use the same parameters in other ways, trained together.
struct ObjectiveCheck<Scalar: KernelScalar & MPIScalar> {
  private let networks: [Network]
  private let options: TrainingOptions
  private static var samples: Int { 40 }

  init(freezes: Bool) throws {
    guard var pair = SliceNetworks.pair() else {
      throw CheckFailure(description: "there is no pair of networks")
    }
    if freezes { pair = pair.map { $0.freezing(0, rows: [3..<7, 11..<12]).freezing(1) } }
    networks = pair
    var options = TrainingOptions()
    (options.batch, options.shard, options.iterations) = (112, 16, 10)
    (options.learningRate, options.warmup, options.loss) = (0.01, 0, .mse)
    options.split = Split(training: 1, validation: 0, test: 0)
    self.options = options
  }

  /// Makes samples of a network; they are numbers of the sample and the point.
  private func source(_ network: Network, _ purpose: UInt32) throws -> SampleSource {
    let (inputs, outputs) = (network.inputOrder.count, network.outputOrder.count)
    var stream = RandomStream(seed: 7, purpose: purpose, index: 0)
    return SampleSource(
      Dataset(
        path: "random", points: .grid([inputs]), outputPoints: .grid([outputs]),
        sampleCount: Self.samples,
        inputs: (0..<Self.samples * inputs).map { _ in stream.normal() },
        outputs: (0..<Self.samples * outputs).map { _ in stream.normal() }))
  }

  /// Plans the trainer of a rank.
  private func trainer(
    replicatedBoxes: Int, on grid: borrowing ProcessGrid
  ) throws -> Trainer<Scalar> {
    let partitions = TreePartition.joint(
      networks, ranks: grid.treeRanks, replicatedBoxes: replicatedBoxes)
    var objectives: [Objective<Scalar>] = []
    for (index, network) in networks.enumerated() {
      let plan = CommunicationPlan(network, partitions[index])
      let share =
        grid.treeRanks == 1
        ? RankShare(whole: network)
        : RankShare(network, partitions[index], plan, rank: grid.treeRank)
      let (inputs, outputs) = (network.inputOrder.count, network.outputOrder.count)
      objectives.append(
        Objective(
          network, partitions[index], plan, share, wave: 4, options: options,
          source: try source(network, UInt32(index)),
          normalization: Normalization(
            inputShift: [Double](repeating: 0, count: inputs), inputScale: 1,
            outputShift: [Double](repeating: 0, count: outputs), outputScale: 1,
            meanOutput: [Double](repeating: 0, count: outputs)),
          norms: [Double](repeating: 1, count: Self.samples), weight: index == 0 ? 1 : 0.3,
          on: grid))
    }
    let trainer = Trainer(objectives, options: options, on: grid)
    try trainer.initialize(on: grid)
    return trainer
  }

  /// Makes some steps, each evaluated twice.
  private func steps(
    replicatedBoxes: Int, on grid: borrowing ProcessGrid
  ) throws -> Steps<Scalar> {
    let trainer = try trainer(replicatedBoxes: replicatedBoxes, on: grid)
    var result = Steps<Scalar>()
    let share = trainer.objectives[0].executor.share
    result.places = share.parameters.flatMap { Array($0.weights) + Array($0.biases) }
    result.first = trainer.parameters.array()
    for step in 0..<4 {
      let (loss, gradient) = try trainer.evaluate(on: grid)
      let square = try trainer.dot(gradient, gradient, on: grid)
      if step == 0 {
        result.gradient = (0..<gradient.count).map { Double(gradient[$0]) * trainer.lossUnit }
      }
      let (again, same) = try trainer.evaluate(on: grid)
      let repeated = try trainer.dot(same, same, on: grid)
      try expect(loss == again && square == repeated, "another evaluation gives \(again)")
      result.losses.append(loss)
      result.squares.append(square)
      _ = try trainer.update(same, on: grid)
    }
    result.parameters = trainer.parameters.array()
    return result
  }

  /// Compares all process grids with a rank alone.
  func run(on world: borrowing Communicator) throws {
    guard let own = try world.split(color: world.rank, key: 0) else { return }
    let alone = try ProcessGrid(dataGroups: 1, treeRanks: 1, on: own)
    let expected = try steps(replicatedBoxes: 0, on: alone)
    try expect(
      expected.losses.last ?? .nan < expected.losses[0], "losses \(expected.losses) do not fall")
    let sum = expected.gradient.reduce(0) { $0 + $1 * $1 }
    try expect(
      abs(expected.squares[0] - sum) <= 1e-6 * sum && sum > 0,
      "⟨g, g⟩ is \(expected.squares[0]), not \(sum)")
    for dataGroups in 1...world.size where world.size % dataGroups == 0 {
      let treeRanks = world.size / dataGroups
      let grid = try ProcessGrid(dataGroups: dataGroups, treeRanks: treeRanks, on: world)
      for bound in [0, 9, 2 * treeRanks] {
        let found = try steps(replicatedBoxes: bound, on: grid)
        let place = "\(dataGroups)x\(treeRanks), replicated below \(bound)"
        try expect(
          found.losses == expected.losses, "\(place): \(found.losses), not \(expected.losses)")
        try expect(
          found.squares == expected.squares, "\(place): \(found.squares), not \(expected.squares)")
        for (local, parameter) in found.places.enumerated() {
          try expect(
            found.parameters[local] == expected.parameters[parameter],
            "\(place): parameter \(parameter) is another one")
        }
      }
    }
    try checkFrozen(expected)
    if Scalar.self == Double.self { try checkGradient(expected, on: alone) }
  }

  /// Frozen parameters stay, all others move.
  private func checkFrozen(_ steps: Steps<Scalar>) throws {
    for slice in networks[0].slices {
      for row in 0..<slice.shape.target.boxCount {
        let isFrozen = slice.frozenRows.contains { $0.contains(row) }
        let weights = slice.shape.weights(of: row..<row + 1)
        let isMoved = weights.contains {
          steps.parameters[slice.start + $0] != steps.first[slice.start + $0]
        }
        try expect(isMoved != isFrozen, "\(slice.name), row \(row): moved \(isMoved)")
      }
    }
  }

  /// The gradient is that of the loss: central differences in some parameters.
  private func checkGradient(_ steps: Steps<Scalar>, on grid: borrowing ProcessGrid) throws {
    let trainer = try trainer(replicatedBoxes: 0, on: grid)
    let h = 1e-5
    for place in stride(from: 0, to: trainer.parameters.count, by: 37) {
      let old = trainer.parameters[place]
      var losses: [Double] = []
      for step in [h, -h] {
        trainer.parameters[place] = old + Scalar(step)
        try trainer.parametersChanged(on: grid)
        losses.append(try trainer.evaluate(on: grid).loss)
      }
      trainer.parameters[place] = old
      let slope = (losses[0] - losses[1]) / (2 * h)
      // Truncation is h² times third derivatives, rounding some ten eps of the loss over h.
      try expect(
        abs(slope - steps.gradient[place]) <= 1e-8 * max(1, steps.losses[0]),
        "parameter \(place): \(steps.gradient[place]), differences \(slope)")
    }
  }
}
