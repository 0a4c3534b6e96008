import BlockKernels
public import Datasets
public import MessagePassing

/// The results of a regression.
public struct BaselineResult: Sendable {
  /// The training samples that it was fitted to, the first ones.
  public let fittedSamples: Int
  /// The number of training samples.
  public let trainingSamples: Int
  /// λ in units of the mean of the diagonal of the matrix.
  public let regularization: Double?
  /// The length of the kernel in units of the median distance.
  public let lengthScale: Double?
  /// The median distance of two inputs, in their units.
  public let medianDistance: Double?
  /// How many choices were compared, and on how many samples; zero if all was given.
  public let candidates: Int
  /// The samples on which choices were compared.
  public let comparedSamples: Int
  /// Whether these were taken from the training part, as there is no validation part.
  public let heldOut: Bool
  /// The mean error of the samples that the regression was fitted to.
  public let trainError: Double
  /// The mean error of the validation part, if there is one.
  public let validationError: Double?
  /// The errors of the part that was asked for.
  public let errors: ErrorStatistics
  /// The samples of this rank in that part.
  public let own: Range<Int>
  /// Their predictions one after the other, if they were to be kept.
  public let outputs: [Double]
  /// What the user should know of the result.
  public let notes: [String]
}

/// A regression that says how difficult a dataset is for methods without a network.
public struct Baseline {
  private let options: BaselineOptions
  private let data: Dataset
  /// The training samples that may be used.
  private let samples: Range<Int>
  private let meanOutput: [Double]
  private let medianDistance: Double

  /// Fits a regression and computes its errors.
  ///
  /// Collective. Every rank holds the whole dataset; they share the choices that are compared and the samples
  /// that are predicted. The final factorization is the first rank's.
  ///
  /// - Parameters:
  ///   - options: Which regression, and how.
  ///   - data: The whole dataset.
  ///   - part: The part whose errors are asked for.
  ///   - keepsOutputs: Whether to keep the predictions of that part.
  ///   - world: The ranks.
  ///   - note: Receives remarks that the user should see.
  /// - Returns: The errors, and what was chosen.
  /// - Throws: An `ExitStatusError`, the same on all ranks.
  public static func run(
    _ options: BaselineOptions, _ data: Dataset, part: Part, keepsOutputs: Bool = false,
    on world: borrowing Communicator, note: (String) -> Void
  ) throws -> BaselineResult {
    let count = data.sampleCount
    let (training, validation) = (
      options.split.range(of: .training, count: count),
      options.split.range(of: .validation, count: count)
    )
    let wanted = options.split.range(of: part, count: count)
    guard !training.isEmpty else {
      throw RunError.usage(
        "`split` leaves no training sample of the \(count) in \(data.path)")
    }
    guard !wanted.isEmpty else {
      throw RunError.usage("`part` \(part.rawValue): `split` leaves no sample there")
    }
    try data.checkSquares()
    world.stallWatch.phase = .init("regression")
    let baseline = Baseline(options, data, training)
    let candidates = options.candidates
    var notes: [String] = []
    var (chosen, compared, heldOut) = (candidates[0], 0..<0, false)
    if candidates.count > 1 {
      (compared, heldOut) = (validation, !data.hasOutput(validation))
      var fitted = baseline.samples
      if heldOut {
        if !validation.isEmpty {
          notes.append(
            "the outputs of all \(validation.count) validation samples are zero: choices are compared on training "
              + "samples that are held out")
        }
        guard fitted.count > 1 else {
          throw RunError.usage(
            "nothing can be chosen with one training sample and no validation part; give "
              + "`regularization`\(options.method == .kernelRidge ? " and `lengthScale`" : "")")
        }
        let kept = max(1, fitted.count - max(1, fitted.count / 5))
        (fitted, compared) = (0..<kept, kept..<fitted.count)
        guard data.hasOutput(compared) else {
          throw RunError.data(
            "\(data.path): the outputs of all samples on which choices could be compared are zero; give "
              + "`regularization`\(options.method == .kernelRidge ? " and `lengthScale`" : "")")
        }
      }
      if options.method == .kernelRidge { fitted = fitted.prefix(options.searchLimit) }
      note(
        "comparing \(candidates.count) choices, fitted to \(fitted.count) samples, on "
          + "\(compared.count) samples")
      chosen = try baseline.choose(candidates, fitted, compared, on: world)
      notes += options.edges(of: chosen)
    }
    note("fitting to \(baseline.samples.count) of \(training.count) training samples")
    let (model, used) = try baseline.fit(chosen, mayRaise: candidates.count > 1, on: world)
    func errors(_ samples: Range<Int>, keeps: Bool = false) throws -> RegressionErrors {
      try RegressionErrors(
        model, data, samples, meanOutput: baseline.meanOutput, keepsOutputs: keeps, on: world)
    }
    let result = try errors(wanted, keeps: keepsOutputs)
    notes += [result.statistics.remark(on: "\(part.rawValue) part")].compactMap { $0 }
    for text in notes { note(text) }
    let (isKernel, isMean) = (options.method == .kernelRidge, options.method == .mean)
    return BaselineResult(
      fittedSamples: baseline.samples.count, trainingSamples: training.count,
      regularization: isMean ? nil : used.regularization,
      lengthScale: isKernel ? used.lengthScale : nil,
      medianDistance: isKernel ? baseline.medianDistance : nil,
      candidates: candidates.count > 1 ? candidates.count : 0, comparedSamples: compared.count,
      heldOut: heldOut, trainError: try errors(baseline.samples).statistics.mean,
      validationError: validation.isEmpty ? nil : try errors(validation).statistics.knownMean,
      errors: result.statistics, own: result.own, outputs: result.outputs, notes: notes)
  }

  private init(_ options: BaselineOptions, _ data: Dataset, _ training: Range<Int>) {
    self.options = options
    self.data = data
    let standard = options.method == .kernelRidge ? BaselineOptions.kernelSamples : .max
    samples = training.prefix(options.method == .mean ? .max : options.samplesLimit ?? standard)
    meanOutput = CentredField.mean(data.outputs, width: data.outputWidth, training)
    medianDistance =
      options.method == .kernelRidge
      ? RegressionKernel.medianDistance(
        CentredField(
          data.inputs, width: data.inputWidth, samples.prefix(BaselineOptions.medianSamples)))
      : 1
  }

  private func kernel(_ choice: Hyperparameters) -> RegressionKernel {
    RegressionKernel(kind: options.kernel, length: choice.lengthScale * medianDistance)
  }

  /// Returns the choice with the least mean error.
  ///
  /// Collective. With P ranks, rank p takes the choices p, p + P, p + 2P, ….
  private func choose(
    _ candidates: [Hyperparameters], _ fitted: Range<Int>, _ compared: Range<Int>,
    on world: borrowing Communicator
  ) throws -> Hyperparameters {
    let ranks = world.size
    // A rank may have one choice more than others, which takes long.
    let own = try world.stallWatch.resting {
      try world.agree {
        let mine = stride(from: world.rank, to: candidates.count, by: ranks).map { candidates[$0] }
        return try compare(mine, fitted, compared)
      }
    }
    let counts = (0..<ranks).map { (candidates.count - $0 + ranks - 1) / ranks }
    var all = [Double](repeating: 0, count: candidates.count)
    var span = all.mutableSpan
    try world.allGather(own.span, counts: counts.map { max($0, 0) }, into: &span)
    var errors: [Double] = []
    let starts = counts.reduce(into: [0]) { $0.append($0[$0.count - 1] + max($1, 0)) }
    for index in candidates.indices { errors.append(all[starts[index % ranks] + index / ranks]) }
    let finite = candidates.indices.filter { errors[$0].isFinite }
    guard let best = finite.min(by: { errors[$0] < errors[$1] }) else {
      throw RunError.usage(
        "no choice of `regularization` and `lengthScale` gives a matrix that can be factorized; "
          + "give a larger `regularization`")
    }
    return candidates[best]
  }

  /// Returns the mean error of each choice on samples; not a number where nothing can be fitted.
  private func compare(
    _ choices: [Hyperparameters], _ fitted: Range<Int>, _ compared: Range<Int>
  ) throws -> [Double] {
    guard !choices.isEmpty else { return [] }
    let path = options.method == .ridge ? try GramRidge(data, fitted) : nil
    let regression = path == nil ? KernelRidge(data, fitted) : nil
    return choices.map { choice in
      let found = path?.model(choice.regularization) ?? regression.flatMap { fit($0, choice) }
      guard let model = found else { return .nan }
      var (sum, count) = (0.0, 0)
      let size = RegressionModel.blockSize
      for first in stride(from: compared.lowerBound, to: compared.upperBound, by: size) {
        let block = first..<min(first + size, compared.upperBound)
        let errors = RegressionErrors.errors(
          model.predict(data, block), data, block, meanOutput)
        for index in 0..<block.count where errors[2 * index] != RegressionErrors.undefined {
          sum += errors[2 * index]
          count += 1
        }
      }
      return sum / Double(count)
    }
  }

  private func fit(_ regression: KernelRidge, _ choice: Hyperparameters) -> RegressionModel? {
    let model = regression.model(kernel(choice))
    do {
      try regression.fit(model, choice.regularization)
      return model
    } catch {
      return nil
    }
  }

  /// Fits the regression to all samples that may be used.
  ///
  /// Collective. A regularization that was chosen with fewer samples may be too small for all of them in
  /// double precision: it is raised tenfold until the matrix can be factorized.
  private func fit(
    _ choice: Hyperparameters, mayRaise: Bool, on world: borrowing Communicator
  ) throws -> (RegressionModel, Hyperparameters) {
    switch options.method {
    case .mean:
      return (
        RegressionModel(
          features: .none, inputMean: [Double](repeating: 0, count: data.inputWidth),
          outputMean: meanOutput, coefficients: AlignedBuffer(repeating: 0, count: 0)), choice
      )
    case .ridge:
      let (points, width) = (data.inputWidth, data.outputWidth)
      var model = RegressionModel(
        features: .inputs, inputMean: CentredField.mean(data.inputs, width: points, samples),
        outputMean: CentredField.mean(data.outputs, width: width, samples),
        coefficients: AlignedBuffer(repeating: 0, count: points * width))
      try world.stallWatch.resting {
        try world.agree {
          guard world.rank == 0 else { return }
          model = try GramRidge(data, samples).model(choice.regularization)
        }
      }
      try model.broadcast(on: world)
      return (model, choice)
    case .kernelRidge:
      let regression = KernelRidge(data, samples)
      let model = regression.model(kernel(choice))
      var used = [choice.regularization]
      try world.stallWatch.resting {
        try world.agree {
          guard world.rank == 0 else { return }
          try fit(regression, model, &used[0], mayRaise && options.regularization == nil)
        }
      }
      var span = used.mutableSpan
      try world.broadcast(&span, from: 0)
      try model.broadcast(on: world)
      return (
        model, Hyperparameters(regularization: used[0], lengthScale: choice.lengthScale)
      )
    }
  }

  private func fit(
    _ regression: KernelRidge, _ model: RegressionModel, _ regularization: inout Double,
    _ mayRaise: Bool
  ) throws {
    while true {
      do {
        return try regression.fit(model, regularization)
      } catch  where mayRaise && regularization < 1 {
        regularization *= 10
      } catch {
        throw RunError.usage(
          "`regularization` \(regularization): \(error.description); give a larger one")
      }
    }
  }
}

extension Dataset {
  /// Whether some output of samples is not zero, so that relative errors are defined.
  fileprivate func hasOutput(_ samples: Range<Int>) -> Bool {
    let places = samples.lowerBound * outputWidth..<samples.upperBound * outputWidth
    return places.contains { outputs[$0] != 0 }
  }
}
