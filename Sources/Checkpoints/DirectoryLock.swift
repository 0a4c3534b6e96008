import Foundation
public import MessagePassing

#if canImport(Glibc)
import Glibc
#endif

/// The right to write into a directory, which one program has at a time.
///
/// It is a lock on a file in the directory, which the system gives up when the process ends, however it ends. The file
/// tells others who holds it. Where the file system has no locks, there is no protection.
public final class DirectoryLock {
  /// The name of the file.
  static let name = ".lock"
  private let path: String
  /// The directory, if it was made here.
  private let made: String?
  private var descriptor: Int32
  /// Whether the file system keeps all other programs out.
  public private(set) var isExclusive = false

  /// Takes the lock, and makes the directory if there is none.
  ///
  /// Not collective; the first rank of a program calls it.
  ///
  /// - Parameter directory: The directory.
  /// - Throws: `RunError` (73) if another program has the lock, or the directory cannot be written.
  public init(_ directory: String) throws(RunError) {
    path = "\(directory)/\(Self.name)"
    made = FileManager.default.fileExists(atPath: directory) ? nil : directory
    do {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true)
    } catch {
      throw RunError(
        exitStatus: ExitStatus.cannotCreate,
        "\(directory): cannot be made ready for a run; choose another `out` "
          + "(\(ExitStatus.reason(of: error)))")
    }
    descriptor = -1
    while descriptor < 0 {
      // The path is a C string during the call.
      let opened = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
      guard opened >= 0 else {
        throw RunError(
          exitStatus: ExitStatus.cannotCreate,
          "\(path): cannot be written: \(unsafe String(cString: strerror(errno)))")
      }
      isExclusive = flock(opened, LOCK_EX | LOCK_NB) == 0
      guard isExclusive || errno != EWOULDBLOCK else {
        let owner = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        _ = close(opened)
        throw RunError(
          exitStatus: ExitStatus.cannotCreate,
          "\(directory): another run writes there\(owner.isEmpty ? "" : " (\(owner))"); wait for its end, or "
            + "choose another `out`")
      }
      // The one before may have removed the file after it was opened here.
      if Self.stands(opened, at: path) { descriptor = opened } else { _ = close(opened) }
    }
    let owner = Array("process \(FileSystem.processID) on \(FileSystem.hostName)".utf8)
    // The array has as many bytes as the call is told; without its text the lock is one, too.
    _ = ftruncate(descriptor, 0)
    _ = unsafe write(descriptor, owner, owner.count)
  }

  deinit { release() }

  /// Gives the lock up and removes its file.
  public func release() {
    guard descriptor >= 0 else { return }
    // A file that cannot be removed does no harm: nobody holds it. The path is a C string during the call.
    _ = unsafe unlink(path)
    // The directory of a run that never began goes, too: the call leaves one that holds anything.
    if let made { _ = unsafe rmdir(made) }
    _ = close(descriptor)
    descriptor = -1
  }

  /// Whether an open file is the one under a path.
  private static func stands(_ descriptor: Int32, at path: String) -> Bool {
    var (opened, named) = (stat(), stat())
    // The structures are the system's, and the path a C string, during the calls.
    guard unsafe fstat(descriptor, &opened) == 0, unsafe stat(path, &named) == 0 else {
      return false
    }
    return opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
  }
}
