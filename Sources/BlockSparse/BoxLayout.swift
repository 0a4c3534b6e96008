// BlockSparse: the one operator of every network, a block-sparse layer.
//
// Purpose: block vectors, patterns, sharing of weights, the layer, its execution plan, the forward
// product and the two adjoints. A layer maps boxes to boxes:
//
//     y_i = f( Σ_{(j, c) ∈ pattern(i)} h[ W_c x_j ] + b_i + a_i )
//
// (FMM-NET eq. 4, MNN-H² eq. 2.9 and 3.3; h is the identity by default, b and the addend a are optional).
//
// Design decisions
// - Activations of a shard are `[box][channel][sample]`, samples contiguous: neighbouring boxes form
//   one column-major matrix without a copy, so a run of neighbours is one product.
// - Sharing of weights is data: every row of a pattern names a group, and rows of one group use the
//   same stacked weights. Own weights are the case of one group for each row.
// - A layer is a product with a block matrix W (``BlockProduct``: W by rows, Wᵀ by sources, the gradient of W) and
//   what stands around it (``LayerPlan``: b, a, f, h). A transposed layer takes the same product the other way.
// - The shapes of all products follow from pattern and shard alone.

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
