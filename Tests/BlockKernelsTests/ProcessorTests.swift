import BlockKernels
import Foundation
import Testing

struct ProcessorTests {
  /// What a thread finds before and after the call.
  private struct Findings {
    var before = true
    var after = false
    var result = Float.nan
    var operand = Double.nan
    var normal = Float.nan
  }

  /// Runs a body in a thread of its own, so that other tests keep the state of theirs.
  private func inThread<R>(_ body: @escaping @Sendable () -> R) -> R {
    // Written by the thread, read after it has ended.
    nonisolated(unsafe) var result: R?
    let ended = DispatchSemaphore(value: 0)
    let thread = Thread {
      unsafe result = body()
      ended.signal()
    }
    thread.start()
    ended.wait()
    guard let found = unsafe result else { preconditionFailure("The thread left no result") }
    return found
  }

  /// A number that the compiler does not know.
  @inline(never) private func opaque<T: LosslessStringConvertible>(_ text: String, as: T.Type) -> T
  {
    guard let number = T(text) else { preconditionFailure("\(text) is no number") }
    return number
  }

  @Test("subnormal numbers are zero after the call, in this thread")
  func flushing() {
    let found = inThread {
      var found = Findings()
      found.before = Processor.flushesSubnormals
      // The number's text is read before, by whatever arithmetic the library uses.
      let (small, tiny) = (opaque("1.5e-38", as: Float.self), opaque("1e-310", as: Double.self))
      let half = opaque("0.5", as: Float.self)
      Processor.flushSubnormals()
      found.after = Processor.flushesSubnormals
      found.result = small * half
      found.operand = tiny * opaque("1e10", as: Double.self)
      found.normal = small * 2
      return found
    }
    #expect(!found.before)
    #expect(found.after)
    #expect(found.result == 0)
    #expect(found.operand == 0)
    #expect(found.normal == 3e-38)
    #expect(inThread { !Processor.flushesSubnormals })
  }

  @Test("subnormal numbers are themselves without it")
  func standard() {
    let product = inThread { opaque("1.5e-38", as: Float.self) * opaque("0.5", as: Float.self) }
    #expect(product.isSubnormal)
  }
}
