import Synchronization

#if canImport(Glibc)
import Glibc
#endif

/// Signals that ask a run to stop with a checkpoint: SIGUSR1, SIGTERM and SIGINT.
enum StopSignals {
  private static let flag = Atomic<Bool>(false)

  /// Whether a signal has come.
  static var isRequested: Bool { flag.load(ordering: .relaxed) }

  /// Begins to listen.
  static func install() {
    // Initialized here: a handler must not be the first to touch it.
    _ = isRequested
    for number in [SIGUSR1, SIGTERM, SIGINT] {
      signal(number) { _ in StopSignals.flag.store(true, ordering: .relaxed) }
    }
  }
}
