import Checkpoints
import Foundation
import MessagePassing

/// One line of the metrics: a JSON object.
struct MetricsLine: Codable {
  let step: Int
  let epoch: Double
  let loss: Double
  let learningRate: Double
  let validationError: Double?
  let secondsPerStep: Double

  enum CodingKeys: String, CodingKey {
    case step, epoch, loss
    case learningRate = "learning_rate"
    case validationError = "validation_error"
    case secondsPerStep = "seconds_per_step"
  }

  /// The line without its line break; numbers that are missing or not finite are null.
  var json: String {
    let object: [String: Any] = [
      CodingKeys.step.rawValue: step, CodingKeys.epoch.rawValue: epoch,
      CodingKeys.loss.rawValue: jsonNumber(loss),
      CodingKeys.learningRate.rawValue: learningRate,
      CodingKeys.validationError.rawValue: jsonNumber(validationError),
      CodingKeys.secondsPerStep.rawValue: secondsPerStep,
    ]
    let data = try? JSONSerialization.data(withJSONObject: object, options: .sortedKeys)
    return String(decoding: data ?? Data("{}".utf8), as: UTF8.self)
  }

  /// Reads lines of metrics; lines that are not JSON objects of this form are skipped.
  static func read(_ text: String) -> [MetricsLine] {
    text.split(separator: "\n").compactMap {
      try? JSONDecoder().decode(MetricsLine.self, from: Data($0.utf8))
    }
  }
}

extension TrainingRun {
  private var metricsPath: String { "\(options.directory)/metrics.jsonl" }

  /// Writes the lines up to the present step, so that none from an interrupted run remains.
  func writeMetrics() throws(RunError) {
    do {
      try metrics.write(toFile: metricsPath, atomically: true, encoding: .utf8)
    } catch {
      throw RunError(
        exitStatus: 74, "\(metricsPath): cannot be written: \(ExitStatus.reason(of: error))")
    }
  }

  /// Adds a line to the file.
  func appendMetrics(_ line: MetricsLine) throws(RunError) {
    do {
      guard let file = FileHandle(forWritingAtPath: metricsPath) else { return try writeMetrics() }
      try file.seekToEnd()
      try file.write(contentsOf: Data("\(line.json)\n".utf8))
      try file.close()
    } catch {
      throw RunError(
        exitStatus: 74, "\(metricsPath): cannot be written: \(ExitStatus.reason(of: error))")
    }
  }
}
