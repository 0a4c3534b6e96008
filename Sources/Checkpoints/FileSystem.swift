#if canImport(Glibc)
import Glibc
#endif

/// System calls on files, with their error numbers.
enum FileSystem {
  /// Returns the number of bytes of a file.
  static func size(of path: String) throws(CheckpointError) -> Int {
    var status = stat()
    // The path is a C string, and the structure the system's, during the call.
    guard unsafe stat(path, &status) == 0 else {
      throw .system(path: path, action: "looked at", code: errno)
    }
    return Int(status.st_size)
  }

  /// Waits until a file or a directory is on the disk.
  ///
  /// - Parameters:
  ///   - path: The file or directory.
  ///   - forgets: Whether the system is asked to forget the content, so that it is read from the disk next time.
  /// - Throws: ``CheckpointError`` if the system cannot do so.
  static func flush(_ path: String, forgets: Bool = false) throws(CheckpointError) {
    // The path is a C string during the call.
    let descriptor = repeated { unsafe open(path, O_RDONLY) }
    guard descriptor >= 0 else { throw .system(path: path, action: "opened", code: errno) }
    // A second attempt to close could close what another thread has opened meanwhile.
    defer { _ = close(descriptor) }
    // Some file systems have nothing to flush for a directory.
    guard repeated({ fsync(descriptor) }) == 0 || errno == EINVAL else {
      throw .system(path: path, action: "flushed", code: errno)
    }
    // Only advice, which may be declined.
    if forgets { _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) }
  }

  /// Gives a file another name, in place of a file that may have it.
  static func rename(_ old: String, to new: String) throws(CheckpointError) {
    // The paths are C strings during the call.
    guard unsafe Glibc.rename(old, new) == 0 else {
      throw .system(path: new, action: "given its name", code: errno)
    }
  }

  /// Repeats a call that a signal interrupts.
  static func repeated(_ call: () -> Int32) -> Int32 {
    while true {
      let answer = call()
      if answer >= 0 || errno != EINTR { return answer }
    }
  }

  /// The name of this machine.
  static var hostName: String {
    var bytes = [CChar](repeating: 0, count: 256)
    // The last byte stays zero.
    guard unsafe gethostname(&bytes, bytes.count - 1) == 0 else { return "" }
    return String(
      decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The number of this process.
  static var processID: Int32 { getpid() }

  /// Whether a process of this machine has ended.
  static func hasEnded(_ process: Int32) -> Bool { kill(process, 0) != 0 && errno == ESRCH }

  /// Returns the seconds since a file was changed; nil if there is none.
  static func age(of path: String) -> Int? {
    var status = stat()
    // The path is a C string, and the structure the system's, during the call.
    guard unsafe stat(path, &status) == 0 else { return nil }
    return time(nil) - status.st_mtim.tv_sec
  }
}
