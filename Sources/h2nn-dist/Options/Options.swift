import BlockKernels
import Datasets
import MessagePassing
import OperatorNetworks
import OperatorProblems
import Training

extension Arguments {
  /// The most channels of a box, and of what is hidden in a block: numbers of parameters stay far below 2⁶³.
  static let mostChannels = 1 << 16
  /// The most hidden channels of `dense`.
  static let mostWidth = 1 << 24
  /// The most layers of a part of a network.
  static let mostLayers = 1000

  /// Returns the network that the options describe.
  func networkOptions() throws(TrainingError) -> NetworkOptions {
    var options = NetworkOptions()
    options.model = try choice("model", Model.self) ?? options.model
    options.sharing = try choice("sharing", NetworkSharing.self) ?? options.sharing
    options.channels = try integer("channels", atMost: Self.mostChannels) ?? options.channels
    options.coarseChannels = try counts("coarse-channels")
    options.skeleton = try skeleton()
    options.tolerance = try real("tolerance", 0...1)
    options.rankLimit = try integer("rank-limit")
    options.layers = try integer("layers", atMost: Self.mostLayers) ?? options.layers
    options.levels = try integer("levels", atLeast: 0)
    options.leaf = try integer("leaf") ?? (options.levels == nil ? options.leaf : nil)
    options.admissibility = try real("admissibility", 0...1e6) ?? options.admissibility
    options.boundary = try choice("boundary", Boundary.self) ?? options.boundary
    options.linearPath = has("linear-path")
    options.activation = try choice("activation", Activation.self) ?? options.activation
    options.blockActivation =
      try choice("block-activation", Activation.self) ?? options.blockActivation
    options.blockWidth = try integer("block-width", atMost: Self.mostChannels)
    options.transferLayers = try integer("transfer-layers", atMost: Self.mostLayers)
    options.transferActivation = try choice("transfer-activation", Activation.self)
    options.width = try integer("width", atMost: Self.mostWidth)
    return options
  }

  /// Returns how a network is trained; the number of steps may follow from the number of samples.
  func trainingOptions() throws(TrainingError) -> TrainingOptions {
    var options = TrainingOptions()
    let largest = Double.greatestFiniteMagnitude
    options.loss = try choice("loss", LossKind.self) ?? options.loss
    options.optimizer = try choice("optimizer", OptimizerKind.self) ?? options.optimizer
    options.learningRate = try real("learning-rate", 0...largest)
    options.schedule = try choice("schedule", ScheduleKind.self) ?? options.schedule
    options.warmup = try integer("warmup", atLeast: 0)
    options.stepEvery = try integer("step-every") ?? options.stepEvery
    options.stepFactor = try real("step-factor", 0...1) ?? options.stepFactor
    options.plateauEvery = try integer("plateau-every") ?? options.plateauEvery
    options.plateauPatience = try integer("plateau-patience") ?? options.plateauPatience
    options.plateauThreshold = try real("plateau-threshold", 0...0.999) ?? options.plateauThreshold
    options.dropAt = try fractions("drop-at") ?? options.dropAt
    options.batchGrowth = try fractions("batch-growth") ?? options.batchGrowth
    options.beta1 = try real("beta1", 0...0.999999) ?? options.beta1
    options.beta2 = try real("beta2", 0...0.999999999) ?? options.beta2
    options.epsilon = try real("epsilon", 0...largest) ?? options.epsilon
    options.nadamMomentum =
      try choice("nadam-momentum", NadamMomentum.self)
      ?? options.nadamMomentum
    options.initializer = try choice("initializer", Initializer.self) ?? options.initializer
    options.initialize = try linearStart()
    options.batch = try integer("batch") ?? options.batch
    // A small batch does not fill a usual shard.
    options.shard = try integer("shard") ?? min(options.shard, (options.batch + 15) / 16 * 16)
    guard options.shard % 16 == 0 else {
      throw .usage("--shard \(options.shard): needed is a multiple of 16, such as 32, 48 or 64")
    }
    guard options.batchGrowth.count <= 16, options.largestBatch <= Int(Int32.max) else {
      throw .usage(
        "--batch-growth: a batch of \(options.batch) doubled \(options.batchGrowth.count) times is too "
          + "large; at most 16 times, to at most \(Int32.max) samples")
    }
    options.iterations = try integer("iterations", atLeast: 0) ?? options.iterations
    options.precision = try choice("precision", Precision.self) ?? options.precision
    options.seed = try seed() ?? options.seed
    options.inputShift = try shift("input-shift") ?? options.inputShift
    options.inputScale = try scale("input-scale") ?? options.inputScale
    // A network that does the same at every point cannot learn what a point-wise mean leaves at single points.
    if try networkOptions().isTheSameEverywhere { options.outputShift = .mean }
    options.outputShift = try shift("output-shift") ?? options.outputShift
    options.outputScale = try scale("output-scale") ?? options.outputScale
    options.split = try split() ?? options.split
    if has("epochs") && has("iterations") {
      throw .usage("give one of --epochs and --iterations")
    }
    return options
  }

  /// Returns fractions from 0 to 1 in ascending order.
  private func fractions(_ name: String) throws(TrainingError) -> [Double]? {
    guard let text = text(name) else { return nil }
    guard text != "none" else { return [] }
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false)
      .map { Double($0.filter { $0 != " " }) ?? .nan }
    guard numbers.allSatisfy({ (0...1).contains($0) }),
      zip(numbers, numbers.dropFirst()).allSatisfy({ $0 <= $1 })
    else {
      throw .usage(
        "--\(name) \(text): needed are ascending fractions from 0 to 1 like 0.2,0.4,0.6, or none")
    }
    return numbers
  }

  /// Returns positive numbers separated by commas.
  private func counts(_ name: String) throws(TrainingError) -> [Int]? {
    guard let text = text(name) else { return nil }
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false)
      .map { Int($0.filter { $0 != " " }) ?? 0 }
    guard numbers.allSatisfy({ (1...Self.mostChannels).contains($0) }) else {
      throw .usage(
        "--\(name) \(text): needed are positive numbers like 8,12,16, at most \(Self.mostChannels)")
    }
    return numbers
  }

  /// Returns the fractions of the parts.
  func split() throws(TrainingError) -> Split? {
    guard let text = text("split") else { return nil }
    guard let split = Split.parse(text) else {
      throw .usage(
        "--split \(text): needed are three fractions like 0.6,0.1,0.3 or 2/3,0,1/3, the first "
          + "positive and their sum at most 1")
    }
    return split
  }

  private func skeleton() throws(TrainingError) -> SkeletonKernel? {
    guard let text = text("skeleton"), text != "uniform" else { return nil }
    guard let kernel = SkeletonKernel(rawValue: text) else {
      let known = ["uniform"] + SkeletonKernel.names
      let hint = Suggestion.nearest(to: text, among: known).map { "; did you mean \($0)?" } ?? ""
      throw .usage("--skeleton \(text): needed is one of \(known.joined(separator: ", "))\(hint)")
    }
    return kernel
  }

  private func linearStart() throws(TrainingError) -> LinearStart? {
    guard let text = text("initialize"), text != "random" else { return nil }
    let known = LinearStart.known(CustomOperator.name)
    switch LinearStart(rawValue: text) {
    case .ridge(let lambda): return .ridge(lambda)
    case known: return known
    default:
      throw .usage(
        "--initialize \(text): needed is random, ridge, ridge:λ with a positive number, or "
          + known.rawValue)
    }
  }

  private func shift(_ name: String) throws(TrainingError) -> ShiftKind? {
    guard let text = text(name) else { return nil }
    guard let kind = ShiftKind(rawValue: text) else {
      throw .usage("--\(name) \(text): needed is none, mean, pointwise or a number")
    }
    return kind
  }

  private func scale(_ name: String) throws(TrainingError) -> ScaleKind? {
    guard let text = text(name) else { return nil }
    guard let kind = ScaleKind(rawValue: text) else {
      throw .usage("--\(name) \(text): needed is none, deviation or a positive number")
    }
    return kind
  }

  /// Returns where the fields stand in a dataset.
  func layout() throws(TrainingError) -> DatasetLayout {
    var layout = DatasetLayout()
    layout.inputName = text("input-name") ?? layout.inputName
    layout.outputName = text("output-name") ?? layout.outputName
    layout.samplesLast = has("samples-last")
    return layout
  }
}

extension Arguments {
  /// Reads how the ranks are arranged: `--grid`, `--replicate-below` and `--wave`.
  func gridOptions() throws(TrainingError) -> GridOptions {
    var options = GridOptions()
    options.replicatedBoxes = try integer("replicate-below", atLeast: 0)
    options.wave = try integer("wave", atLeast: 1)
    if let path = text("machine") { options.machine = try CostModel(path: path) }
    guard let text = text("grid"), text != "auto" else { return options }
    let sizes = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    guard sizes.count == 2, sizes.allSatisfy({ (1...1 << 16).contains($0) }),
      sizes[0] * sizes[1] <= 1 << 16
    else {
      throw .usage("--grid \(text): needed is D×T like 4x1, at most 65536 ranks, or auto")
    }
    options.shape = (sizes[0], sizes[1])
    return options
  }
}
