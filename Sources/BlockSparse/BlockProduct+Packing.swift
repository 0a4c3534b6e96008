import BlockKernels

extension BlockProduct {
  /// Refreshes the packed copy of the weights; to be called after each change of the parameters.
  ///
  /// - Parameters:
  ///   - parameters: The parameters that the rank holds.
  ///   - packed: The packed weights of this layer.
  func packWeights(
    _ parameters: Span<Scalar>, into packed: inout MutableSpan<Scalar>
  ) {
    let weights = shape.weights(of: placement.rows)
    precondition(
      packed.count >= packing.count && parameters.count >= weightStart + weights.upperBound,
      "\(packed.count) packed weights of \(packing.count)")
    Self.copy(packing.copies, parameters, into: &packed)
  }

  /// Refreshes the part of the packed copy that consists of other ranks' weights.
  ///
  /// - Parameters:
  ///   - remote: `packing.remoteCount` weights.
  ///   - packed: The packed weights of this layer.
  func packRemoteWeights(
    _ remote: Span<Scalar>, into packed: inout MutableSpan<Scalar>
  ) {
    precondition(
      packed.count >= packing.count && remote.count >= packing.remoteCount,
      "\(remote.count) weights of other ranks, needed \(packing.remoteCount)")
    Self.copy(packing.remoteCopies, remote, into: &packed)
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private static func copy(
    _ copies: [BlockCopy], _ weights: Span<Scalar>, into packed: inout MutableSpan<Scalar>
  ) {
    unsafe weights.withUnsafeBufferPointer { w in
      unsafe packed.withUnsafeMutableBufferPointer { p in
        guard let w = w.baseAddress, let p = p.baseAddress else { return }
        // The copies lie inside both buffers by construction, whose sizes the callers checked.
        for copy in copies {
          for input in 0..<copy.inputs {
            let (from, to) = unsafe (
              w + (copy.from &+ input), p + (copy.to &+ input &* copy.toStride)
            )
            for output in 0..<copy.outputs {
              unsafe to[output] = from[output &* copy.stride]
            }
          }
        }
      }
    }
  }
}
