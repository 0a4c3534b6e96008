import ClusterTrees
import Datasets
import MessagePassing
import Regressions
import Training

extension TrainCommand {
  /// The most operations that are spent on a regression beside a network: some seconds.
  private static let mostRidgeOperations = 2e10
  /// The most numbers of the fields, which all ranks read for it.
  private static let mostRidgeNumbers = 3e7

  /// The operations of ridge regression with all its regularizations.
  private static func ridgeOperations(_ file: DatasetFile, _ split: Split) -> Double {
    let samples = Double(split.range(of: .training, count: file.sampleCount).count)
    let (inputs, outputs) = (Double(file.points.count), Double(file.outputCount))
    let order = min(samples, inputs)
    let evaluations = 15 * Double(file.sampleCount) * inputs * outputs
    return samples * inputs * order + 10 * order * order * order
      + 2 * samples * outputs * order + 13 * inputs * outputs * order + 2 * evaluations
  }

  /// Returns the test error of ridge regression on the point values, where that is cheap.
  ///
  /// Collective.
  ///
  /// - Returns: The mean error; nil where it would take long, or is not defined.
  func ridgeError(_ file: DatasetFile, _ split: Split, on world: borrowing Communicator) throws
    -> Double?
  {
    let numbers = Double(file.sampleCount) * Double(file.points.count + file.outputCount)
    let training = split.range(of: .training, count: file.sampleCount)
    guard numbers <= Self.mostRidgeNumbers,
      Self.ridgeOperations(file, split) <= Self.mostRidgeOperations, training.count > 1,
      !split.range(of: .test, count: file.sampleCount).isEmpty
    else { return nil }
    var options = BaselineOptions()
    options.method = .ridge
    options.split = split
    let data = try file.load(on: world)
    do {
      let result = try Baseline.run(options, data, part: .test, on: world) { _ in }
      return result.errors.samples > 0 ? result.errors.mean : nil
    } catch let error as MPIError {
      throw error
    } catch {
      // Ranks agree on failures, though others know that of one rank by its message only. A training does not fail
      // because there is nothing to compare it with.
      Voice.note("no ridge regression to compare with: \(ExitStatus.message(of: error))")
      return nil
    }
  }
}
