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
    guard !entryStarts.isEmpty else { return }
    for (index, row) in placement.rows.enumerated() {
      let count = layer.target.channels(of: row) * samples
      let start = rowGradients[index]
      for entry in layer.pattern.entries(of: row) {
        let range = entryStarts[entry]..<entryStarts[entry] + count
        layer.blockActivation.replaceByGradient(
          &entries, in: range, gradient.span, at: start)
      }
    }
  }

  /// Computes the gradient with respect to the input: Wᵀ dy, source by source.
  ///
  /// - Parameters:
  ///   - packed: The packed weights.
  ///   - gradient: What ``gradientBeforeActivation(target:gradient:entries:)`` left.
  ///   - entries: The scratch that it left.
  ///   - sourceGradient: The gradient with respect to x: replaced, or added to as planned.
  /// - Complexity: no allocation.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func inputGradient(
    packed: Span<Scalar>, gradient: Span<Scalar>, entries: Span<Scalar>,
    sourceGradient: inout MutableSpan<Scalar>
  ) {
    let factor = entryStarts.isEmpty ? gradient : entries
    for source in 0..<inputs.groupCount {
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

  /// Computes the gradient with respect to weights and biases: dyᵀ x and Σ dy, row by row.
  ///
  /// - Parameters:
  ///   - sourceTransposed: x with the channels of a sample contiguous, `[sample][box][channel]`.
  ///   - gradient: What ``gradientBeforeActivation(target:gradient:entries:)`` left.
  ///   - entries: The scratch that it left.
  ///   - parameterGradient: The gradient with respect to the network's parameters, of which those of
  ///     this layer are replaced.
  /// - Complexity: no allocation.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func parameterGradient(
    sourceTransposed: Span<Scalar>, gradient: Span<Scalar>, entries: Span<Scalar>,
    into parameterGradient: inout MutableSpan<Scalar>
  ) {
    let factor = entryStarts.isEmpty ? gradient : entries
    if layer.isShared {
      let weights = layer.weights(of: placement.rows)
      Elementwise.clear(
        &parameterGradient,
        in: weightStart + weights.lowerBound..<weightStart + weights.upperBound)
    }
    for product in weights.products {
      kernels[Int(product.kernel)](
        sourceTransposed, at: product.a, factor, at: product.b, into: &parameterGradient,
        at: product.c)
    }
    let biases = layer.biases(of: placement.rows)
    Elementwise.clear(
      &parameterGradient, in: biasStart + biases.lowerBound..<biasStart + biases.upperBound)
    for (index, row) in placement.rows.enumerated() {
      Elementwise.sumOverSamples(
        gradient, at: rowGradients[index],
        channels: layer.target.channels(of: row), samples: samples, into: &parameterGradient,
        at: biasStart + layer.biasStarts[Int(layer.pattern.groups[row])], accumulates: true)
    }
  }
}
