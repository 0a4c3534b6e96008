import Datasets
import MessagePassing
import Training

// Kinds of values that few options have.

extension Arguments {
  /// Returns fractions from 0 to 1 in ascending order.
  func fractions(_ name: String) throws(RunError) -> [Double]? {
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

  /// Returns positive numbers separated by commas, each up to a limit.
  func counts(_ name: String, atMost most: Int) throws(RunError) -> [Int]? {
    guard let text = text(name) else { return nil }
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false)
      .map { Int($0.filter { $0 != " " }) ?? 0 }
    guard numbers.allSatisfy({ (1...most).contains($0) }) else {
      throw .usage(
        "--\(name) \(text): needed are positive numbers like 8,12,16, at most \(most)")
    }
    return numbers
  }

  /// Returns the fractions of the parts.
  func split() throws(RunError) -> Split? {
    guard let text = text("split") else { return nil }
    guard let split = Split.parse(text) else {
      throw .usage(
        "--split \(text): needed are three fractions like 0.6,0.1,0.3 or 2/3,0,1/3, the first "
          + "positive and their sum at most 1")
    }
    return split
  }
}

extension Arguments {
  /// Reads how the ranks are arranged: `--grid`, `--replicate-below` and `--wave`.
  func gridOptions() throws(RunError) -> GridOptions {
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
