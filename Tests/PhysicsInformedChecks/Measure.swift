import Foundation
import MessagePassing
import PhysicsInformed

/// Trains for a time and prints what that brought.
///
/// Started by hand: `PhysicsInformedChecks measure EQUATION SECONDS [JSON of options]`.
func measure(_ words: [String], on ranks: borrowing Communicator) throws {
  guard words.count >= 2, let limit = Double(words[1]) else {
    throw RunError.usage("measure EQUATION SECONDS [JSON of options]")
  }
  var options = PhysicsInformedOptions()
  options.equation = words[0]
  if words.count > 2 {
    // Keys that are left out have their usual values.
    var object =
      try JSONSerialization.jsonObject(with: JSONEncoder().encode(options)) as? [String: Any] ?? [:]
    let given = try JSONSerialization.jsonObject(with: Data(words[2].utf8)) as? [String: Any] ?? [:]
    object.merge(given) { $1 }
    options = try JSONDecoder().decode(
      PhysicsInformedOptions.self, from: JSONSerialization.data(withJSONObject: object))
  }
  let isFirst = ranks.rank == 0
  func say(_ text: String) {
    if isFirst { FileHandle.standardOutput.write(Data("\(text)\n".utf8)) }
  }
  let clock = ContinuousClock()
  let begin = clock.now
  let training = try PhysicsInformedTraining(options, on: ranks)
  say("\(options.equation): \(training.network.parameterCount) parameters, seed \(options.seed)")
  var nextReport = 0.1 * limit
  while !training.isFinished {
    let step = try training.advance()
    // The first rank's clock decides for all.
    let seconds = try ranks.allGather((clock.now - begin) / .seconds(1))[0]
    if seconds >= nextReport || seconds >= limit || training.isFinished {
      let error = try training.relativeError()
      let cpu = try ranks.allGather(processorSeconds()).reduce(0, +)
      say(
        String(
          format:
            "%.1f s, %.1f CPU s, step %d: loss %.3e, validation %.3e, damping %.1e, error %.3e",
          seconds, cpu, step.step, step.loss, training.bestValidation, step.damping, error))
      nextReport += 0.1 * limit
    }
    if seconds >= limit { break }
  }
}

/// The processor time of this process.
private func processorSeconds() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }
