import Foundation

#if canImport(Glibc)
import Glibc
#endif

/// The memory of this process.
enum ProcessMemory {
  /// Returns the largest resident memory so far, in bytes.
  static func peak() -> Int {
    var usage = rusage()
    // `usage` is a structure of the type that the call fills.
    guard unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
    return usage.ru_maxrss * 1024
  }
}
