import BlockKernels
import Checkpoints
import ClusterTrees
import Foundation
import OperatorNetworks
import Testing

@testable import Datasets
@testable import MessagePassing
@testable import Training

@Suite("RunConfiguration")
struct RunConfigurationTests {
  private func changed() -> RunConfiguration {
    var configuration = RunConfiguration(network: NetworkOptions(), training: TrainingOptions())
    configuration.network.model = .mnnH2
    configuration.network.leaf = nil
    configuration.network.levels = 4
    configuration.network.admissibility = 1.0 / 3
    configuration.training.seed = .max
    configuration.training.learningRate = 0.1 + 0.2
    configuration.training.outputShift = .value(-0.1)
    configuration.training.inputScale = .none
    configuration.training.split = Split(training: 2.0 / 3, validation: 0, test: 1.0 / 3)
    configuration.layout.inputName = "/naïve \"name\""
    return configuration
  }

  @Test("all settings come back from JSON, bit for bit")
  func roundTrip() throws {
    for configuration in [
      changed(), RunConfiguration(network: NetworkOptions(), training: TrainingOptions()),
    ] {
      let read = try RunConfiguration(json: configuration.json)
      #expect(read == configuration)
      #expect(read.json == configuration.json)
    }
  }

  @Test(
    "what is no configuration is wrong content", arguments: ["", "{", "{}", "[1]", "{\"a\": 1}"])
  func wrong(json: String) {
    let error = #expect(throws: RunError.self) { try RunConfiguration(json: json) }
    #expect(error?.exitStatus == 65)
  }

  @Test("a setting that an older version did not know has its default")
  func older() throws {
    var written = changed()
    let known = written.json.replacing("\"batchGrowth\":[],", with: "")
    #expect(known != written.json)
    #expect(try RunConfiguration(json: known) == written)
    written.training.batchGrowth = [0.5]
    #expect(try RunConfiguration(json: written.json).training.batchGrowth == [0.5])
  }

  /// A configuration in which nothing is nil.
  private func full() -> RunConfiguration {
    var configuration = changed()
    configuration.network.coarseChannels = [7, 8]
    configuration.network.bridges = .pentadiagonal
    configuration.network.skeleton = .logarithm
    configuration.network.tolerance = 1e-5
    configuration.network.rankLimit = 9
    configuration.network.leaf = 6
    configuration.network.blockWidth = 3
    configuration.network.transferLayers = 2
    configuration.network.transferActivation = .tanh
    configuration.network.width = 11
    configuration.training.warmup = 3
    configuration.training.initialize = .ridge(0.5)
    configuration.training.dropAt = [0.25]
    return configuration
  }

  /// Settings that are nil where they are missing.
  static let optional: Set<String> = [
    "bridges", "coarseChannels", "skeleton", "tolerance", "rankLimit", "leaf", "levels",
    "blockWidth",
    "transferLayers", "transferActivation", "width", "learningRate", "warmup", "initialize",
  ]

  private func object(_ json: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
  }

  private func read(_ object: [String: Any]) throws -> RunConfiguration {
    let data = try JSONSerialization.data(withJSONObject: object)
    return try RunConfiguration(json: String(decoding: data, as: UTF8.self))
  }

  /// Returns the object inside of others that a path leads to, with a change.
  private func change(
    _ object: [String: Any], _ path: [String], _ body: (inout [String: Any]) -> Void
  ) throws -> [String: Any] {
    var result = object
    guard let first = path.first else {
      body(&result)
      return result
    }
    let inner = try #require(object[first] as? [String: Any])
    result[first] = try change(inner, Array(path.dropFirst()), body)
    return result
  }

  static let groups = [["network"], ["training"], ["training", "split"], ["layout"]]

  @Test("each setting that is missing has its default, and all others are kept", arguments: groups)
  func missingSettings(path: [String]) throws {
    let (all, standard) = (
      try object(full().json),
      try object(RunConfiguration(network: NetworkOptions(), training: TrainingOptions()).json)
    )
    let (group, defaults) = try path.reduce((all, standard)) { objects, name in
      (
        try #require(objects.0[name] as? [String: Any]),
        try #require(objects.1[name] as? [String: Any])
      )
    }
    #expect(group.count >= 3)
    for key in group.keys {
      let read = try object(read(try change(all, path) { $0[key] = nil }).json)
      let expected = try change(all, path) {
        $0[key] = Self.optional.contains(key) ? nil : defaults[key]
      }
      #expect(NSDictionary(dictionary: read) == NSDictionary(dictionary: expected), "\(key)")
    }
  }

  @Test(
    "a setting that is not known is refused, with the program that wrote it",
    arguments: groups + [[]])
  func unknownSettings(path: [String]) throws {
    let strange = try change(try object(full().json), path) { $0["fromTheFuture"] = 1 }
    let text = String(
      decoding: try JSONSerialization.data(withJSONObject: strange), as: UTF8.self)
    let error = #expect(throws: RunError.self) {
      try RunConfiguration(json: text, program: "h2nn-dist 9.8.7")
    }
    let name = (path + ["fromTheFuture"]).joined(separator: ".")
    #expect(error?.exitStatus == 65)
    #expect(
      error?.message.contains(" \(name),") == true && error?.message.contains("9.8.7") == true)
  }

  /// Files of before leaves were chosen have a leaf, or levels alone.
  @Test(
    "a leaf or levels in a file are kept, whatever the grid",
    arguments: [(5, nil), (10, nil), (nil, 4), (nil, 0)] as [(Int?, Int?)])
  func trees(leaf: Int?, levels: Int?) throws {
    let written = try change(try object(full().json), ["network"]) {
      ($0["leaf"], $0["levels"]) = (leaf, levels)
    }
    let options = try read(written).network
    #expect(options.leaf == leaf && options.levels == levels)
    for shape in [[80], [64], [101], [80, 80]] {
      #expect(try options.settled(sources: .grid(shape)) == options)
    }
    let neither = try change(written, ["network"]) { ($0["leaf"], $0["levels"]) = (nil, nil) }
    #expect(try read(neither).network.settled(sources: .grid([80])).leaf == 5)
  }

  @Test("a layout that is missing is the usual one")
  func missingGroup() throws {
    var all = try object(full().json)
    all["layout"] = nil
    #expect(try read(all).layout == DatasetLayout())
  }

  @Test("a configuration that JSON cannot hold is not written")
  func unwritable() async {
    await #expect(processExitsWith: .failure) {
      var configuration = RunConfiguration(network: NetworkOptions(), training: TrainingOptions())
      configuration.network.admissibility = .infinity
      _ = configuration.json
    }
  }

  @Test("equal configurations have no differences")
  func equal() throws {
    #expect(changed().differences(from: changed()).isEmpty)
    #expect(changed().differences(from: try RunConfiguration(json: changed().json)).isEmpty)
  }

  /// Changes of one setting, by its name.
  static let changes: [(String, @Sendable (inout RunConfiguration) -> Void)] = [
    ("learningRate", { $0.training.learningRate = 1 }), ("seed", { $0.training.seed = 9 }),
    ("model", { $0.network.model = .conv }), ("levels", { $0.network.levels = 9 }),
    ("linearPath", { $0.network.linearPath = true }),
    ("precision", { $0.training.precision = .double }),
    ("split", { $0.training.split.test = 0.1 }), ("samplesLast", { $0.layout.samplesLast = true }),
    ("outputShift", { $0.training.outputShift = .mean }),
    ("inputShift", { $0.training.inputShift = .value(3) }),
    ("outputScale", { $0.training.outputScale = .none }),
    ("batchGrowth", { $0.training.batchGrowth = [0.5, 0.75] }),
    ("dropAt", { $0.training.dropAt = [0.5] }),
    ("plateauEvery", { $0.training.plateauEvery = 7 }),
    ("inputScale", { $0.training.inputScale = .deviation }),
  ]

  @Test("a difference is named with both values", arguments: changes.indices)
  func differences(index: Int) {
    let (name, change) = Self.changes[index]
    var other = changed()
    change(&other)
    let there = other.differences(from: changed())
    #expect(there.count == 1 && there[0].contains("`\(name)`"), "\(name): \(there)")
    let here = changed().differences(from: other)
    #expect(here.count == 1 && here != there, "\(name): \(here)")
  }

  @Test("a setting that is missing on one side is a difference")
  func missing() {
    var other = changed()
    other.network.levels = nil
    let differences = other.differences(from: changed())
    #expect(differences.count == 1)
    #expect(differences.first?.contains("`levels` 4, now not set") == true)
  }
}
