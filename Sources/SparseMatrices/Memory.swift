import Foundation
package import MessagePassing

/// What the memory of the machine can hold.
package enum Memory {
  /// Throws unless a table of numbers fits the machine.
  ///
  /// - Parameters:
  ///   - rows: The rows of the table.
  ///   - columns: Its columns.
  ///   - bytes: The bytes of a number.
  ///   - error: Makes the error from what is needed and what there is, in words.
  /// - Throws: `RunError` if it does not fit.
  package static func check(
    _ rows: Int, _ columns: Int, bytes: Int, _ error: (String) -> RunError
  ) throws(RunError) {
    let (count, overflows) = rows.multipliedReportingOverflow(by: columns)
    let (size, isTooLarge) = count.multipliedReportingOverflow(by: bytes)
    let memory = Int(clamping: ProcessInfo.processInfo.physicalMemory)
    guard overflows || isTooLarge || size > memory else { return }
    let need = overflows || isTooLarge ? "more than 2⁶³ bytes" : "\(size >> 20) MiB"
    throw error("\(need), the machine has \(memory >> 20) MiB")
  }
}
