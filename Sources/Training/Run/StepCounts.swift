import MessagePassing

/// What one rank really sent and computed in a step.
struct StepCounts: Equatable {
  /// Messages, the bytes in them, collective operations, the bytes contributed to them, and floating-point
  /// operations.
  private(set) var numbers: [Int]

  /// The names of the numbers in a summary.
  static let names = ["messages", "message_bytes", "collectives", "collective_bytes", "flops"]

  /// Takes the numbers counted so far.
  ///
  /// - Parameters:
  ///   - traffic: What was sent.
  ///   - flops: The floating-point operations.
  init(_ traffic: TrafficCounters, flops: Int) {
    numbers = [
      traffic.messages, traffic.messageBytes, traffic.collectives, traffic.collectiveBytes, flops,
    ]
  }

  /// Returns what was counted since an earlier state.
  func since(_ earlier: StepCounts) -> StepCounts {
    var result = self
    result.numbers = zip(numbers, earlier.numbers).map(-)
    return result
  }
}
