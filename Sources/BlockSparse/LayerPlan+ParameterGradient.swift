import BlockKernels

extension LayerPlan {
  /// Computes the gradient with respect to weights and biases: dyᵀ x and Σ dy, row by row.
  ///
  /// If rows on other ranks share the weights, only the first ``sumCounts`` elements of the scratch are
  /// computed, the sums of this rank's rows; see ``finishParameterGradient(sums:at:scratch:into:)``.
  ///
  /// - Parameters:
  ///   - sourceTransposed: x with the channels of a sample contiguous, `[sample][box][channel]`.
  ///   - gradient: What ``gradientBeforeActivation(target:gradient:entries:)`` left.
  ///   - entries: The scratch that it left.
  ///   - scratch: ``gradientScratchCount`` elements, replaced.
  ///   - parameterGradient: The gradient with respect to the rank's parameters, of which those of
  ///     this layer are replaced.
  /// - Complexity: no allocation.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func parameterGradient(
    sourceTransposed: Span<Scalar>, gradient: Span<Scalar>, entries: Span<Scalar>,
    scratch: inout MutableSpan<Scalar>, into parameterGradient: inout MutableSpan<Scalar>
  ) {
    let factor = entryStarts.isEmpty ? gradient : entries
    if let rowSums {
      for node in rowSums.nodes {
        sum(node, rowSums, sourceTransposed, gradient, factor, &scratch)
        let start = rowSums.counts[placement.rank]
        if placement.rankRows.count == 1 {
          store(node.group, scratch.span, at: start, into: &parameterGradient)
        } else {
          Elementwise.copy(
            within: &scratch, from: start, to: node.start..<node.start + rowSums.sizes[node.group])
        }
      }
      if placement.rankRows.count == 1 { clearUnused(rowSums, &parameterGradient) }
      return
    }
    for product in weights.products {
      kernels[Int(product.kernel)](
        sourceTransposed, at: product.a, factor, at: product.b, into: &parameterGradient,
        at: product.c)
    }
    for (index, row) in placement.rows.enumerated() {
      Elementwise.sumOverSamples(
        gradient, at: rowGradients[index],
        channels: layer.target.channels(of: row), samples: samples, into: &parameterGradient,
        at: biasStart + layer.biasStarts[row], accumulates: false)
    }
  }

  /// Sums the gradients of the rows of a node, on the stack in the scratch behind the sums.
  private func sum(
    _ node: RowSums.Node, _ sums: RowSums, _ source: Span<Scalar>, _ gradient: Span<Scalar>,
    _ factor: Span<Scalar>, _ scratch: inout MutableSpan<Scalar>
  ) {
    let (size, stack) = (sums.sizes[node.group], sums.counts[placement.rank])
    let weightCount = size - layer.groupOutputs[node.group]
    for (row, step) in zip(node.rows, node.steps) {
      let index = row - placement.rows.lowerBound
      let leaf = stack + step.place * size
      if !coversGroup[index] { Elementwise.clear(&scratch, in: leaf..<leaf + size) }
      for place in weights.starts[index]..<weights.starts[index + 1] {
        let product = weights.products[place]
        kernels[Int(product.kernel)](
          source, at: product.a, factor, at: product.b, into: &scratch, at: leaf + product.c)
      }
      Elementwise.sumOverSamples(
        gradient, at: rowGradients[index], channels: layer.target.channels(of: row),
        samples: samples, into: &scratch, at: leaf + weightCount, accumulates: false)
      Self.merge(step, size: size, stack: stack, &scratch)
    }
  }

  /// Adds the topmost terms of a stack to those below them.
  private static func merge(
    _ step: SummationTree.Step, size: Int, stack: Int, _ scratch: inout MutableSpan<Scalar>
  ) {
    for merge in 0..<step.merges {
      let top = stack + (step.place - merge) * size
      Elementwise.add(within: &scratch, from: top, to: top - size..<top)
    }
  }

  /// Writes the sum of a group to its places among the parameters.
  private func store(
    _ group: Int, _ sums: Span<Scalar>, at start: Int, into gradient: inout MutableSpan<Scalar>
  ) {
    let weights =
      weightStart + layer.weightStarts[group]..<weightStart + layer.weightStarts[group + 1]
    let biases = biasStart + layer.biasStarts[group]..<biasStart + layer.biasStarts[group + 1]
    Elementwise.copy(sums, at: start, to: &gradient, in: weights)
    Elementwise.copy(sums, at: start + weights.count, to: &gradient, in: biases)
  }

  /// Clears the gradients of groups that no row uses.
  private func clearUnused(_ sums: RowSums, _ gradient: inout MutableSpan<Scalar>) {
    for group in sums.sizes.indices where sums.contributions[group].isEmpty {
      Elementwise.clear(
        &gradient,
        in: weightStart + layer.weightStarts[group]..<weightStart + layer.weightStarts[group + 1])
      Elementwise.clear(
        &gradient,
        in: biasStart + layer.biasStarts[group]..<biasStart + layer.biasStarts[group + 1])
    }
  }

  /// Adds up the sums of all ranks to the gradient of weights that their rows share.
  ///
  /// - Parameters:
  ///   - sums: The sums that the ranks contributed.
  ///   - starts: For each rank: where its ``sumCounts`` elements begin.
  ///   - scratch: ``gradientScratchCount`` elements, replaced.
  ///   - parameterGradient: The gradient with respect to the rank's parameters, of which those of
  ///     this layer are replaced.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func finishParameterGradient(
    sums: Span<Scalar>, at starts: [Int], scratch: inout MutableSpan<Scalar>,
    into parameterGradient: inout MutableSpan<Scalar>
  ) {
    guard let rowSums else { return }
    let stack = rowSums.counts[placement.rank]
    for group in rowSums.sizes.indices {
      let size = rowSums.sizes[group]
      for term in rowSums.contributions[group] {
        let place = stack + term.step.place * size
        Elementwise.copy(
          sums, at: starts[term.rank] + term.start, to: &scratch, in: place..<place + size)
        Self.merge(term.step, size: size, stack: stack, &scratch)
      }
      if !rowSums.contributions[group].isEmpty {
        store(group, scratch.span, at: stack, into: &parameterGradient)
      }
    }
    clearUnused(rowSums, &parameterGradient)
  }
}
