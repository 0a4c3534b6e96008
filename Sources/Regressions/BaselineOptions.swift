public import Datasets
import Foundation

/// The regressions that networks are compared with.
public enum BaselineMethod: String, CaseIterable, Sendable {
  /// The point-wise mean of the training outputs.
  case mean
  /// Linear ridge regression with an intercept.
  case ridge
  /// Kernel ridge regression with an intercept.
  case kernelRidge = "kernel-ridge"
}

/// Which regression is fitted, and how.
public struct BaselineOptions: Sendable {
  /// The regression.
  public var method = BaselineMethod.mean
  /// The kernel of kernel ridge regression.
  public var kernel = KernelKind.gaussian
  /// λ in units of the mean of the diagonal of the Gram or kernel matrix; nil to choose it.
  public var regularization: Double?
  /// The length of the kernel in units of the median distance of two inputs; nil to choose it.
  public var lengthScale: Double?
  /// The number of training samples that are used at most, the first ones.
  public var samplesLimit: Int?
  /// The number of training samples that kernel ridge regression uses at most while it chooses.
  public var searchLimit = 3000
  /// The fractions for training, validation and test, in the order of the file.
  public var split = Split()

  /// Creates the default options.
  public init() {}

  /// The training samples that kernel ridge regression uses at most unless said otherwise: a matrix of
  /// 1.2 GB.
  public static let kernelSamples = 12000

  /// The inputs from which the median distance is taken at most, the first ones.
  static let medianSamples = 1000
}

/// A choice of regularization and length.
struct Hyperparameters: Sendable, Equatable {
  /// In units of the mean of the diagonal; zero where there is none.
  var regularization: Double
  /// In units of the median distance; zero where there is none.
  var lengthScale: Double
}

extension BaselineOptions {
  /// Returns remarks about a choice at the end of the range that was tried.
  func edges(of chosen: Hyperparameters) -> [String] {
    func remark(_ option: String, _ value: KeyPath<Hyperparameters, Double>) -> String? {
      let tried = candidates.map { $0[keyPath: value] }
      guard let least = tried.min(), let most = tried.max(), least < most else { return nil }
      let found = chosen[keyPath: value]
      guard found == least || found == most else { return nil }
      return
        "`\(option)`: the best value, \(found), is the \(found == least ? "least" : "largest") that was "
        + "tried; a \(found == least ? "smaller" : "larger") one may be better"
    }
    return [
      remark("regularization", \.regularization), remark("lengthScale", \.lengthScale),
    ].compactMap { $0 }
  }

  /// The choices that are tried: one if both numbers are given, else a grid.
  var candidates: [Hyperparameters] {
    switch method {
    case .mean: return [Hyperparameters(regularization: 0, lengthScale: 0)]
    case .ridge:
      var penalties: [Double] = (-10...2).map { pow(10, Double($0)) }
      if let regularization { penalties = [regularization] }
      return penalties.map { Hyperparameters(regularization: $0, lengthScale: 0) }
    case .kernelRidge:
      var lengths: [Double] = [0.25, 0.5, 1, 2, 4, 8, 16]
      if let lengthScale { lengths = [lengthScale] }
      var penalties: [Double] = [1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2]
      if let regularization { penalties = [regularization] }
      return lengths.flatMap { length in
        penalties.map { Hyperparameters(regularization: $0, lengthScale: length) }
      }
    }
  }
}
