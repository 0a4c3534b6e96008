import BlockKernels
public import ClusterTrees
import Datasets
public import MessagePassing
import NetworkExecution
import OperatorNetworks

/// How long a training step takes, and on what.
public struct StepTimes: Sendable {
  /// A part of a step, on the mean over the ranks.
  public struct Part: Sendable {
    /// What is done.
    public let name: String
    /// Its time.
    public let seconds: Double
    /// Its floating-point operations in products.
    public let flops: Double
    /// The bytes that it reads and writes, if nothing were left in a cache by another layer; zero where they
    /// are not counted.
    public let bytes: Double
  }

  /// The seconds of a step, of the slowest rank, in each repetition.
  public let repetitions: [Double]
  /// The parts, measured in steps of their own.
  public let parts: [Part]
  /// The floating-point operations of all ranks.
  public let flops: Int
  /// The parameters of all tree ranks of a group.
  public let parameters: Int

  /// The median of the repetitions.
  public var seconds: Double { repetitions.sorted()[repetitions.count / 2] }
}

extension MachineBenchmark {
  /// Measures training steps on random samples.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - configuration: The network and how it is trained.
  ///   - points: The points of inputs and outputs.
  ///   - gridOptions: How the ranks are arranged; nil lets each rank work for itself.
  ///   - world: The ranks.
  /// - Returns: The times.
  /// - Throws: `NetworkError` if the network does not fit the points, `RunError` (64) if the grid does
  ///   not fit, `MPIError` if the library fails.
  public func step(
    _ configuration: RunConfiguration, points: PointSet, _ gridOptions: GridOptions?,
    on world: borrowing Communicator
  ) throws -> StepTimes {
    var options = configuration.training
    options.split = Split(training: 1, validation: 0, test: 0)
    options.iterations = .max
    (options.schedule, options.warmup) = (.constant, 0)
    let skeleton = try configuration.skeleton((points, nil), header: nil, on: world)
    let network = try Network.build(
      configuration.network, sources: points, receivers: nil, skeleton: skeleton)
    options = options.settled(for: network)
    let sizes = StepPlan.Sizes(options)
    let plan =
      try gridOptions?.plan(network, sizes: sizes, on: world)
      ?? StepPlan(network, dataGroups: 1, treeRanks: 1, sizes: sizes)
    try plan.checkMemory()
    // Without a grid each rank is one of its own.
    let part = try ProcessGrid.part(
      of: world, color: gridOptions == nil ? world.rank : 0, key: world.rank)
    let grid = try ProcessGrid(dataGroups: plan.dataGroups, treeRanks: plan.treeRanks, on: part)
    let trainer = try trainer(network, plan, options, points, on: grid)
    let count = try steps(trainer, on: grid, world)
    var times: [Double] = []
    for _ in 0..<repetitions {
      times.append(try seconds(of: count, trainer, on: grid, world))
    }
    return StepTimes(
      repetitions: times, parts: try parts(trainer, plan, steps: count, on: grid, world),
      flops: (0..<plan.dataGroups).reduce(0) { sum, group in
        (0..<plan.treeRanks).reduce(sum) { $0 + plan.rank(group: group, tree: $1).flops }
      }, parameters: network.activeParameterCount)
  }

  /// Makes a trainer with random samples, in more batches than caches hold, if they are small.
  func trainer(
    _ network: Network, _ plan: StepPlan, _ options: TrainingOptions, _ points: PointSet,
    on grid: borrowing ProcessGrid
  ) throws -> Trainer<Scalar> {
    let samples = options.batch * max(1, min(8, (1 << 24) / (options.batch * points.count)))
    var stream = RandomStream(seed: 1, purpose: 0x424E_4348, index: 0)
    let count = samples * points.count
    let source = SampleSource(
      Dataset(
        path: "random", points: points, outputPoints: nil, sampleCount: samples,
        inputs: (0..<count).map { _ in stream.normal() },
        outputs: (0..<count).map { _ in stream.normal() }))
    let share = plan.share(network, rank: grid.treeRank)
    let survey = try FieldSurvey(source, training: 0..<samples, network, share, on: grid)
    let normalization = try Normalization(survey, options, of: source.file.path)
    let trainer = Trainer<Scalar>(
      network, plan, share, options: options, source: source, normalization: normalization,
      norms: [Double](repeating: Double(points.count), count: samples), on: grid)
    try trainer.initialize(on: grid)
    return trainer
  }

  /// Warms up, and chooses how many steps a repetition has: a twentieth of a second, the same on all ranks.
  private func steps(
    _ trainer: Trainer<Scalar>, on grid: borrowing ProcessGrid, _ world: borrowing Communicator
  ) throws -> Int {
    _ = try seconds(of: 2, trainer, on: grid, world)
    let one = try seconds(of: 1, trainer, on: grid, world)
    return max(1, min(50, Int(0.05 / max(one, 1e-6))))
  }

  /// Measures the seconds of a step, of the slowest rank, over some steps.
  private func seconds(
    of steps: Int, _ trainer: Trainer<Scalar>, on grid: borrowing ProcessGrid,
    _ world: borrowing Communicator
  ) throws -> Double {
    let clock = ContinuousClock()
    try world.barrier()
    let start = clock.now
    for _ in 0..<steps { _ = try trainer.makeStep(on: grid) }
    return try world.maximum((clock.now - start).inSeconds) / Double(steps)
  }

  /// Measures the parts of a step: the mean over the ranks.
  private func parts(
    _ trainer: Trainer<Scalar>, _ plan: StepPlan, steps: Int, on grid: borrowing ProcessGrid,
    _ world: borrowing Communicator
  ) throws -> [StepTimes.Part] {
    let (clock, watch, count) = (StepClock(), grid.world.stallWatch, repetitions * steps)
    trainer.clock = clock
    watch.measuresWaiting = true
    try world.barrier()
    let waited = watch.waited
    clock.reset()
    for _ in 0..<count { _ = try trainer.makeStep(on: grid) }
    clock.enter(.other)
    trainer.clock = nil
    watch.measuresWaiting = false
    let waiting = watch.waited - waited
    let shards = trainer.reduction.shards.count
    let work = StepWork(trainer.executor, shards: shards, scalar: MemoryLayout<Scalar>.size)
    func mean(_ value: Double) throws -> Double {
      try world.allGather(value).reduce(0, +) / Double(world.size)
    }
    func part(_ name: String, _ seconds: Double, _ work: (Int, Int) = (0, 0)) throws
      -> StepTimes.Part
    {
      StepTimes.Part(
        name: name, seconds: try mean(seconds / Double(count)),
        flops: try mean(Double(work.0)), bytes: try mean(Double(work.1)))
    }
    func time(_ part: StepClock.Part) -> Double { clock.seconds[part.rawValue] }
    return [
      try part("forward", time(.forward), work.forward),
      try part("input gradient", time(.inputGradient), work.inputGradient),
      try part("weight gradient", time(.weightGradient), work.weightGradient),
      try part("elementwise", time(.elementwise), (0, work.elementwiseBytes)),
      try part("samples", time(.samples)),
      try part("gradient sums", time(.sums)),
      try part(
        "optimizer", time(.optimizer),
        (0, 7 * trainer.optimizer.firstMoment.count * MemoryLayout<Scalar>.size)),
      try part("communication", time(.communication) - waiting),
      try part("waiting", waiting),
      try part("other", time(.other)),
    ]
  }
}
