import Foundation

extension Checkpoint {
  /// The seconds without a change after which any temporary file is removed.
  private static let patience = 6 * 3600

  /// The name under which this process writes a checkpoint before it is whole.
  static func temporary(_ path: String) -> String {
    "\(path).\(FileSystem.hostName)-\(FileSystem.processID).writing"
  }

  /// Removes unfinished checkpoints of runs that were killed.
  ///
  /// Not collective; called by the process that writes, before it writes. Who has the directory for itself removes all
  /// temporary files. Else one is removed if the process in its name has ended on this machine or is this one, or if the
  /// file has not changed for six hours.
  ///
  /// - Parameters:
  ///   - directory: The directory of the run.
  ///   - isExclusive: Whether no other program writes there, as a ``DirectoryLock`` says.
  public static func removeLeftovers(in directory: String, isExclusive: Bool) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    for name in names where isTemporary(name) {
      let path = "\(directory)/\(name)"
      guard isExclusive || hasNoOwner(name) || (FileSystem.age(of: path) ?? 0) > patience else {
        continue
      }
      // A file that cannot be removed does no harm.
      try? FileManager.default.removeItem(atPath: path)
    }
  }

  /// Whether a file is a checkpoint that is being written, or belongs to one: MPI tries locks beside it.
  private static func isTemporary(_ name: String) -> Bool {
    // Foundation writes the metrics into files of the latter name.
    name.hasPrefix("checkpoint-") && (name.hasSuffix(".writing") || name.contains(".locktest."))
      || name.hasPrefix(".dat.nosync")
  }

  /// Whether the process whose name a temporary file has does not write any more.
  private static func hasNoOwner(_ name: String) -> Bool {
    guard let owner = owner(of: name), owner.host == FileSystem.hostName else { return false }
    return owner.process == FileSystem.processID || FileSystem.hasEnded(owner.process)
  }

  /// Returns the machine and the process in the name of a temporary file.
  static func owner(of name: String) -> (host: String, process: Int32)? {
    guard let start = name.range(of: ".h5."), let end = name.range(of: ".writing"),
      start.upperBound < end.lowerBound
    else { return nil }
    let owner = name[start.upperBound..<end.lowerBound]
    guard let dash = owner.lastIndex(of: "-"),
      let process = Int32(owner[owner.index(after: dash)...]), process > 0
    else { return nil }
    return (String(owner[..<dash]), process)
  }
}
