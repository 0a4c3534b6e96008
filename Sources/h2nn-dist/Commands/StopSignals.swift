import Synchronization

#if canImport(Glibc)
import Glibc
#endif

/// Signals that ask a run to stop with a checkpoint: SIGUSR1, SIGTERM and SIGINT.
///
/// They are looked at between two steps. Who does not want to wait, for example while a large file is read, presses
/// Ctrl-C again: the second SIGINT ends the program at once.
enum StopSignals {
  private static let flag = Atomic<Bool>(false)

  /// Whether a signal has come.
  static var isRequested: Bool { flag.load(ordering: .relaxed) }

  /// Begins to listen.
  static func install() {
    // Initialized here: a handler must not be the first to touch it.
    _ = isRequested
    var signals = sigset_t()
    // The set lives on the stack while the calls use it; they fail for unknown signals only.
    _ = unsafe sigemptyset(&signals)
    for number in [SIGUSR1, SIGTERM, SIGINT] { _ = unsafe sigaddset(&signals, number) }
    // A parent may have left them blocked.
    _ = unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    for number in [SIGUSR1, SIGTERM, SIGINT] {
      signal(number) { number in
        StopSignals.flag.store(true, ordering: .relaxed)
        // Does what it does without a handler, next time.
        if number == SIGINT { signal(SIGINT, SIG_DFL) }
      }
    }
  }
}
