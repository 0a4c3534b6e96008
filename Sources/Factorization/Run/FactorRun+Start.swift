import BlockKernels
import Checkpoints
import KrylovMethods
import MessagePassing
import OperatorNetworks
import Preconditioners

extension FactorRun {
  /// Makes the starts and takes the best.
  mutating func start(
    on world: borrowing Communicator, note: (String) -> Void, report: (FactorProgress) -> Void
  ) throws {
    let clock = ContinuousClock()
    let begin = clock.now
    var start = FactorStart(factors, ordered.matrix)
    if configuration.factors.start != .random {
      do {
        try factorize(&start, on: world)
      } catch let error
        where ordered.isSymmetric && ExitStatus.status(of: error) == ExitStatus.wrongContent
      {
        note("\(ExitStatus.message(of: error)): L U takes the place of L Lᵀ")
        takeAsGeneral()
        start = FactorStart(factors, ordered.matrix)
        try factorize(&start, on: world)
      }
      if !start.isExact {
        state.incompleteShift = start.shift
        note(
          "the exact factor would have more than \(configuration.factors.factorMemory) MB: the start is an "
            + "incomplete factorization in the dense blocks"
            + (start.shift > 0 ? ", of the matrix with \(start.shift) of its diagonal added" : ""))
      }
    }
    let wanted = configuration.factors
    var best: (iterations: Int, kind: StartKind, form: FactorForm, values: AlignedBuffer<Double>)?
    for kind in wanted.start.candidates {
      let isWanted =
        wanted.form == nil || kind == .random
        || (kind == .inverse) == (wanted.form == .inverse)
      guard start.isPossible(kind), isWanted || wanted.start == .classical else {
        guard wanted.start == kind else { continue }
        throw RunError.usage(
          "`start` \(kind.rawValue) is possible up to \(FactorStart.inverseLimit) unknowns, whose exact factor "
            + "fits into memory; use plain")
      }
      world.stallWatch.phase = .init("classical start")
      let values = AlignedBuffer<Double>(repeating: 0, count: factors.parameterCount)
      let seed = Int64(configuration.refinement.seed)
      let isFirst = world.rank == 0
      let form = try world.agree { isFirst ? try start.make(kind, seed: seed, into: values) : nil }
      var span = values.mutableSpan
      try world.broadcast(&span, from: 0)
      let made: FactorForm = form ?? (kind == .inverse ? .inverse : .product)
      let count = try iterations(values, made, on: world)
      if kind != .random { state.classicalIterations[kind.rawValue] = count ?? -1 }
      report(.start(kind, iterations: count))
      if isWanted, best.map({ (count ?? .max) < $0.iterations }) ?? true {
        best = (count ?? .max, kind, made, values)
      }
    }
    guard let best else {
      throw RunError.usage(
        "`form` inverse needs a start that is possible up to \(FactorStart.inverseLimit) unknowns")
    }
    (state.form, state.start, parameters) = (best.form, best.kind, best.values)
    if best.kind != .random { classical = best.values }
    state.startSeconds = (clock.now - begin).seconds
  }

  /// Takes a symmetric matrix that is not positive definite as one that is not symmetric.
  private mutating func takeAsGeneral() {
    ordered = ordered.general
    factors = Factors(factors.structure, isSymmetric: false)
    parameters = AlignedBuffer(repeating: 0, count: factors.parameterCount)
    state.isSymmetric = false
    state.network = NetworkDescription(factors.upper.networks.forward)
    facts.isSymmetric = false
    facts.parameters = factors.parameterCount
  }

  /// Factorizes, and keeps the factor for training if it is exact.
  ///
  /// - Throws: `RunError` (64) if training needs an exact factor that is too large.
  mutating func factorize(
    _ start: inout FactorStart, on world: borrowing Communicator
  ) throws {
    let (memory, training) = (configuration.factors.factorMemory, configuration.refinement)
    try start.factorize(memory: memory << 20, on: world)
    exact = start.isExact ? start.exact : nil
    let isPossible =
      start.isExact || training.method == .none || training.loss == .direct
      || training.loss == .frobenius
    guard isPossible else {
      throw RunError.usage(
        "`loss` \(training.loss.rawValue) needs the exact factor, which would have more than \(memory) MB: "
          + "use `loss` k or frobenius, or raise `factorMemory`")
    }
  }

  /// Counts the iterations that parameters need; nil if they do not converge, or cannot be solved with.
  func iterations(
    _ values: AlignedBuffer<Double>, _ form: FactorForm, on world: borrowing Communicator
  ) throws -> Int? {
    try count(values, form, on: world)?.iterations
  }

  /// Counts iterations, and estimates eigenvalues; nil if a diagonal block is singular.
  func count(
    _ values: AlignedBuffer<Double>, _ form: FactorForm, on world: borrowing Communicator
  ) throws -> IterationCount? {
    world.stallWatch.phase = .init("iterations with factors")
    do {
      let system = try LinearSystem(ordered, factors: factors, on: world)
      let preconditioner = try FactorPreconditioner(
        factors, form: form, parameters: values, ranks: world)
      return try IterationCount(system, preconditioner, on: world)
    } catch let error where ExitStatus.status(of: error) == ExitStatus.wrongContent {
      return nil
    }
  }
}
