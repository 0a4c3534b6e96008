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
        if placement.rankRows.count == 1 {
          store(node.group, scratch.span, at: node.start, into: &parameterGradient)
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

  /// Sums the gradients of the rows of a node in its place, with the rest of the stack behind the sums.
  private func sum(
    _ node: RowSums.Node, _ sums: RowSums, _ source: Span<Scalar>, _ gradient: Span<Scalar>,
    _ factor: Span<Scalar>, _ scratch: inout MutableSpan<Scalar>
  ) {
    let size = sums.sizes[node.group]
    let stack = SumStack(first: node.start, others: sums.counts[placement.rank], size: size)
    let weightCount = size - layer.groupOutputs[node.group]
    for (row, step) in zip(node.rows, node.steps) {
      let index = row - placement.rows.lowerBound
      let leaf = stack.start(of: step.place)
      if !coversGroup[index] { Elementwise.clear(&scratch, in: leaf..<leaf + size) }
      for place in weights.starts[index]..<weights.starts[index + 1] {
        let product = weights.products[place]
        kernels[Int(product.kernel)](
          source, at: product.a, factor, at: product.b, into: &scratch, at: leaf + product.c)
      }
      Elementwise.sumOverSamples(
        gradient, at: rowGradients[index], channels: layer.target.channels(of: row),
        samples: samples, into: &scratch, at: leaf + weightCount, accumulates: false)
      stack.merge(step, &scratch)
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

/// The stack on which sums are formed: its lowest place, where the sum ends, and the others behind each other.
private struct SumStack {
  let first: Int
  let others: Int
  let size: Int

  /// Returns where a term begins in the scratch.
  func start(of place: Int) -> Int { place == 0 ? first : others + (place - 1) * size }

  /// Adds the topmost terms to those below them.
  @inline(__always)
  func merge<Scalar: KernelScalar>(
    _ step: SummationTree.Step, _ scratch: inout MutableSpan<Scalar>
  ) {
    for merge in 0..<step.merges {
      let below = start(of: step.place - merge - 1)
      Elementwise.add(
        within: &scratch, from: start(of: step.place - merge), to: below..<below + size)
    }
  }
}
