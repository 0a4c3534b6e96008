/// The boxes of a block vector and their channels.
public struct BoxLayout: Sendable, Hashable {
  /// The first channel of each box, and at the end the number of all channels.
  public let starts: [Int]

  /// Creates a layout from the channels of each box.
  ///
  /// - Parameter channels: The number of channels of each box; a box without channels takes part in nothing.
  public init(channels: [Int]) {
    var starts = [0]
    starts.reserveCapacity(channels.count + 1)
    for (box, count) in channels.enumerated() {
      precondition(count >= 0, "box \(box) has \(count) channels")
      starts.append(starts[box] + count)
    }
    self.starts = starts
  }

  /// Creates a layout of boxes that all have as many channels.
  ///
  /// - Parameters:
  ///   - boxes: The number of boxes.
  ///   - channels: The channels of each.
  public init(boxes: Int, channels: Int) {
    precondition(boxes > 0 && channels > 0, "\(boxes) boxes of \(channels) channels")
    starts = (0...boxes).map { $0 * channels }
  }

  /// The number of boxes.
  public var boxCount: Int { starts.count - 1 }

  /// The number of channels of all boxes together.
  public var channelCount: Int { starts[boxCount] }

  /// Returns the number of channels of a box.
  ///
  /// - Parameter box: The box.
  /// - Returns: Its channels.
  public func channels(of box: Int) -> Int { starts[box + 1] - starts[box] }

  /// Returns the channels of boxes.
  ///
  /// - Parameter boxes: The boxes.
  /// - Returns: Their channels.
  public func channels(of boxes: Range<Int>) -> Range<Int> {
    starts[boxes.lowerBound]..<starts[boxes.upperBound]
  }
}
