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

  /// Turns the gradient with respect to a sum of y and other terms into that with respect to the sum under f, elsewhere.
  ///
  /// - Parameters:
  ///   - target: y, as the forward pass left it.
  ///   - sum: The gradient with respect to the sum to which y was added.
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
    guard let end = product.entryStarts.last else { return }
    let forward = product.rows.list
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

  /// Computes the gradient with respect to the input: Wᵀ dy, or W dy, source by source.
  ///
  /// - Parameters:
  ///   - part: Which sources.
  ///   - parameters: The parameters that the rank holds, which a transposed layer needs.
  ///   - packed: The packed weights.
  ///   - gradient: What ``gradientBeforeActivation(target:gradient:entries:)`` left.
  ///   - entries: The scratch that it left.
  ///   - sourceGradient: The gradient with respect to x: replaced, or added to as planned.
  /// - Complexity: no allocation.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func inputGradient(
    _ part: LayerPart = .all, parameters: Span<Scalar>? = nil, packed: Span<Scalar>,
    gradient: Span<Scalar>, entries: Span<Scalar>, sourceGradient: inout MutableSpan<Scalar>
  ) {
    guard isTransposed else {
      return runInputs(
        part, packed, product.hasBlocks ? entries : gradient, into: &sourceGradient)
    }
    guard let parameters else { preconditionFailure("\(layer.name) needs its parameters") }
    runInputs(part, parameters, gradient, into: &sourceGradient)
  }

  /// Computes the gradients of sources with weights that are packed ones or those among the parameters.
  @inline(__always)
  private func runInputs(
    _ part: LayerPart, _ weights: Span<Scalar>, _ factor: Span<Scalar>,
    into sourceGradient: inout MutableSpan<Scalar>
  ) {
    let inputs = inputs
    check(inputs.list, factor.count, weights.count, sourceGradient.count)
    precondition(sourceGradient.count >= ends.sources)
    let (list, order, kernels) = (inputs.list, inputs.order, product.kernels)
    let (products, starts, kernelSpan) = (list.products.span, list.starts.span, kernels.span)
    unsafe factor.withUnsafeBufferPointer { dy in
      unsafe weights.withUnsafeBufferPointer { w in
        unsafe sourceGradient.withUnsafeMutableBufferPointer { dx in
          guard let dy = dy.baseAddress, let dx = dx.baseAddress else { return }
          // Without weights there are no products that would read them.
          let w = unsafe w.baseAddress ?? UnsafePointer(dx)
          for place in part.range(of: order.count, interior: inputs.interior) {
            let source = Int(order[place])
            // The lists belong to this plan, and all products lie inside of the storage.
            let (first, end) = unsafe (starts[unchecked: source], starts[unchecked: source &+ 1])
            for number in first..<end {
              let product = unsafe products[unchecked: number]
              unsafe kernelSpan[unchecked: Int(product.kernel)](
                dy + product.a, w + product.b, into: dx + product.c)
            }
            if first == end && !inputs.accumulates {
              let box = firstSource + source
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
