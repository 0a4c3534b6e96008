import OperatorNetworks
import Testing

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
    let error = #expect(throws: TrainingError.self) { try RunConfiguration(json: json) }
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

  @Test("equal configurations have no differences")
  func equal() throws {
    #expect(changed().differences(from: changed()).isEmpty)
    #expect(changed().differences(from: try RunConfiguration(json: changed().json)).isEmpty)
  }

  /// Changes of one setting, by its name.
  static let changes: [(String, @Sendable (inout RunConfiguration) -> Void)] = [
    ("learning-rate", { $0.training.learningRate = 1 }), ("seed", { $0.training.seed = 9 }),
    ("model", { $0.network.model = .conv }), ("levels", { $0.network.levels = 9 }),
    ("linear-path", { $0.network.linearPath = true }),
    ("precision", { $0.training.precision = .double }),
    ("split", { $0.training.split.test = 0.1 }), ("samples-last", { $0.layout.samplesLast = true }),
    ("output-shift", { $0.training.outputShift = .mean }),
    ("input-shift", { $0.training.inputShift = .value(3) }),
    ("output-scale", { $0.training.outputScale = .none }),
    ("batch-growth", { $0.training.batchGrowth = [0.5, 0.75] }),
    ("drop-at", { $0.training.dropAt = [0.5] }),
    ("plateau-every", { $0.training.plateauEvery = 7 }),
    ("input-scale", { $0.training.inputScale = .deviation }),
  ]

  @Test("a difference is named with both values", arguments: changes.indices)
  func differences(index: Int) {
    let (name, change) = Self.changes[index]
    var other = changed()
    change(&other)
    let there = other.differences(from: changed())
    #expect(there.count == 1 && there[0].contains(name), "\(name): \(there)")
    let here = changed().differences(from: other)
    #expect(here.count == 1 && here != there, "\(name): \(here)")
  }

  @Test("a setting that is missing on one side is a difference")
  func missing() {
    var other = changed()
    other.network.levels = nil
    let differences = other.differences(from: changed())
    #expect(differences.count == 1)
    #expect(differences.first?.contains("--levels is not set, not 4") == true)
  }
}
