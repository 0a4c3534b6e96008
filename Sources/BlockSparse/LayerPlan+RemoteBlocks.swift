import BlockKernels

extension LayerPlan {
  /// Computes the gradients with respect to W_c x_j for entries of other ranks' rows; needed before the
  /// gradient of the input, by layers with a function of each block.
  ///
  /// - Parameters:
  ///   - parameters: The parameters of this rank.
  ///   - remote: The weights of other ranks.
  ///   - source: x.
  ///   - gradient: The gradients of the targets, those of other ranks among them.
  ///   - entries: The scratch of the forward pass, of which the part behind that of this rank's rows is
  ///     replaced.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func remoteEntryGradients(
    parameters: Span<Scalar>, remote: Span<Scalar>, source: Span<Scalar>, gradient: Span<Scalar>,
    entries: inout MutableSpan<Scalar>
  ) {
    let factor = layer.rowsOwnWeights ? remote : parameters
    let kernels = product.kernels
    for block in product.remoteBlocks {
      let (product, start) = (block.product, block.gradient)
      kernels[Int(product.kernel)](
        source, at: product.a, factor, at: product.b, into: &entries, at: product.c)
      precondition(start + block.count <= gradient.count)
      unsafe gradient.withUnsafeBufferPointer { g in
        unsafe entries.withUnsafeMutableBufferPointer { entries in
          guard let g = g.baseAddress, let entries = entries.baseAddress else { return }
          // The product was checked to lie inside of the scratch, and the row above.
          let values = unsafe entries + product.c
          unsafe layer.blockActivation.apply(values, count: block.count)
          unsafe RowKernels.multiplyByDerivative(
            g + start, at: values, into: values, count: block.count, of: layer.blockActivation)
        }
      }
    }
  }

  /// Whether ``remoteEntryGradients(parameters:remote:source:gradient:entries:)`` has something to do.
  public var hasRemoteEntries: Bool { !product.remoteBlocks.isEmpty }
}
