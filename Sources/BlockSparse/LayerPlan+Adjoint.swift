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
      for (index, row) in placement.rows.enumerated() {
        let start = rowGradients[index]
        layer.activation.multiplyByDerivative(
          target, at: rowValues[index], &gradient,
          in: start..<start + layer.target.channels(of: row) * samples)
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
    for (index, row) in placement.rows.enumerated() {
      let start = rowGradients[index]
      layer.activation.multiplyByDerivative(
        target, at: rowValues[index], of: sum, at: sumStart + start - rowGradients[0], &gradient,
        in: start..<start + layer.target.channels(of: row) * samples)
    }
    entryGradients(gradient.span, &entries)
  }

  /// Replaces the values of this rank's blocks by the gradients with respect to W_c x_j.
  @inline(__always)
  private func entryGradients(_ gradient: Span<Scalar>, _ entries: inout MutableSpan<Scalar>) {
    guard !entryStarts.isEmpty else { return }
    for (index, row) in placement.rows.enumerated() {
      let count = layer.target.channels(of: row) * samples
      let start = rowGradients[index]
      for entry in layer.pattern.entries(of: row) {
        let entryStart = entryStarts[entry - layer.pattern.rowStarts[placement.rows.lowerBound]]
        let range = entryStart..<entryStart + count
        layer.blockActivation.replaceByGradient(
          &entries, in: range, gradient, at: start)
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
    for place in part.range(of: sourceOrder.count, interior: interiorSources) {
      let source = Int(sourceOrder[place])
      let products = inputs.starts[source]..<inputs.starts[source + 1]
      for index in products {
        let product = inputs.products[index]
        kernels[Int(product.kernel)](
          factor, at: product.a, packed, at: product.b, into: &sourceGradient, at: product.c)
      }
      if products.isEmpty && !accumulatesInput {
        let box = placement.sources.lowerBound + source
        let start = placement.sourceGradients.start(of: box) * samples
        let count = layer.source.channels(of: box) * samples
        Elementwise.clear(&sourceGradient, in: start..<start + count)
      }
    }
  }

  /// Transposes x for the parameter gradient.
  ///
  /// - Parameters:
  ///   - source: x, `[box][channel][sample]`.
  ///   - transposed: xᵀ, `[sample][box][channel]`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func transposeSource(_ source: Span<Scalar>, into transposed: inout MutableSpan<Scalar>) {
    Elementwise.transpose(
      source, at: 0, channels: placement.sourceValues.channelCount, samples: samples,
      into: &transposed)
  }
}
