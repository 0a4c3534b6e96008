import MessagePassing
import Testing

struct ExitStatusErrorTests {
  struct Known: ExitStatusError {
    let message = "what was wrong"
    let exitStatus: Int32 = 65
  }

  struct Plain: Error, CustomStringConvertible {
    let description = "something plain"
  }

  @Test("an error that knows its status keeps it")
  func knownStatus() {
    #expect(ExitStatus.status(of: Known()) == 65)
    #expect(ExitStatus.message(of: Known()) == "what was wrong")
  }

  @Test("any other error is a failure of the program")
  func plainError() {
    #expect(ExitStatus.status(of: Plain()) == 70)
    #expect(ExitStatus.message(of: Plain()) == "something plain")
  }
}
