import Foundation
public import Testing

/// Runs the tests of a suite on threads of their own, since they wait for programs.
///
/// The tests of all suites share as many threads as there are processors. A test that waits for a program on one of
/// them keeps it from the others; and those that have seen a process of their own end (`processExitsWith`) do not learn of
/// it, while the library looks for it again and again, which takes a processor.
public struct OwnThreads: SuiteTrait, TestTrait, TestScoping {
  /// The trait holds for all tests of the suite.
  public var isRecursive: Bool { true }

  /// Runs a test on a thread of its own.
  ///
  /// - Parameters:
  ///   - test: The test.
  ///   - testCase: The arguments of the test.
  ///   - function: The body of the test.
  /// - Throws: What the body throws.
  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await withTaskExecutorPreference(ThreadExecutor.shared) { try await function() }
  }
}

extension Trait where Self == OwnThreads {
  /// The tests of the suite wait for programs, on threads of their own.
  public static var waiting: Self { Self() }
}

/// Runs each job on a new thread.
private final class ThreadExecutor: TaskExecutor {
  static let shared = ThreadExecutor()

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    Thread { [self] in
      // Each job that is enqueued is run once, here.
      unsafe job.runSynchronously(on: asUnownedTaskExecutor())
    }.start()
  }
}
