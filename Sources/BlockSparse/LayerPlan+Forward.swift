import BlockKernels

extension LayerPlan {
  /// Computes y = f(W x + b), row by row.
  ///
  /// Rows begin with the bias; the products are added in the order of the pattern.
  ///
  /// - Parameters:
  ///   - part: Which rows.
  ///   - parameters: The parameters that the rank holds.
  ///   - source: x, `[box][channel][sample]`.
  ///   - entries: Scratch of ``entryScratchCount`` elements, kept for the backward pass.
  ///   - target: y, replaced.
  /// - Complexity: ``forwardFlops``, no allocation.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func forward(
    _ part: LayerPart = .all, parameters: Span<Scalar>, source: Span<Scalar>,
    entries: inout MutableSpan<Scalar>, target: inout MutableSpan<Scalar>
  ) {
    for place in part.range(of: rowOrder.count, interior: interiorRows) {
      let index = Int(rowOrder[place])
      let row = placement.rows.lowerBound + index
      let channels = layer.target.channels(of: row)
      let start = rowValues[index]
      Elementwise.fill(
        bias: parameters, at: biasStart + layer.biasStarts[Int(layer.pattern.groups[row])],
        channels: channels, samples: samples, into: &target, at: start)
      multiply(index, parameters, source, &entries, &target)
      layer.activation.apply(&target, in: start..<start + channels * samples)
    }
  }

  /// Computes y = W x + b + a, row by row.
  ///
  /// - Parameters:
  ///   - part: Which rows.
  ///   - parameters: The parameters that the rank holds.
  ///   - source: x, `[box][channel][sample]`.
  ///   - addend: a, in the layout of y.
  ///   - entries: Scratch of ``entryScratchCount`` elements, kept for the backward pass.
  ///   - target: y, replaced.
  /// - Precondition: The activation is the identity.
  /// - Complexity: ``forwardFlops``, no allocation.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func forward(
    _ part: LayerPart = .all, parameters: Span<Scalar>, source: Span<Scalar>,
    adding addend: Span<Scalar>, entries: inout MutableSpan<Scalar>,
    target: inout MutableSpan<Scalar>
  ) {
    precondition(layer.activation == .identity, "\(layer.name): \(layer.activation) and an addend")
    for place in part.range(of: rowOrder.count, interior: interiorRows) {
      let index = Int(rowOrder[place])
      let row = placement.rows.lowerBound + index
      Elementwise.fill(
        from: addend, at: rowAddends[index], bias: parameters,
        at: biasStart + layer.biasStarts[Int(layer.pattern.groups[row])],
        channels: layer.target.channels(of: row), samples: samples, into: &target,
        at: rowValues[index])
      multiply(index, parameters, source, &entries, &target)
    }
  }

  /// Adds the products of one computed row, counted from the first, to the target.
  @inline(__always)
  func multiply(
    _ row: Int, _ parameters: Span<Scalar>, _ source: Span<Scalar>,
    _ entries: inout MutableSpan<Scalar>, _ target: inout MutableSpan<Scalar>
  ) {
    for index in forward.starts[row]..<forward.starts[row + 1] {
      let product = forward.products[index]
      if entryStarts.isEmpty {
        kernels[Int(product.kernel)](
          source, at: product.a, parameters, at: product.b, into: &target, at: product.c)
      } else {
        // h of each block's product: the values are kept, the backward pass needs h' of them.
        kernels[Int(product.kernel)](
          source, at: product.a, parameters, at: product.b, into: &entries, at: product.c)
        let start = rowValues[row]
        let count = layer.target.channels(of: placement.rows.lowerBound + row) * samples
        layer.blockActivation.apply(&entries, in: product.c..<product.c + count)
        Elementwise.add(entries.span, at: product.c, to: &target, in: start..<start + count)
      }
    }
  }
}
