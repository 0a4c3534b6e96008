import Checkpoints
import Foundation
import MessagePassing
import Training

/// `study`: trains all networks of a study, one after the other, and writes its tables and charts.
///
/// Run again after an interruption, it continues: what is finished stays.
struct StudyCommand: DistributedCommand {
  static let stopsAtSignals = true

  let arguments: Arguments
  let study: Study
  /// All combinations, and those that this call runs.
  let all: [Study.Run]
  let runs: [Study.Run]
  let directory: String
  let dataDirectory: String
  let report: String

  init(_ arguments: Arguments) throws(RunError) {
    self.arguments = arguments
    guard let path = arguments.positional else {
      throw .usage("study: which one? Needed is a JSON5 file, such as those in jobs/")
    }
    study = try Study(path)
    directory = try arguments.required("out")
    dataDirectory = arguments.text("data-directory") ?? "\(directory)/data"
    report = arguments.text("report") ?? "\(directory)/results.md"
    try OutputFile.checkApart("report", arguments, usual: report)
    try OutputFile.checkKind(report, start: nil)
    let study = study
    let settings = Set((Verbs.generate.options + Verbs.train.options).map(\.name))
    let overrides = try Self.pairs(arguments, "set") {
      settings.contains($0.replacing("_", with: "-"))
    }
    let wanted = try Self.pairs(arguments, "only") { name in
      study.axes.contains { $0.name == name }
    }
    all = try study.runs(overrides.reduce(into: [:]) { $0[$1.0] = $1.1 })
    runs = try Self.choose(all, study, wanted)
    for (key, value) in overrides where !settings.contains(key.replacing("_", with: "-")) {
      throw .usage("--set \(key)=\(value): neither generate nor train has an option of that name")
    }
    // Wrong settings are found before anything runs.
    for run in runs {
      if run.data["file"] == nil { _ = try generation(run) }
      _ = try TrainCommand(try training(run))
      for method in study.references { _ = try BaselineCommand(try reference(run, method)) }
    }
  }

  /// Reads `key=value,…`; text after a comma that does not begin with a known key belongs to the value before it.
  private static func pairs(
    _ arguments: Arguments, _ name: String, _ isKnown: (String) -> Bool
  ) throws(RunError) -> [(String, String)] {
    var pairs: [(String, String)] = []
    for part in (arguments.text(name) ?? "").split(separator: ",") {
      let sides = part.split(separator: "=", maxSplits: 1).map(String.init)
      if sides.count == 2, pairs.isEmpty || isKnown(sides[0]) {
        pairs.append((sides[0], sides[1]))
      } else if let last = pairs.indices.last {
        pairs[last].1 += "," + part
      } else {
        throw .usage(
          "--\(name) \(part): needed is key=value, or several of them with commas between")
      }
    }
    return pairs
  }

  /// Returns the runs that have one of the wanted values on each named axis.
  private static func choose(
    _ runs: [Study.Run], _ study: Study, _ wanted: [(String, String)]
  ) throws(RunError) -> [Study.Run] {
    var places: [Int: Set<Int>] = [:]
    for (name, value) in wanted {
      guard let axis = study.axes.firstIndex(where: { $0.name == name }) else {
        throw .usage("--only \(name)=\(value): \(study.path) has no axis of that name")
      }
      guard let place = study.axes[axis].values.firstIndex(where: { $0.name == value }) else {
        let names = study.axes[axis].values.map(\.name).joined(separator: ", ")
        throw .usage("--only \(name)=\(value): the axis has the values \(names)")
      }
      places[axis, default: []].insert(place)
    }
    return runs.filter { run in places.allSatisfy { $1.contains(run.places[$0]) } }
  }

  // MARK: The commands

  /// The path of a run's dataset: a name made from its settings.
  private func dataset(_ run: Study.Run) -> String {
    if let file = run.data["file"] { return file }
    let settings = run.data.filter { $0.key != "problem" }.sorted { $0.key < $1.key }
    let name = Study.fileName(
      [run.data["problem"] ?? ""]
        + settings.flatMap { [$0.key, $0.value.replacing("-", with: "m")] })
    return "\(dataDirectory)/\(name).h5"
  }

  private func generation(_ run: Study.Run) throws(RunError) -> GenerateCommand {
    var words = ["--out", dataset(run)]
    if let problem = run.data["problem"] { words.insert(problem, at: 0) }
    var arguments = try Arguments(Verbs.generate, words)
    try arguments.merge(settings(run.data.filter { $0.key != "problem" }), from: study.path)
    return try GenerateCommand(arguments)
  }

  private func training(_ run: Study.Run) throws(RunError) -> Arguments {
    var arguments = try Arguments(
      Verbs.train, ["--data", dataset(run), "--out", "\(directory)/\(run.name)"])
    try arguments.merge(settings(run.train), from: study.path)
    return arguments
  }

  private func reference(_ run: Study.Run, _ method: String) throws(RunError) -> Arguments {
    var arguments = try Arguments(
      Verbs.baseline,
      [
        "--data", dataset(run), "--method", method, "--summary", referenceFile(run, method),
      ])
    let known = ["split", "input_name", "output_name", "samples_last"]
    try arguments.merge(settings(run.train.filter { known.contains($0.key) }), from: study.path)
    return arguments
  }

  private func settings(_ settings: Study.Settings) -> [(key: String, value: String)] {
    settings.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  func referenceFile(_ run: Study.Run, _ method: String) -> String {
    let names = study.dataAxes.map { study.axes[$0].values[run.places[$0]].name }
    return "\(directory)/\(Study.fileName([method] + names)).json"
  }

  // MARK: Running

  /// Generates what is missing, trains what is not trained, and writes the report.
  ///
  /// Collective.
  ///
  /// - Returns: The exit status: 0; 75 if a run stopped early; 70 if one diverged, which does not end the others.
  func run(on world: borrowing Communicator) throws -> Int32 {
    try world.agree {
      guard world.rank == 0 else { return }
      for path in [directory, dataDirectory] {
        do {
          try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
        } catch {
          throw RunError(
            exitStatus: 73, "\(path): cannot be made: \(ExitStatus.reason(of: error))")
        }
      }
    }
    let lock = try world.agree { world.rank == 0 ? try DirectoryLock(directory) : nil }
    defer { lock?.release() }
    var worst: Int32 = 0
    for (number, run) in runs.enumerated() {
      Voice.note("study: run \(number + 1) of \(runs.count), \(run.name)")
      switch try train(run, on: world) {
      case 0: break
      case ExitStatus.software: worst = ExitStatus.software
      case let status: return status
      }
      for method in study.references {
        guard try !isTrue(on: world, { StopSignals.isRequested }) else {
          return ExitStatus.stoppedEarly
        }
        try refer(run, method, on: world)
      }
      try writeReport(on: world)
    }
    Voice.say("\(report): \(runs.count) run\(runs.count == 1 ? "" : "s")")
    try Voice.summarize(
      ["runs": results().map { $0.object(study) }], to: arguments.text("summary"))
    return worst
  }

  private func train(_ run: Study.Run, on world: borrowing Communicator) throws -> Int32 {
    let mark = "\(directory)/\(run.name)/study.json"
    let settings = ["data": run.data, "train": run.train]
    let isFinished = try isTrue(on: world) {
      guard let data = FileManager.default.contents(atPath: mark) else { return false }
      return (try? JSONDecoder().decode([String: Study.Settings].self, from: data)) == settings
    }
    guard !isFinished else { return 0 }
    try generate(run, on: world)
    let status: Int32
    do {
      let command = try TrainCommand(try training(run))
      if command.arguments.has(OptionGroups.stallTimeout.name) { try command.watch(world) }
      status = try command.run(on: world)
      try watch(world)
    } catch let error as RunError where error.exitStatus == ExitStatus.software {
      // It diverged, on all ranks at the same step.
      Voice.note("study: \(run.name): \(error.description)")
      return ExitStatus.software
    }
    guard status == 0 else { return status }
    try world.agree {
      guard world.rank == 0 else { return }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
      let text = String(decoding: try encoder.encode(settings), as: UTF8.self)
      try Self.write(text + "\n", to: mark)
    }
    return 0
  }

  private func generate(_ run: Study.Run, on world: borrowing Communicator) throws {
    let path = dataset(run)
    guard run.data["file"] == nil,
      try !isTrue(on: world, { FileManager.default.fileExists(atPath: path) })
    else { return }
    _ = try generation(run).run(on: world)
  }

  private func refer(
    _ run: Study.Run, _ method: String, on world: borrowing Communicator
  ) throws {
    let path = referenceFile(run, method)
    guard try !isTrue(on: world, { FileManager.default.fileExists(atPath: path) }) else { return }
    try generate(run, on: world)
    _ = try BaselineCommand(try reference(run, method)).run(on: world)
  }

  /// Returns what rank 0 finds.
  private func isTrue(
    on world: borrowing Communicator, _ condition: () -> Bool
  ) throws(MPIError) -> Bool {
    var found: [Int32] = [world.rank == 0 && condition() ? 1 : 0]
    var span = found.mutableSpan
    try world.broadcast(&span, from: 0)
    return found[0] == 1
  }
}
