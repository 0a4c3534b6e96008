import Foundation
import TestSupport
import Testing

/// A new folder that is removed with its variable, and the program run in it.
struct Scratch: ~Copyable {
  private let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/command-line-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// The path of a file or folder in the folder.
  func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a text into a file and returns its path.
  func write(_ text: String, to name: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
    return file(name)
  }

  /// Writes fields into a dataset and returns its path.
  func write(_ fields: Fields, to name: String = "data.h5") throws -> String {
    try fields.write(to: file(name))
    return file(name)
  }

  /// Runs a verb that must succeed and returns its summary.
  func summary(
    of words: [String], ranks: Int? = nil, status: Int32 = 0,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Summary {
    let place = file("summary-\(UUID().uuidString).json")
    let launch = try program(words + ["--summary", place], ranks: ranks)
    try #require(launch.status == status, "\(launch.errors)", sourceLocation: sourceLocation)
    return try Summary(place)
  }
}

/// Runs the program.
///
/// - Parameters:
///   - words: The verb and its options.
///   - ranks: The number of processes; nil for a process without `mpirun`.
///   - environment: Variables to set.
///   - working: How many of the processes have work at a time; all if nil.
/// - Returns: The status and the texts.
/// - Throws: `LaunchError` if the program is missing or hangs.
func program(
  _ words: [String], ranks: Int? = nil, environment: [String: String] = [:], working: Int? = nil
) throws -> Launch {
  try launch(
    "h2nn-dist", arguments: words, ranks: ranks, environment: environment, working: working)
}

/// Runs the program on ranks whose command lines differ, as on nodes that see other files.
///
/// - Parameter lines: The verb and its options, rank by rank.
/// - Returns: The status and the texts.
/// - Throws: `LaunchError` if the program is missing or hangs.
func program(onRanks lines: [[String]]) throws -> Launch {
  let path = try locate("h2nn-dist").path
  // What stands behind a colon is the next program of mpirun.
  let others = lines.dropFirst().flatMap { [":", "-n", "1", path] + $0 }
  return try launch("h2nn-dist", arguments: lines[0] + others, ranks: 1)
}

extension Launch {
  /// The messages of the program about what went wrong, without what `mpirun` adds.
  var messages: [String] {
    errors.split(separator: "\n").map(String.init).filter { $0.hasPrefix("h2nn-dist: ") }
  }
}

/// Expects that a call fails with one message, the same with and without `mpirun`.
///
/// - Parameters:
///   - words: The verb and its options.
///   - status: The exit status.
///   - fragments: What the message must contain.
///   - ranks: The numbers of processes; nil for a process without `mpirun`.
///   - sourceLocation: Where the test stands.
/// - Throws: `LaunchError` if the program is missing or hangs.
func expectFailure(
  _ words: [String], status: Int32, _ fragments: [String], ranks: [Int?] = [nil, 3],
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  for count in ranks {
    // The launcher gives the other ranks of a program that is called wrongly a second.
    let launch = try program(words, ranks: count, working: status == 64 ? 1 : nil)
    let comment: Comment = "\(count ?? 1) ranks, status \(launch.status): \(launch.errors)"
    #expect(launch.status == status, comment, sourceLocation: sourceLocation)
    #expect(launch.messages.count == 1, comment, sourceLocation: sourceLocation)
    #expect(launch.output.isEmpty, "\(launch.output)", sourceLocation: sourceLocation)
    for fragment in fragments {
      #expect(
        launch.messages.first?.contains(fragment) == true, "'\(fragment)' in: \(comment)",
        sourceLocation: sourceLocation)
    }
  }
}

/// The object that `--summary` wrote.
struct Summary {
  private let object: [String: Any]

  init(_ path: String) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  /// The names of its members.
  var keys: Set<String> { Set(object.keys) }

  /// Returns a number that must be there.
  func number(_ key: String) throws -> Double {
    try #require((object[key] as? NSNumber)?.doubleValue, "\(key) in \(object)")
  }

  /// Returns an integer that must be there.
  func integer(_ key: String) throws -> Int { Int(try number(key)) }

  /// Returns a text that must be there.
  func text(_ key: String) throws -> String {
    try #require(object[key] as? String, "\(key) in \(object)")
  }

  /// Whether a member is there and null.
  func isNull(_ key: String) -> Bool { object[key] is NSNull }

  /// Returns an object that must be there.
  func object(_ key: String) throws -> [String: Any] {
    try #require(object[key] as? [String: Any], "\(key) in \(object)")
  }

  /// Returns a list of objects that must be there.
  func objects(_ key: String) throws -> [[String: Any]] {
    try #require(object[key] as? [[String: Any]], "\(key) in \(object)")
  }
}

/// Lines of JSON, such as those of `metrics.jsonl`.
func jsonLines(_ path: String) throws -> [[String: Any]] {
  let text = try String(contentsOfFile: path, encoding: .utf8)
  return try text.split(separator: "\n").map { line in
    try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
  }
}
