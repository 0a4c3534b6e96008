import BlockKernels

extension LayerPlan {
  /// Computes y = f(W x + b + a), or f(Wᵀ x + a), box by box.
  ///
  /// The products of a row are added in the order of the pattern; bias, addend and function come while the row is
  /// in the cache.
  ///
  /// - Parameters:
  ///   - part: Which boxes.
  ///   - parameters: The parameters that the rank holds.
  ///   - packed: The packed weights, which a transposed layer needs.
  ///   - source: x, `[box][channel][sample]`.
  ///   - addend: a, in the layout of y, or nil.
  ///   - entries: Scratch of ``entryScratchCount`` elements, kept for the backward pass.
  ///   - target: y, replaced.
  /// - Complexity: ``forwardFlops``, no allocation.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func forward(
    _ part: LayerPart = .all, parameters: Span<Scalar>, packed: Span<Scalar>? = nil,
    source: Span<Scalar>, adding addend: Span<Scalar>? = nil,
    entries: inout MutableSpan<Scalar>, target: inout MutableSpan<Scalar>
  ) {
    precondition(parameters.count >= ends.biases)
    guard isTransposed else {
      return run(part, parameters, source, addend, &entries, &target)
    }
    guard let packed else { preconditionFailure("\(layer.name) needs packed weights") }
    run(part, packed, source, addend, &entries, &target)
  }

  /// Computes boxes with weights that are those among the parameters or packed ones.
  @inline(__always)
  private func run(
    _ part: LayerPart, _ weights: Span<Scalar>, _ source: Span<Scalar>, _ addend: Span<Scalar>?,
    _ entries: inout MutableSpan<Scalar>, _ target: inout MutableSpan<Scalar>
  ) {
    let forward = forward
    check(
      forward.list, source.count, weights.count,
      product.hasBlocks ? entries.count : target.count)
    precondition(target.count >= ends.values)
    unsafe source.withUnsafeBufferPointer { x in
      unsafe weights.withUnsafeBufferPointer { w in
        unsafe entries.withUnsafeMutableBufferPointer { blocks in
          unsafe target.withUnsafeMutableBufferPointer { y in
            guard let x = x.baseAddress, let y = y.baseAddress else { return }
            // Without parameters there are no products that would read them.
            let w = unsafe w.baseAddress ?? UnsafePointer(y)
            guard let addend else {
              return unsafe run(forward, part, x, w, nil, blocks.baseAddress ?? y, y)
            }
            precondition(
              addend.count >= ends.addends,
              "\(layer.name): an addend of \(addend.count) elements")
            unsafe addend.withUnsafeBufferPointer { a in
              unsafe run(forward, part, x, w, a.baseAddress, blocks.baseAddress ?? y, y)
            }
          }
        }
      }
    }
  }

  /// Computes boxes whose extents were checked.
  @inline(__always)
  private func run(
    _ forward: ProductPass, _ part: LayerPart, _ x: UnsafePointer<Scalar>,
    _ w: UnsafePointer<Scalar>, _ addend: UnsafePointer<Scalar>?,
    _ blocks: UnsafeMutablePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>
  ) {
    let (list, order, rows, kernels) = (forward.list, forward.order, rows, product.kernels)
    let (products, starts) = (list.products.span, list.starts.span)
    let (orderSpan, rowSpan, kernelSpan) = (order.span, rows.span, kernels.span)
    let (activation, blockActivation, samples) = (
      layer.activation, layer.blockActivation, samples
    )
    let (hasBlocks, hasBias) = (product.hasBlocks, layer.hasBias)
    for place in part.range(of: order.count, interior: forward.interior) {
      // The lists belong to this plan, and all products and rows lie inside of the storage.
      let index = unsafe Int(orderSpan[unchecked: place])
      let row = unsafe rowSpan[unchecked: index]
      let count = row.channels &* samples
      let values = unsafe y + row.values
      let (first, end) = unsafe (starts[unchecked: index], starts[unchecked: index &+ 1])
      if hasBlocks || first == end { unsafe RowKernels.clear(values, count: count) }
      for number in first..<end {
        let product = unsafe products[unchecked: number]
        if hasBlocks {
          // h of each block's product: the values are kept, the backward pass needs h' of them.
          let block = unsafe blocks + product.c
          unsafe kernelSpan[unchecked: Int(product.kernel)](
            x + product.a, w + product.b, into: block)
          unsafe blockActivation.apply(block, count: count)
          unsafe RowKernels.add(block, to: values, count: count)
        } else {
          unsafe kernelSpan[unchecked: Int(product.kernel)](
            x + product.a, w + product.b, into: y + product.c)
        }
      }
      unsafe RowKernels.finish(
        values, bias: hasBias ? w + row.bias : nil, addend: addend.map { unsafe $0 + row.addend },
        channels: row.channels, samples: samples, activation: activation)
    }
  }

  /// Checks that the matrices of all products lie inside of their storage.
  @inline(__always)
  func check(_ list: ProductList, _ a: Int, _ b: Int, _ c: Int) {
    precondition(
      list.reach.a <= a && list.reach.b <= b && list.reach.c <= c,
      "\(layer.name): products reach \(list.reach) of \(a), \(b) and \(c) elements")
  }
}
