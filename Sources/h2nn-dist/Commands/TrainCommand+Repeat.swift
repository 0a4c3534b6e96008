import Checkpoints
import Datasets
import MessagePassing
import Training

/// One of several trainings with different seeds.
private struct Repetition {
  let seed: Int64
  let directory: String
  /// Its results so far; nil if it diverged.
  let summary: TrainingSummary?
  let isFinished: Bool

  var jsonObject: [String: Any] {
    var object: [String: Any] = [
      "seed": seed, "directory": directory, "finished": isFinished, "diverged": summary == nil,
    ]
    guard let summary else { return object }
    let keys = [
      "parameters", "active_parameters", "iterations", "train_error", "validation_error",
      "test_error", "seconds_per_step", "digest",
    ]
    for key in keys { object[key] = summary.jsonObject[key] }
    return object
  }
}

extension TrainCommand {
  /// Trains several times, with one seed after the other, each in a directory of its own.
  ///
  /// Collective. With `--stop-after` each training stops there; after a signal no other one begins. A
  /// training that diverges does not end the others.
  ///
  /// - Returns: The exit status: 0; 75 if a training stopped early; else 70 if one diverged.
  func train(
    _ count: Int, _ configuration: RunConfiguration, _ dataset: DatasetFile,
    on world: borrowing Communicator
  ) throws -> Int32 {
    var repetitions: [Repetition] = []
    // The same for all seeds.
    var ridge: Double?
    for index in 0..<count {
      // All ranks see the same.
      let isOver = try world.allReduce(.max, StopSignals.isRequested ? 1 : 0) == 1
      guard !isOver else { break }
      var (configuration, options) = (configuration, options)
      let seed = configuration.training.seed + Int64(index)
      configuration.training.seed = seed
      options.directory = "\(self.options.directory)/seed-\(seed)"
      Voice.note("\(options.directory): training \(index + 1) of \(count)")
      do {
        let (summary, isStopped) = try train(configuration, options, dataset, on: world)
        if ridge == nil && !isStopped {
          ridge = try ridgeError(dataset, configuration.training.split, on: world)
        }
        try report(summary, ridge: isStopped ? nil : ridge, in: options.directory)
        repetitions.append(
          Repetition(
            seed: seed, directory: options.directory, summary: summary, isFinished: !isStopped))
      } catch let error as RunError where error.exitStatus == ExitStatus.software {
        Voice.note("h2nn-dist: \(options.directory): \(error.message)")
        repetitions.append(
          Repetition(seed: seed, directory: options.directory, summary: nil, isFinished: false))
      }
    }
    try report(repetitions, of: count)
    let isIncomplete = repetitions.count < count
    let isStopped = repetitions.contains { !$0.isFinished && $0.summary != nil }
    if isIncomplete || isStopped { return ExitStatus.stoppedEarly }
    return repetitions.contains { $0.summary == nil } ? ExitStatus.software : 0
  }

  /// Prints and writes the statistics of all finished trainings.
  private func report(_ repetitions: [Repetition], of count: Int) throws(RunError) {
    let finished = repetitions.filter(\.isFinished)
    let errors: [(key: String, title: String, value: (TrainingSummary) -> Double?)] = [
      ("train_error", "training error", \.trainError),
      ("validation_error", "validation error", \.validationError),
      ("test_error", "test error", \.testError),
    ]
    var object: [String: Any] = [
      "repeat": count, "finished": finished.count, "runs": repetitions.map(\.jsonObject),
    ]
    Voice.say("\("finished trainings".padded(to: 24))\(finished.count) of \(count)")
    for (key, title, value) in errors {
      let values = finished.compactMap { $0.summary.flatMap(value) }
      let statistics = values.isEmpty ? nil : Statistics(values)
      object[key] = statistics?.jsonObject
      if statistics == nil { object[key] = jsonNumber(nil) }
      guard let statistics else { continue }
      Voice.say("\(title.padded(to: 24))\(statistics.text)")
    }
    // The test part must not choose a seed.
    let validated = finished.filter { $0.summary?.validationError != nil }
    let best = validated.min {
      $0.summary?.validationError ?? .infinity < $1.summary?.validationError ?? .infinity
    }
    object["best_by_validation"] = best?.jsonObject ?? jsonNumber(nil)
    if let best, let summary = best.summary {
      let test = summary.testError.map { ", test error \(Voice.short($0))" } ?? ""
      Voice.say(
        "\("best by validation".padded(to: 24))\(best.directory), validation error "
          + "\(Voice.short(summary.validationError ?? .nan))\(test)")
    }
    try Voice.summarize(object, to: "\(options.directory)/summary.json")
    try Voice.summarize(object, to: arguments.text("summary"))
  }
}

/// Mean, median, deviation and range of several numbers.
private struct Statistics {
  private let sorted: [Double]

  /// Takes at least one number.
  init(_ values: [Double]) { sorted = values.sorted() }

  private var mean: Double { sorted.reduce(0, +) / Double(sorted.count) }
  /// The median; the mean of the two middle numbers if their number is even.
  private var median: Double {
    (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }
  private var deviation: Double {
    let mean = mean
    return (sorted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(sorted.count))
      .squareRoot()
  }

  var jsonObject: [String: Any] {
    [
      "mean": jsonNumber(mean), "median": jsonNumber(median), "std": jsonNumber(deviation),
      "lowest": jsonNumber(sorted.first), "highest": jsonNumber(sorted.last),
    ]
  }

  var text: String {
    "mean \(Voice.short(mean))  median \(Voice.short(median))  std \(Voice.short(deviation))  lowest "
      + "\(Voice.short(sorted[0]))  highest \(Voice.short(sorted[sorted.count - 1]))"
  }
}
