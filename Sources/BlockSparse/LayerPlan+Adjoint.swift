import BlockKernels

extension LayerPlan {
  /// Turns the gradient with respect to y into that with respect to the sum under f, in place.
  ///
  /// With a function h of each block the scratch becomes the gradient with respect to W_c x_j.
  ///
  /// - Parameters:
  ///   - target: y, as the forward pass left it.
  ///   - gradient: The gradient with respect to y; replaced.
  ///   - entries: The scratch of the forward pass; replaced.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func gradientBeforeActivation(
    target: Span<Scalar>, gradient: inout MutableSpan<Scalar>, entries: inout MutableSpan<Scalar>
  ) {
    if layer.activation != .identity {
      precondition(target.count >= ends.values && gradient.count >= ends.gradients)
      let rows = rows
      unsafe target.withUnsafeBufferPointer { y in
        unsafe gradient.withUnsafeMutableBufferPointer { g in
          guard let y = y.baseAddress, let g = g.baseAddress else { return }
          // Rows that follow each other in both arrays are one run. All lie inside, as checked above.
          var first = 0
          while first < rows.count {
            let row = rows[first]
            var count = row.channels * samples
            var end = first + 1
            while end < rows.count, rows[end].values == row.values + count,
              rows[end].gradients == row.gradients + count
            {
              count += rows[end].channels * samples
              end += 1
            }
            unsafe RowKernels.multiplyByDerivative(
              g + row.gradients, at: y + row.values, into: g + row.gradients, count: count,
              of: layer.activation)
            first = end
          }
        }
      }
    }
    entryGradients(gradient.span, &entries)
  }

  /// Turns the gradient with respect to y + a into that with respect to the sum under f, elsewhere.
  ///
  /// - Parameters:
  ///   - target: y, as the forward pass left it.
  ///   - sum: The gradient with respect to y + a.
  ///   - sumStart: Where in it the gradient of the first of this rank's rows begins; the others follow.
  ///   - gradient: The gradient with respect to the sum under f; replaced.
  ///   - entries: The scratch of the forward pass; replaced.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func gradientBeforeActivation(
    target: Span<Scalar>, of sum: Span<Scalar>, at sumStart: Int,
    gradient: inout MutableSpan<Scalar>, entries: inout MutableSpan<Scalar>
  ) {
    let rows = rows
    precondition(
      target.count >= ends.values && gradient.count >= ends.gradients
        && sum.count >= sumStart + ends.gradients - (rows.first?.gradients ?? 0))
    unsafe target.withUnsafeBufferPointer { y in
      unsafe sum.withUnsafeBufferPointer { s in
        unsafe gradient.withUnsafeMutableBufferPointer { g in
          guard let y = y.baseAddress, let s = s.baseAddress, let g = g.baseAddress else { return }
          // The rows lie inside of all three, as checked above.
          for row in rows {
            unsafe RowKernels.multiplyByDerivative(
              s + sumStart + row.gradients - rows[0].gradients, at: y + row.values,
              into: g + row.gradients, count: row.channels * samples, of: layer.activation)
          }
        }
      }
    }
    entryGradients(gradient.span, &entries)
  }

  /// Replaces the values of this rank's blocks by the gradients with respect to W_c x_j.
  @inline(__always)
  private func entryGradients(_ gradient: Span<Scalar>, _ entries: inout MutableSpan<Scalar>) {
    guard let end = entryStarts.last else { return }
    precondition(gradient.count >= ends.gradients && entries.count >= end)
    unsafe gradient.withUnsafeBufferPointer { g in
      unsafe entries.withUnsafeMutableBufferPointer { blocks in
        guard let g = g.baseAddress, let blocks = blocks.baseAddress else { return }
        // Rows and blocks lie inside, as checked above.
        for (index, row) in rows.enumerated() {
          for number in forward.starts[index]..<forward.starts[index + 1] {
            let block = unsafe blocks + forward.products[number].c
            unsafe RowKernels.multiplyByDerivative(
              g + row.gradients, at: block, into: block, count: row.channels * samples,
              of: layer.blockActivation)
          }
        }
      }
    }
  }

  /// Computes the gradient with respect to the input: Wᵀ dy, source by source.
  ///
  /// - Parameters:
  ///   - part: Which sources.
  ///   - packed: The packed weights.
  ///   - gradient: What ``gradientBeforeActivation(target:gradient:entries:)`` left.
  ///   - entries: The scratch that it left.
  ///   - sourceGradient: The gradient with respect to x: replaced, or added to as planned.
  /// - Complexity: no allocation.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func inputGradient(
    _ part: LayerPart = .all, packed: Span<Scalar>, gradient: Span<Scalar>,
    entries: Span<Scalar>, sourceGradient: inout MutableSpan<Scalar>
  ) {
    let factor = entryStarts.isEmpty ? gradient : entries
    check(inputs, factor.count, packed.count, sourceGradient.count)
    precondition(sourceGradient.count >= ends.sources)
    let (list, order, kernels) = (inputs, sourceOrder, kernels)
    let (products, starts, kernelSpan) = (list.products.span, list.starts.span, kernels.span)
    unsafe factor.withUnsafeBufferPointer { dy in
      unsafe packed.withUnsafeBufferPointer { w in
        unsafe sourceGradient.withUnsafeMutableBufferPointer { dx in
          guard let dy = dy.baseAddress, let w = w.baseAddress, let dx = dx.baseAddress else {
            return
          }
          for place in part.range(of: order.count, interior: interiorSources) {
            let source = Int(order[place])
            // The lists belong to this plan, and all products lie inside of the storage.
            let (first, end) = unsafe (starts[unchecked: source], starts[unchecked: source &+ 1])
            for number in first..<end {
              let product = unsafe products[unchecked: number]
              unsafe kernelSpan[unchecked: Int(product.kernel)](
                dy + product.a, w + product.b, into: dx + product.c)
            }
            if first == end && !accumulatesInput {
              let box = placement.sources.lowerBound + source
              unsafe RowKernels.clear(
                dx + placement.sourceGradients.start(of: box) * samples,
                count: layer.source.channels(of: box) * samples)
            }
          }
        }
      }
    }
  }
}
