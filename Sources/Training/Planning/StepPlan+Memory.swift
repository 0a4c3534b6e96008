import Foundation
import MessagePassing
import NetworkExecution
import OperatorNetworks

extension StepPlan {
  /// Refuses a network whose parameters no rank of this machine could hold.
  ///
  /// Parameters, gradient and two moments are the least that a rank needs.
  ///
  /// - Parameter memory: The bytes of the machine.
  /// - Throws: `RunError` (64) if they need more.
  func checkMemory(
    of memory: UInt64 = ProcessInfo.processInfo.physicalMemory
  ) throws(RunError) {
    let parameters = Double(loads.map(\.parameters).max() ?? 0)
    let bytes = parameters * 4 * Double(sizes.scalar)
    guard bytes > Double(memory) else { return }
    func gigabytes(_ bytes: Double) -> String { "\((bytes / 1e8).rounded() / 10) GB" }
    throw .usage(
      "\(Int(parameters)) parameters of a rank, their gradient and moments need \(gigabytes(bytes)); "
        + "this machine has \(gigabytes(Double(memory))): take fewer `channels`, or more tree ranks "
        + "(`grid`)")
  }
}
