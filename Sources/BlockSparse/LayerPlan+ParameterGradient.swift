import BlockKernels

/// The storage of one pass over the rows for the gradient of their weights, y xᵀ.
@safe
private struct GradientPass<Scalar: KernelScalar> {
  /// x.
  let source: UnsafePointer<Scalar>
  let transposed: UnsafeMutablePointer<Scalar>
  /// y, if the gradient is still to be taken through f.
  let target: UnsafePointer<Scalar>?
  /// The gradient with respect to y, by the places of the rows' gradients.
  let given: UnsafePointer<Scalar>
  let gradient: UnsafeMutablePointer<Scalar>
  /// y.
  let factor: UnsafePointer<Scalar>
  /// The panel that stands transposed.
  var panel = Int32(-1)
}

/// The lists of a plan that the pass runs over; they outlive it.
private struct GradientLists<Scalar: KernelScalar>: ~Escapable {
  let products: Span<PlannedProduct>
  let starts: Span<Int>
  let rows: Span<PlannedRow>
  let kernels: Span<MatrixProduct<Scalar>>
  let panels: Span<SourcePanel>
  let rowPanels: Span<Int32>

  @_lifetime(copy products, copy starts, copy rows, copy kernels, copy panels, copy rowPanels)
  init(
    _ products: Span<PlannedProduct>, _ starts: Span<Int>, _ rows: Span<PlannedRow>,
    _ kernels: Span<MatrixProduct<Scalar>>, _ panels: Span<SourcePanel>, _ rowPanels: Span<Int32>
  ) {
    self.products = products
    self.starts = starts
    self.rows = rows
    self.kernels = kernels
    self.panels = panels
    self.rowPanels = rowPanels
  }
}

extension LayerPlan {
  /// Computes the gradient with respect to weights and biases: dyᵀ x and Σ dy, row by row of the weights.
  ///
  /// For a transposed layer it is xᵀ dy, where dy is needed for all targets that the rank's sources reach.
  ///
  /// If rows on other ranks share the weights, only the first ``sumCounts`` elements of the scratch are
  /// computed, the sums of this rank's rows; see ``finishParameterGradient(sums:at:scratch:into:)``.
  ///
  /// - Parameters:
  ///   - source: x, `[box][channel][sample]`.
  ///   - transposed: Scratch of ``transposedCount`` elements.
  ///   - target: y, if the gradient has first to be taken through f, while a row is in the cache; nil if
  ///     ``gradientBeforeActivation(target:gradient:entries:)`` did that.
  ///   - sum: With `target`: the gradient with respect to y + a, if it stands elsewhere.
  ///   - sumStart: Where in it the gradient of the first of this rank's rows begins; the others follow.
  ///   - gradient: The gradient with respect to the sum under f, replaced if there is a `target`.
  ///   - entries: The scratch that ``gradientBeforeActivation(target:gradient:entries:)`` left.
  ///   - scratch: ``gradientScratchCount`` elements, replaced.
  ///   - parameterGradient: The gradient with respect to the rank's parameters, of which those of
  ///     this layer are replaced, or added to as planned.
  /// - Precondition: There is no `target` for a transposed layer, or one with a function of each block.
  /// - Complexity: no allocation.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func parameterGradient(
    source: Span<Scalar>, transposed: inout MutableSpan<Scalar>, activating target: Span<Scalar>?,
    from sum: Span<Scalar>? = nil, at sumStart: Int = 0, gradient: inout MutableSpan<Scalar>,
    entries: Span<Scalar>, scratch: inout MutableSpan<Scalar>,
    into parameterGradient: inout MutableSpan<Scalar>
  ) {
    let (hasBlocks, rowSums) = (product.hasBlocks, product.rowSums)
    let shift = sumStart - (rows.first?.gradients ?? 0)
    check(
      product.weights, transposed.count,
      hasBlocks ? entries.count : isTransposed ? source.count : gradient.count,
      rowSums.map { $0.sizes.max() ?? 0 } ?? parameterGradient.count)
    precondition(
      (isTransposed ? gradient.count : source.count)
        >= product.buffers.gradient.x.channelCount * samples
        && transposed.count >= transposedCount && gradient.count >= ends.gradients
        && parameterGradient.count >= ends.biases && scratch.count >= gradientScratchCount)
    if let target {
      precondition(!hasBlocks && !isTransposed && target.count >= ends.values)
    }
    if let sum { precondition(sum.count >= ends.gradients + shift) }
    let (list, rows, kernels) = (product.weights, rows, product.kernels)
    let (panels, rowPanels) = (product.panels, product.rowPanels)
    let lists = GradientLists(
      list.products.span, list.starts.span, rows.span, kernels.span, panels.span, rowPanels.span)
    unsafe source.withUnsafeBufferPointer { x in
      unsafe transposed.withUnsafeMutableBufferPointer { t in
        unsafe gradient.withUnsafeMutableBufferPointer { dy in
          unsafe entries.withUnsafeBufferPointer { blocks in
            guard let x = x.baseAddress, let t = t.baseAddress, let dy = dy.baseAddress else {
              return
            }
            // The pointers of the optional spans leave their closures: the spans are arguments, which outlive the pass.
            let y = unsafe target?.withUnsafeBufferPointer { $0.baseAddress }
            let given = unsafe sum?.withUnsafeBufferPointer {
              unsafe $0.baseAddress.map { unsafe $0 + shift }
            }
            var pass = unsafe GradientPass(
              source: isTransposed ? UnsafePointer(dy) : x, transposed: t, target: y,
              given: given ?? UnsafePointer(dy), gradient: dy,
              factor: isTransposed
                ? x : hasBlocks ? blocks.baseAddress ?? UnsafePointer(dy) : UnsafePointer(dy))
            if let rowSums {
              unsafe scratch.withUnsafeMutableBufferPointer { scratch in
                guard let scratch = scratch.baseAddress else { return }
                for node in rowSums.nodes { unsafe add(node, rowSums, &pass, lists, scratch) }
              }
            } else {
              unsafe parameterGradient.withUnsafeMutableBufferPointer { result in
                guard let result = result.baseAddress else { return }
                for index in placement.rows.indices {
                  let index = index - placement.rows.lowerBound
                  unsafe row(
                    index, &pass, lists, weights: result,
                    biases: layer.hasBias ? result + lists.rows[unchecked: index].bias : nil,
                    accumulatesBiases)
                }
              }
            }
          }
        }
      }
    }
    guard let rowSums, placement.rankRows.count == 1 else { return }
    for node in rowSums.nodes {
      store(node.group, scratch.span, at: node.start, into: &parameterGradient)
    }
    clearUnused(rowSums, &parameterGradient)
  }

  /// Computes the gradient of one row of the weights, whose extents were checked.
  @inline(__always)
  private func row(
    _ index: Int, _ pass: inout GradientPass<Scalar>, _ lists: borrowing GradientLists<Scalar>,
    weights result: UnsafeMutablePointer<Scalar>, biases: UnsafeMutablePointer<Scalar>?,
    _ addsBiases: Bool
  ) {
    // The lists have an element for each row, panel and product of the plan.
    let number = unsafe lists.rowPanels[unchecked: index]
    if number != pass.panel {
      pass.panel = number
      let panel = unsafe lists.panels[unchecked: Int(number)]
      // The panel lies inside of the source, and the scratch has room for each panel.
      unsafe Scalar.transpose(
        pass.source + panel.start * samples, rows: samples, columns: panel.channels,
        into: pass.transposed, stride: product.transposedStride)
    }
    if let target = unsafe pass.target {
      let row = unsafe lists.rows[unchecked: index]
      unsafe RowKernels.multiplyByDerivative(
        pass.given + row.gradients, at: target + row.values, into: pass.gradient + row.gradients,
        count: row.channels &* samples, of: layer.activation)
    }
    let (first, end) = unsafe (
      lists.starts[unchecked: index], lists.starts[unchecked: index &+ 1]
    )
    for number in first..<end {
      let product = unsafe lists.products[unchecked: number]
      unsafe lists.kernels[unchecked: Int(product.kernel)](
        UnsafePointer(pass.transposed) + product.a, pass.factor + product.b,
        into: result + product.c)
    }
    guard let biases = unsafe biases else { return }
    // A layer with biases is not transposed: its rows are those of the weights.
    let row = unsafe lists.rows[unchecked: index]
    unsafe RowKernels.sumOverSamples(
      UnsafePointer(pass.gradient) + row.gradients, channels: row.channels, samples: samples,
      into: biases, accumulates: addsBiases)
  }

  /// Sums the gradients of the rows of a node into the node's place in the stack; higher places are scratch.
  ///
  /// All extents were checked.
  @inline(__always)
  private func add(
    _ node: RowSums.Node, _ sums: RowSums, _ pass: inout GradientPass<Scalar>,
    _ lists: borrowing GradientLists<Scalar>, _ scratch: UnsafeMutablePointer<Scalar>
  ) {
    let size = sums.sizes[node.group]
    let stack = SumStack(first: node.start, others: sums.counts[placement.rank], size: size)
    let weightCount = size - (layer.hasBias ? layer.groupOutputs[node.group] : 0)
    for place in 0..<node.rows.count {
      let (index, step) = (node.rows[place] - placement.rows.lowerBound, node.steps[place])
      let leaf = unsafe scratch + stack.start(of: step.place)
      if !product.coversGroup[index] { unsafe RowKernels.clear(leaf, count: size) }
      unsafe row(
        index, &pass, lists, weights: leaf, biases: layer.hasBias ? leaf + weightCount : nil, false)
      for merge in 0..<step.merges {
        let below = unsafe scratch + stack.start(of: step.place - merge - 1)
        let above = unsafe scratch + stack.start(of: step.place - merge)
        unsafe RowKernels.add(above, to: below, count: size)
      }
    }
  }

  /// The places of a group's weights and biases among the parameters.
  private func places(of group: Int) -> (weights: Range<Int>, biases: Range<Int>) {
    let (shape, weightStart, biasStart) = (product.shape, product.weightStart, product.biasStart)
    let weights =
      weightStart + shape.weightStarts[group]..<weightStart
      + shape.weightStarts[group + 1]
    guard layer.hasBias else { return (weights, 0..<0) }
    return (
      weights, biasStart + shape.biasStarts[group]..<biasStart + shape.biasStarts[group + 1]
    )
  }

  /// Writes the sum of a group to its places among the parameters, or adds it to what stands there.
  private func store(
    _ group: Int, _ sums: Span<Scalar>, at start: Int, into gradient: inout MutableSpan<Scalar>
  ) {
    let (weights, biases) = places(of: group)
    func put(_ range: Range<Int>, from start: Int, accumulates: Bool) {
      if accumulates {
        Elementwise.add(sums, at: start, to: &gradient, in: range)
      } else {
        Elementwise.copy(sums, at: start, to: &gradient, in: range)
      }
    }
    put(weights, from: start, accumulates: product.accumulatesWeights)
    put(biases, from: start + weights.count, accumulates: accumulatesBiases)
  }

  /// Clears the gradients of groups that no row uses, unless they are added to.
  private func clearUnused(_ sums: RowSums, _ gradient: inout MutableSpan<Scalar>) {
    for group in sums.sizes.indices where sums.contributions[group].isEmpty {
      let (weights, biases) = places(of: group)
      if !product.accumulatesWeights { Elementwise.clear(&gradient, in: weights) }
      if !accumulatesBiases { Elementwise.clear(&gradient, in: biases) }
    }
  }

  /// Adds up the sums of all ranks to the gradient of weights that their rows share.
  ///
  /// - Parameters:
  ///   - sums: The sums that the ranks contributed.
  ///   - starts: For each rank: where its ``sumCounts`` elements begin.
  ///   - scratch: ``gradientScratchCount`` elements, replaced.
  ///   - parameterGradient: The gradient with respect to the rank's parameters, of which those of
  ///     this layer are replaced, or added to as planned.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func finishParameterGradient(
    sums: Span<Scalar>, at starts: [Int], scratch: inout MutableSpan<Scalar>,
    into parameterGradient: inout MutableSpan<Scalar>
  ) {
    guard let rowSums = product.rowSums else { return }
    let first = rowSums.counts[placement.rank]
    for group in rowSums.sizes.indices {
      let size = rowSums.sizes[group]
      let stack = SumStack(first: first, others: first + size, size: size)
      for term in rowSums.contributions[group] {
        let place = stack.start(of: term.step.place)
        Elementwise.copy(
          sums, at: starts[term.rank] + term.start, to: &scratch, in: place..<place + size)
        stack.merge(term.step, &scratch)
      }
      if !rowSums.contributions[group].isEmpty {
        store(group, scratch.span, at: first, into: &parameterGradient)
      }
    }
    clearUnused(rowSums, &parameterGradient)
  }
}
