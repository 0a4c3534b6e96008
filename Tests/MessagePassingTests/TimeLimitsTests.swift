import Foundation
import TestSupport
import Testing

/// Shell commands that work, wait or hang, under limits.
@Suite("Limits on the time of a program", .waiting)
struct TimeLimitsTests {
  /// Expects that a command is killed at a limit.
  private func expectHang(
    _ script: String, _ limits: TimeLimits, _ limit: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let error = #expect(throws: LaunchError.self, sourceLocation: sourceLocation) {
      try execute(["sh", "-c", script], limits: limits)
    }
    guard case .hang(_, let passed, _) = error else {
      Issue.record("\(String(describing: error))", sourceLocation: sourceLocation)
      return
    }
    #expect(passed == limit, sourceLocation: sourceLocation)
  }

  @Test("a program that waits longer than it may work is no hang")
  func waits() throws {
    let limits = TimeLimits(processor: 1, idle: 60, whole: 60)
    let launch = try execute(["sh", "-c", "sleep 2; echo done"], limits: limits)
    #expect(launch.status == 0 && launch.output == "done\n")
  }

  @Test("what a program starts works on its account", arguments: [0, 1, 2])
  func works(depth: Int) {
    // Each shell waits for one inside of it; the innermost never ends.
    var script = "while :; do :; done"
    for _ in 0..<depth { script = "(\(script)) & wait" }
    expectHang(script, TimeLimits(processor: 1, idle: 60, whole: 60), "1.0 s on processors")
  }

  @Test("what has ended counts too")
  func ended() {
    // None of the programs that follow each other works for long.
    let script = "while :; do sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'; done"
    expectHang(script, TimeLimits(processor: 1, idle: 60, whole: 60), "1.0 s on processors")
  }

  @Test("a program that does nothing for long is a hang")
  func idle() {
    expectHang("sleep 60", TimeLimits(processor: 60, idle: 1, whole: 60), "1.0 idle seconds")
  }

  @Test("no program may run for ever")
  func whole() {
    let script = "while :; do sleep 0.05; done"
    expectHang(script, TimeLimits(processor: 60, idle: 60, whole: 1), "1.0 s")
  }
}
