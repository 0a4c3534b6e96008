import Foundation
import MessagePassing
import Training

#if canImport(Glibc)
import Glibc
#endif

/// What the program says: rank 0 speaks, results on standard output, progress on standard error.
enum Voice {
  static let speaks = MPIEnvironment.launcherRank == 0
  private static let isTerminal = isatty(STDERR_FILENO) == 1

  /// Prints a line of results.
  static func say(_ line: String) {
    guard speaks else { return }
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }

  /// Prints a line of progress, a remark or an error.
  ///
  /// Settings that libraries name are written as options.
  static func note(_ line: String) {
    guard speaks else { return }
    FileHandle.standardError.write(Data((OptionNames.spelled(line) + "\n").utf8))
  }

  /// Prints progress: on a terminal a line that the next one replaces, unless it stays.
  static func progress(_ line: String, stays: Bool) {
    guard speaks else { return }
    let text = isTerminal ? "\r\u{1B}[K\(line)\(stays ? "\n" : "")" : line + "\n"
    FileHandle.standardError.write(Data(text.utf8))
  }

  /// Prints progress of which a log needs one line of fifty, by the given count, and the last.
  static func progress(_ line: String, isLast: Bool, every count: Int) {
    guard isTerminal || isLast || count % 50 == 0 else { return }
    progress(line, stays: isLast)
  }

  /// Refuses the file of an option that could not be written in the end, on rank 0, which writes it.
  static func checkPlace(of option: String, _ arguments: Arguments) throws(RunError) {
    guard let path = arguments.text(option), speaks else { return }
    let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
    guard !OutputFile.isDirectory(path), FileManager.default.isWritableFile(atPath: directory)
    else {
      throw RunError(
        exitStatus: 73, "--\(option) \(path): cannot be written there; choose another place")
    }
    try OutputFile.checkApart(option, arguments)
    try OutputFile.checkKind(path, start: "{")
  }

  /// Writes the object of `--summary`, on rank 0.
  static func summarize(_ object: [String: Any], to path: String?) throws(RunError) {
    guard let path, speaks else { return }
    do {
      try json(object).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw RunError(
        exitStatus: 73, "\(path): the summary cannot be written: \(ExitStatus.reason(of: error))")
    }
  }

  /// Prints an object as JSON.
  static func say(_ object: [String: Any]) throws {
    guard speaks else { return }
    FileHandle.standardOutput.write(try json(object))
  }

  private static func json(_ object: [String: Any]) throws -> Data {
    let data = try JSONSerialization.data(
      withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    return data + Data("\n".utf8)
  }

  /// Returns a number with a few digits, in the form that fits its size.
  static func short(_ value: Double) -> String {
    String(format: abs(value) >= 1e-2 && abs(value) < 1e5 ? "%.4g" : "%.3e", value)
  }

  /// Returns a number with all its digits, as one would type it.
  static func exact(_ value: Double) -> String {
    let text = "\(value)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// Returns a duration in words.
  static func duration(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }
}
