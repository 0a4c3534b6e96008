public import BlockKernels
import Foundation
public import MessagePassing
import Optimization

/// Training of a network that solves an equation.
///
/// Points are dealt to ranks; every rank holds all parameters. The bits of the results do not depend on the number of
/// ranks, nor on whether training was interrupted: ``state`` is all that it needs to go on.
public final class PhysicsInformedTraining {
  /// How the equation is solved.
  public let options: PhysicsInformedOptions
  /// The equation.
  public let equation: any Equation
  /// The network.
  public let network: JetNetwork
  /// The parameters, the same on all ranks.
  public let parameters: AlignedBuffer<Double>
  /// The parameters with the least residuals at the fixed points.
  public let best: AlignedBuffer<Double>

  /// What a phase goes with.
  private enum Stepper {
    case gradient(any GradientMethod)
    case gaussNewton(DampedGaussNewton)
  }

  private var progress = PhysicsInformedState.Progress()
  private let evaluation: PointEvaluation
  private let ranks: Communicator
  private let validationPoints: [SIMD3<Double>]
  private var problem: CollocationResiduals?
  private var stepper: Stepper?
  private var points: [SIMD3<Double>] = []
  private var boundary: [SIMD3<Double>] = []

  /// Prepares training.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - options: How the equation is solved.
  ///   - equation: The equation; that of the options' name if nil.
  ///   - network: The network; a multilayer perceptron of the options' sizes if nil.
  ///   - state: Where training stopped; it goes on there instead of at the start.
  ///   - ranks: The ranks.
  /// - Throws: `RunError` (64) for options without meaning, (65) for a state that is of no use, `MPIError`.
  public init(
    _ options: PhysicsInformedOptions, equation: (any Equation)? = nil,
    network: JetNetwork? = nil, state: PhysicsInformedState? = nil,
    on ranks: borrowing Communicator
  ) throws {
    try options.validate()
    self.options = options
    let equation = try equation ?? EquationCatalogue.named(options.equation)
    self.equation = equation
    let network =
      try network
      ?? JetNetwork(
        dimension: equation.dimension, width: options.width, depth: options.depth,
        function: options.function)
    guard network.dimension == equation.dimension else {
      throw RunError.usage(
        "a network of \(network.dimension) coordinates for an equation of \(equation.dimension)")
    }
    self.network = network
    let count = network.parameterCount
    parameters = AlignedBuffer(repeating: 0, count: count)
    best = AlignedBuffer(repeating: 0, count: count)
    evaluation = try PointEvaluation(network, equation, options, on: ranks)
    self.ranks = try ranks.duplicate()
    let sobol = SobolSequence(dimension: equation.dimension)
    validationPoints = (0..<options.validationPoints).map { equation.point(sobol[$0]) }
    if let state {
      try restore(state)
    } else {
      for (place, value) in network.initialParameters(seed: options.seed).enumerated() {
        parameters[place] = value
      }
      best.copy(from: parameters, at: 0, to: 0..<count)
      if options.adamSteps == 0 { progress.phase = 1 }
      if options.stepLimit == 0 { progress.phase = 2 }
    }
    // Whatever callers do, ranks start from the same bits.
    for values in [parameters, best] {
      var span = values.mutableSpan
      try ranks.broadcast(&span, from: 0)
    }
    guard Elementwise.areFinite(parameters), Elementwise.areFinite(best) else {
      throw RunError.data("the start of training has parameters that are not finite")
    }
    guard !isFinished else { return }
    try startPhase()
    if let state {
      if case .gradient(let method) = stepper {
        try method.restore(state.arrays, progress.method)
      }
      try usePoints()
    } else {
      try choosePoints()
    }
  }

  /// The number of steps done.
  public var step: Int { progress.method.step }
  /// Whether training has ended.
  public var isFinished: Bool { progress.phase > 1 }
  /// The least root mean square of the residual at the fixed points; infinite before the first.
  public var bestValidation: Double { progress.bestValidation ?? .infinity }
  /// The step of the best parameters.
  public var bestStep: Int { progress.bestStep }

  /// All that a further training needs to go on with the same bits.
  public var state: PhysicsInformedState {
    var arrays: [String: [Double]] = [:]
    if case .gradient(let method) = stepper { arrays = method.arrays(progress.method) }
    arrays["parameters"] = parameters.array()
    arrays["best"] = best.array()
    arrays["points"] = flat(points)
    arrays["boundary"] = flat(boundary)
    return PhysicsInformedState(arrays: arrays, progress: progress)
  }

  /// Goes one step.
  ///
  /// Collective.
  ///
  /// - Returns: What the step did, the same on all ranks.
  /// - Precondition: Training has not ended.
  /// - Throws: `RunError` (65) if the loss is not finite, `MPIError`.
  public func advance() throws -> PhysicsInformedStep {
    precondition(!isFinished, "a step after the end of training")
    guard let problem, let stepper else { preconditionFailure("training without a method") }
    let phase = progress.phase
    var length = 0.0
    switch stepper {
    case .gaussNewton(let method):
      length = try method.advance(problem, parameters, &progress.method).length
    case .gradient(let method):
      if let adam = method as? Adam { adam.rate = rate }
      length = try method.advance(problem, parameters, &progress.method).length
    }
    progress.method.countStep()
    progress.roundStep += 1
    guard problem.loss.isFinite else {
      throw RunError.data("the loss is not finite after step \(step); use a smaller `firstRate`")
    }
    let (loss, damping) = (problem.loss, progress.method.damping)
    // A step without success on these points asks for others.
    let endsRound =
      progress.roundStep >= roundLength || length == 0 || step >= options.stepLimit
    let endsPhase = phase == 0 && progress.method.phaseStep >= adamSteps
    let validation = endsRound || endsPhase ? try validate() : nil
    if step >= options.stepLimit {
      progress.phase = 2
      (self.problem, self.stepper) = (nil, nil)
    } else if endsPhase {
      progress.phase = 1
      progress.method.phaseStep = 0
      try startPhase()
      try choosePoints()
    } else if endsRound {
      try choosePoints()
    }
    return PhysicsInformedStep(
      step: step, phase: phase, loss: loss, validation: validation, damping: damping,
      length: length)
  }

  /// Computes the relative error of the best parameters on the grid of the equation.
  ///
  /// Collective. Training never looks at it.
  ///
  /// - Returns: ‖u − û‖₂ / ‖u‖₂.
  /// - Throws: `MPIError`.
  public func relativeError() throws -> Double { try evaluation.relativeError(best) }

  /// Computes the solution of the best parameters.
  ///
  /// Collective.
  ///
  /// - Parameter points: The points.
  /// - Returns: u at each point.
  /// - Throws: `MPIError`.
  public func solution(at points: [SIMD3<Double>]) throws -> [Double] {
    try evaluation.solution(at: points, best).array()
  }

  // MARK: Phases

  /// The steps of the first phase.
  private var adamSteps: Int {
    options.method == .adam ? options.stepLimit : options.adamSteps
  }

  /// The length of Adam's step: it falls from the first to the last by a constant factor.
  private var rate: Double {
    let part = Double(progress.method.phaseStep) / Double(max(adamSteps - 1, 1))
    return options.firstRate * pow(options.lastRate / options.firstRate, part)
  }

  /// The steps after which points are chosen.
  private var roundLength: Int {
    if progress.phase == 0 { return options.adamRound }
    return options.method == .lbfgs ? 10 * options.round : options.round
  }

  private func startPhase() throws {
    let isStart = progress.phase == 0
    // The memory of the phase before is freed first.
    (problem, stepper) = (nil, nil)
    let problem = try CollocationResiduals(
      network, equation, options,
      pointCount: isStart ? options.adamPoints : options.pointsPerStep, on: ranks)
    self.problem = problem
    let count = network.parameterCount
    if isStart {
      stepper = .gradient(Adam(count: count, rate: options.firstRate))
    } else if options.method == .lbfgs {
      stepper = .gradient(LimitedMemory(count: count))
    } else {
      stepper = .gaussNewton(DampedGaussNewton(problem, solve: options.solve))
    }
  }

  /// Keeps the parameters if their residual at the fixed points is the least so far.
  private func validate() throws -> Double {
    let residuals = try evaluation.residuals(at: validationPoints, parameters)
    var sum = OrderedSums.dot(residuals, residuals) / Double(validationPoints.count)
    if options.conditions == .soft {
      // The fixed points on the boundary are those of a round before the first.
      let fixed = boundaryPoints(round: -1)
      let found = try evaluation.solution(at: fixed, parameters)
      var squares = 0.0
      for (place, point) in fixed.enumerated() {
        let difference = found[place] - equation.condition(at: point).offset.value
        squares += difference * difference
      }
      sum += options.conditionWeight * squares / Double(fixed.count)
    }
    let validation = sum.squareRoot()
    if validation.isFinite, validation < bestValidation {
      progress.bestValidation = validation
      progress.bestStep = step
      best.copy(from: parameters, at: 0, to: 0..<best.count)
    }
    return validation
  }

  // MARK: Points

  /// Chooses points by the residual of the parameters.
  private func choosePoints() throws {
    let count = progress.phase == 0 ? options.adamPoints : options.pointsPerStep
    let (round, seed) = (progress.round, options.seed)
    let pool = (0..<count * options.poolFactor).map {
      equation.point(AdaptiveChoice.candidate($0, round: round, seed: seed))
    }
    let residuals = try evaluation.residuals(at: pool, parameters)
    points = AdaptiveChoice.choose(count, by: residuals.span, round: round, seed: seed).map {
      pool[$0]
    }
    boundary = boundaryPoints(round: round)
    progress.round += 1
    progress.roundStep = 0
    try usePoints()
    if case .gradient(let method as LimitedMemory) = stepper { method.forget(&progress.method) }
  }

  private func usePoints() throws {
    problem?.setPoints(points, boundary: boundary)
    try problem?.update(parameters)
    guard problem?.loss.isFinite == true else {
      throw RunError.data("the loss at the points of step \(step) is not finite")
    }
  }

  /// Returns points on the boundary, uniform on each side in turn.
  private func boundaryPoints(round: Int) -> [SIMD3<Double>] {
    guard options.conditions == .soft else { return [] }
    let faces = equation.faces
    return (0..<options.boundaryPoints).map { index in
      var random = RandomStream(
        seed: options.seed, purpose: RandomPurpose.boundary,
        index: UInt64(round + 1) << 32 | UInt64(index))
      var unit = SIMD3(random.uniform(), random.uniform(), random.uniform())
      let face = faces[index % faces.count]
      unit[face.axis] = face.isUpper ? 1 : 0
      return equation.point(unit)
    }
  }

  // MARK: State

  private func flat(_ points: [SIMD3<Double>]) -> [Double] {
    points.flatMap { point in (0..<equation.dimension).map { point[$0] } }
  }

  private func restore(_ state: PhysicsInformedState) throws(RunError) {
    progress = state.progress
    func array(_ name: String, _ count: Int) throws(RunError) -> [Double] {
      guard let array = state.arrays[name], array.count == count else {
        throw .data(
          "the state of training has \(state.arrays[name]?.count ?? 0) numbers in `\(name)`, needed are \(count)"
        )
      }
      return array
    }
    func points(_ name: String, _ count: Int) throws(RunError) -> [SIMD3<Double>] {
      let d = equation.dimension
      let numbers = try array(name, count * d)
      var result: [SIMD3<Double>] = []
      for index in 0..<count {
        var point = SIMD3<Double>()
        for axis in 0..<d {
          point[axis] = numbers[index * d + axis]
          guard equation.domain[axis].contains(point[axis]) else {
            throw .data(
              "the state of training has the coordinate \(point[axis]) in `\(name)`, outside of the domain"
            )
          }
        }
        result.append(point)
      }
      return result
    }
    guard (0...2).contains(progress.phase), progress.round >= 0, progress.round < 1 << 31 else {
      throw .data("the state of training is in phase \(progress.phase) of 2")
    }
    let damping = progress.method.damping
    guard damping > 0, damping.isFinite, progress.method.step >= 0,
      progress.method.phaseStep >= 0
    else {
      throw .data(
        "the state of training has the damping \(damping) after \(progress.method.step) steps")
    }
    let count = network.parameterCount
    for (name, values) in [("parameters", parameters), ("best", best)] {
      for (place, value) in try array(name, count).enumerated() { values[place] = value }
    }
    guard !isFinished else { return }
    self.points = try points(
      "points", progress.phase == 0 ? options.adamPoints : options.pointsPerStep)
    boundary = try points(
      "boundary", options.conditions == .soft ? options.boundaryPoints : 0)
  }
}
