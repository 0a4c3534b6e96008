import BlockKernels
import ClusterTrees
public import Datasets
import Foundation
import MessagePassing
import NetworkExecution
import OperatorNetworks
import Regressions

/// The matrix that a network represents before training; written as `ridge`, as `ridge:λ`, or as
/// `operator:NAME`.
public enum LinearStart: Sendable, Equatable, Codable, RawRepresentable {
  /// The ridge regression of the training part, with λ times the largest variance of a component of the
  /// inputs; if nil, the λ whose network has the smallest error on the validation part.
  case ridge(Double?)
  /// A known affine operator, by its name.
  case known(String)

  /// Reads a start.
  ///
  /// - Parameter rawValue: The text; any other text gives nil.
  public init?(rawValue: String) {
    switch rawValue {
    case "ridge": self = .ridge(nil)
    case let text where text.hasPrefix(Self.operatorPrefix):
      self = .known(String(text.dropFirst(Self.operatorPrefix.count)))
    default:
      guard rawValue.hasPrefix("ridge:"), let value = Double(rawValue.dropFirst(6)),
        value > 0, value.isFinite
      else { return nil }
      self = .ridge(value)
    }
  }

  /// The start as a text.
  public var rawValue: String {
    switch self {
    case .ridge(let value): value.map { "ridge:\($0)" } ?? "ridge"
    case .known(let name): Self.operatorPrefix + name
    }
  }

  private static let operatorPrefix = "operator:"

  /// The most points of inputs and outputs: the matrix is dense while it is found.
  public static let mostPoints = 2560
}

/// An affine operator that is known without samples, on the points of a dataset.
public struct KnownOperator: Sendable {
  /// The name of the operator.
  public let name: String
  /// Makes K of a dataset: the function of an input that returns the output, in physical units.
  public let make: @Sendable (DatasetFile) throws -> ([Double]) throws -> [Double]

  /// Creates an operator.
  ///
  /// - Parameters:
  ///   - name: The name of the operator.
  ///   - make: Makes the function of a dataset; throws an `ExitStatusError` if the operator does not act on the
  ///     points of the dataset.
  public init(
    name: String, make: @escaping @Sendable (DatasetFile) throws -> ([Double]) throws -> [Double]
  ) {
    (self.name, self.make) = (name, make)
  }
}

extension TrainingRun {
  /// Computes the parameters of a linear start on rank 0; nothing if the options ask for none.
  ///
  /// Collective.
  func linearStart(
    note: (String) -> Void, on world: borrowing Communicator
  ) throws -> [Double] {
    guard let start = configuration.training.initialize else { return [] }
    world.stallWatch.phase = .init("linear start")
    // Other files are used before the first step.
    source.settle()
    var chosen = [Double](repeating: .nan, count: network.activeParameterCount)
    // The other ranks wait for the first one.
    try world.stallWatch.resting {
      try world.agree {
        guard world.rank == 0 else { return }
        let fit = try LinearFit(
          configuration, network, source, normalization, known: options.knownOperators)
        let (values, text) = try fit.parameters(start)
        chosen = values
        note(text)
      }
    }
    var span = chosen.mutableSpan
    try world.broadcast(&span, from: 0)
    return chosen
  }
}

/// The way from a linear start to parameters of a network, on one rank.
struct LinearFit {
  let configuration: RunConfiguration
  let network: Network
  let source: SampleSource
  let normalization: Normalization
  private let known: [KnownOperator]
  private let path: LinearPath

  /// The number of samples that choose λ.
  private static let mostValidation = 2048
  /// The values of λ that are tried.
  private static let lambdas = [1e-16, 1e-14, 1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2]

  init(
    _ configuration: RunConfiguration, _ network: Network, _ source: SampleSource,
    _ normalization: Normalization, known: [KnownOperator]
  ) throws(RunError) {
    self.configuration = configuration
    self.network = network
    self.source = source
    self.normalization = normalization
    self.known = known
    let file = source.file
    let most = max(file.points.count, file.outputCount)
    guard most <= LinearStart.mostPoints else {
      throw .usage(
        "`initialize` is possible for at most \(LinearStart.mostPoints) points, found \(most)")
    }
    do {
      path = try LinearPath(
        network, configuration.network, sources: file.points, receivers: file.outputPoints)
    } catch {
      throw .usage("`initialize`: \(error.description)")
    }
  }

  /// Returns the parameters, NaN where they may keep what was drawn, and a remark about them.
  func parameters(_ start: LinearStart) throws -> ([Double], String) {
    switch start {
    case .known(let name):
      let (matrix, bias) = try affine(name)
      let values = withBias(try path.parameters(matrix)) { _ in bias }
      return (values, "linear start: \(start.rawValue)")
    case .ridge(let given):
      let training = configuration.training.split.range(
        of: .training, count: source.file.sampleCount)
      let samples = try FieldSamples(source, normalization)
      let fit = try CovarianceRidge(
        samples, training, isWeighted: configuration.training.loss == .relative)
      if let given { return (try ridge(fit, given), "linear start: \(start.rawValue)") }
      let validation = configuration.training.split.range(
        of: .validation, count: source.file.sampleCount)
      let judges = (validation.isEmpty ? training : validation).prefix(Self.mostValidation)
      var best: (error: Double, lambda: Double, values: [Double])?
      for lambda in Self.lambdas {
        let values = try ridge(fit, lambda)
        let error = try self.error(values, samples, judges)
        if error < best?.error ?? .infinity { best = (error, lambda, values) }
      }
      guard let best else {
        throw RunError.data("\(source.file.path): no ridge regression gives a finite error")
      }
      return (
        best.values,
        "linear start: ridge:\(best.lambda) has the error \(best.error) on \(judges.count) "
          + "\(validation.isEmpty ? "training" : "validation") samples"
      )
    }
  }

  /// Returns the parameters for a λ, with the bias that is right for the mean input.
  private func ridge(_ fit: CovarianceRidge, _ lambda: Double) throws -> [Double] {
    withBias(try path.parameters(try fit.matrix(lambda), spread: fit.spread)) { zero in
      zip(fit.meanOutput, zero(fit.meanInput)).map { $0 - $1 }
    }
  }

  /// Writes a bias of the outputs into the near field.
  ///
  /// The bias may depend on outputs of the network without it, which `bias` computes by its argument.
  private func withBias(
    _ values: [Double], _ bias: (_ output: ([Double]) -> [Double]) -> [Double]
  ) -> [Double] {
    var values = values
    let found = bias { outputs(values, [$0])[0] }
    let first = network.slice(of: path.nearField).biases.lowerBound
    for (channel, point) in network.outputOrder.enumerated() {
      values[first + channel] = found[Int(point)]
    }
    return values
  }

  /// Computes normalized outputs of normalized inputs.
  private func outputs(_ values: [Double], _ inputs: [[Double]]) -> [[Double]] {
    let width = 64
    let executor = NetworkExecutor<Double>(network, samples: width, forTraining: false)
    let parameters = AlignedBuffer<Double>(repeating: 0, count: values.count)
    for place in values.indices where !values[place].isNaN { parameters[place] = values[place] }
    executor.parametersChanged(parameters)
    var result: [[Double]] = []
    for first in stride(from: 0, to: inputs.count, by: width) {
      let part = inputs[first..<min(first + width, inputs.count)]
      for (column, input) in part.enumerated() {
        for (channel, point) in network.inputOrder.enumerated() {
          executor.input[channel * width + column] = input[Int(point)]
        }
      }
      executor.forward(parameters)
      for column in 0..<part.count {
        var output = [Double](repeating: 0, count: network.outputOrder.count)
        for (channel, point) in network.outputOrder.enumerated() {
          output[Int(point)] = executor.output[channel * width + column]
        }
        result.append(output)
      }
    }
    return result
  }

  /// Returns the mean of ‖u − û‖ / ‖u‖ over samples, in physical units.
  private func error(
    _ values: [Double], _ samples: FieldSamples, _ chosen: Range<Int>
  ) throws -> Double {
    var (sum, count) = (0.0, 0)
    try samples.visit(chosen) { inputs, truths, norms in
      for (output, (truth, norm)) in zip(outputs(values, inputs), zip(truths, norms)) {
        let square = zip(output, truth).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        guard norm > 0 else { continue }
        sum += square.squareRoot() * normalization.outputScale / norm
        count += 1
      }
    }
    return sum / Double(count)
  }

  /// Applies a known operator to unit vectors: (K s x + K a − b) / t for inputs s x + a and outputs t y + b.
  private func affine(_ name: String) throws -> (DenseMatrix, [Double]) {
    guard let known = known.first(where: { $0.name == name }) else {
      throw RunError.usage("`initialize` operator:\(name): no operator of this name is known")
    }
    let apply = try known.make(source.file)
    let n = source.file.points.count
    let scale = normalization.inputScale / normalization.outputScale
    let zero = try apply([Double](repeating: 0, count: n))
    var elements: [Double] = []
    for column in 0..<n {
      var unit = [Double](repeating: 0, count: n)
      unit[column] = 1
      elements += zip(try apply(unit), zero).map { ($0 - $1) * scale }
    }
    let bias = zip(try apply(normalization.inputShift), normalization.outputShift).map {
      ($0 - $1) / normalization.outputScale
    }
    return (DenseMatrix(rows: zero.count, columns: n, elements: elements), bias)
  }
}
