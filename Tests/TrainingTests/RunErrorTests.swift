import BlockKernels
import OperatorNetworks
import Testing

@testable import MessagePassing
@testable import Training

@Suite("RunError")
struct RunErrorTests {
  @Test("options that do not fit are wrong usage, a factorization that fails is not")
  func networkErrors() throws {
    let usage = RunError(NetworkError("`leaf` 0: at least 1 is needed"))
    #expect(usage == .usage("`leaf` 0: at least 1 is needed"))
    var matrix: [Double] = [0, 0, 0, 0]
    var (side, pivots): ([Double], [Int32]) = ([1, 1], [0, 0])
    let failure = #expect(throws: LAPACKError.self) {
      var a = matrix.mutableSpan
      var b = side.mutableSpan
      var p = pivots.mutableSpan
      try LAPACK.solve(&a, order: 2, rightHandSide: &b, pivots: &p)
    }
    let error = RunError(NetworkError(internal: try #require(failure)))
    #expect(error.exitStatus == 70 && error.message.contains("singular"))
  }
}
