public import Datasets
public import OperatorNetworks

/// The loss that is minimized.
public enum LossKind: String, CaseIterable, Sendable, Codable {
  /// The mean of ‖u − û‖² / ‖u‖², in physical units (FMM-NET, equation 8).
  case relative
  /// The mean squared error of normalized outputs over all entries.
  case mse
}

/// How parameters are updated.
public enum OptimizerKind: String, CaseIterable, Sendable, Codable {
  /// Adam of Kingma and Ba.
  case adam
  /// Adam with Nesterov's momentum of Dozat.
  case nadam
}

/// How the momentum of Nadam depends on the step.
public enum NadamMomentum: String, CaseIterable, Sendable, Codable {
  /// β₁ at every step.
  case constant
  /// β₁ (1 − ½ · 0.96^(0.004 t)), as in Keras 2.
  case keras
}

/// How the learning rate depends on the step.
public enum ScheduleKind: String, CaseIterable, Sendable, Codable {
  /// Constant.
  case constant
  /// From the learning rate to zero along half a cosine.
  case cosine
  /// Multiplied by a factor at regular intervals.
  case step
  /// Multiplied by a factor when the validation error falls no more.
  case plateau
}

/// What is subtracted before a field is scaled; written as `none`, `mean`, `pointwise` or a number.
public enum ShiftKind: Sendable, Equatable, Codable, RawRepresentable {
  /// Nothing.
  case none
  /// The mean over all points of all training samples.
  case mean
  /// The mean over the training samples, point by point.
  case pointwise
  /// A given number.
  case value(Double)

  /// Reads a kind.
  ///
  /// - Parameter rawValue: The text; any other text gives nil.
  public init?(rawValue: String) {
    switch rawValue {
    case "none": self = .none
    case "mean": self = .mean
    case "pointwise": self = .pointwise
    default:
      guard let value = Double(rawValue), value.isFinite else { return nil }
      self = .value(value)
    }
  }

  /// The kind as a text.
  public var rawValue: String {
    switch self {
    case .none: "none"
    case .mean: "mean"
    case .pointwise: "pointwise"
    case .value(let value): "\(value)"
    }
  }
}

/// What a field is divided by; written as `none`, `deviation` or a positive number.
public enum ScaleKind: Sendable, Equatable, Codable, RawRepresentable {
  /// One.
  case none
  /// The deviation of the training samples from their mean, or from their point-wise mean if that is
  /// subtracted.
  case deviation
  /// A given number.
  case value(Double)

  /// Reads a kind.
  ///
  /// - Parameter rawValue: The text; any other text gives nil.
  public init?(rawValue: String) {
    switch rawValue {
    case "none": self = .none
    case "deviation": self = .deviation
    default:
      guard let value = Double(rawValue), value.isFinite, value > 0 else { return nil }
      self = .value(value)
    }
  }

  /// The kind as a text.
  public var rawValue: String {
    switch self {
    case .none: "none"
    case .deviation: "deviation"
    case .value(let value): "\(value)"
    }
  }
}

/// The scalar type that a network is trained in.
public enum Precision: String, CaseIterable, Sendable, Codable {
  /// 32 bits.
  case float
  /// 64 bits.
  case double
}

/// How a network is trained.
public struct TrainingOptions: Sendable, Equatable, Codable {
  /// What is minimized.
  public var loss = LossKind.relative
  /// How parameters are updated.
  public var optimizer = OptimizerKind.adam
  /// The learning rate at first; if nil it follows from the network.
  public var learningRate: Double?
  /// How the learning rate changes.
  public var schedule = ScheduleKind.cosine
  /// The steps over which the learning rate rises linearly from zero at first; if nil a twentieth of all.
  public var warmup: Int?
  /// The steps between two changes of the `step` schedule.
  public var stepEvery = 1000
  /// The factor of the `step` and `plateau` schedules.
  public var stepFactor = 0.5
  /// The steps between two validations that the `plateau` schedule looks at.
  public var plateauEvery = 500
  /// The validations in a row without an improvement after which the rate falls.
  public var plateauPatience = 4
  /// The part of the least error by which an error must be less to be an improvement.
  public var plateauThreshold = 1e-3
  /// The fractions of the steps after which the learning rate is multiplied by √0.1, on top of the schedule.
  public var dropAt: [Double] = []
  /// β₁ of the optimizer.
  public var beta1 = 0.9
  /// β₂ of the optimizer.
  public var beta2 = 0.99
  /// ε of the optimizer, outside the root and after the bias correction.
  ///
  /// It is compared with gradients of a mean squared error of normalized outputs: those of the relative loss, which
  /// are smaller where fields vary little, are brought to their size first.
  public var epsilon = 1e-14
  /// The momentum of Nadam.
  public var nadamMomentum = NadamMomentum.constant
  /// The samples of a step, at first.
  public var batch = 256
  /// The fractions of the steps after which the batch is doubled, ascending.
  public var batchGrowth: [Double] = []
  /// The samples of a shard, a multiple of 16.
  public var shard = 64
  /// The number of steps.
  public var iterations = 2000
  /// How the initial weights are drawn.
  public var initializer = Initializer.glorot
  /// The matrix that the linear path represents before the first step; none if nil.
  public var initialize: LinearStart?
  /// The seed of parameters and batches.
  public var seed: Int64 = 1
  /// The scalar type.
  public var precision = Precision.float
  /// What is subtracted from the inputs.
  public var inputShift = ShiftKind.mean
  /// What the inputs are divided by.
  public var inputScale = ScaleKind.deviation
  /// What is subtracted from the outputs.
  public var outputShift = ShiftKind.pointwise
  /// What the outputs are divided by.
  public var outputScale = ScaleKind.deviation
  /// The fractions for training, validation and test, in the order of the file.
  public var split = Split()

  /// Creates the default options.
  public init() {}
}

extension TrainingOptions {
  /// A remark on settings that differ from the defaults and mean nothing to the schedule and the optimizer; nil if there
  /// are none.
  var unusedRemark: String? {
    let standard = TrainingOptions()
    let stepped = schedule == .step
    let plateau = schedule == .plateau
    let settings: [(name: String, isUnused: Bool)] = [
      ("stepEvery", stepEvery != standard.stepEvery && !stepped),
      ("stepFactor", stepFactor != standard.stepFactor && !stepped && !plateau),
      ("plateauEvery", plateauEvery != standard.plateauEvery && !plateau),
      ("plateauPatience", plateauPatience != standard.plateauPatience && !plateau),
      ("plateauThreshold", plateauThreshold != standard.plateauThreshold && !plateau),
      ("nadamMomentum", nadamMomentum != standard.nadamMomentum && optimizer != .nadam),
    ]
    let names = settings.filter(\.isUnused).map { "`\($0.name)`" }.joined(separator: ", ")
    return names.isEmpty
      ? nil
      : "\(names): not used by `schedule` \(schedule.rawValue) and `optimizer` \(optimizer.rawValue)"
  }
}
