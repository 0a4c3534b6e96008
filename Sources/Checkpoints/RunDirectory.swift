import Foundation
public import MessagePassing

/// What runs of all kinds do with their directory.
public enum RunDirectory {
  /// Removes what a run left that ended while it wrote, and all results to start over.
  ///
  /// Not collective; called by the process that writes.
  ///
  /// - Parameters:
  ///   - directory: The directory.
  ///   - restarts: Whether to start over.
  ///   - isExclusive: Whether no other program writes there, as a ``DirectoryLock`` says.
  /// - Throws: `RunError` (73) if results cannot be removed.
  public static func prepare(
    _ directory: String, restarts: Bool, isExclusive: Bool
  ) throws(RunError) {
    let files = FileManager.default
    Checkpoint.removeLeftovers(in: directory, isExclusive: isExclusive)
    guard restarts else { return }
    do {
      let results = ["metrics.jsonl", "summary.json"].map { "\(directory)/\($0)" }
      for path in Checkpoint.list(in: directory) + results where files.fileExists(atPath: path) {
        try files.removeItem(atPath: path)
      }
    } catch {
      throw RunError(
        exitStatus: ExitStatus.cannotCreate,
        "\(directory): cannot be emptied to start over; choose another `out` "
          + "(\(ExitStatus.reason(of: error)))")
    }
  }

  /// Writes the metrics of a run, one JSON object per line.
  ///
  /// Not collective; called by the process that writes.
  ///
  /// - Parameters:
  ///   - metrics: The lines.
  ///   - directory: The directory.
  /// - Throws: `RunError` (74) if they cannot be written.
  public static func write(metrics: String, in directory: String) throws(RunError) {
    let path = "\(directory)/metrics.jsonl"
    do {
      try metrics.write(toFile: path, atomically: true, encoding: .utf8)
    } catch {
      throw RunError(
        exitStatus: ExitStatus.inputOutput,
        "\(path): cannot be written: \(ExitStatus.reason(of: error))")
    }
  }
}
