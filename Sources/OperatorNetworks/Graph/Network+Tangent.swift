import BlockKernels
import BlockSparse

extension Network {
  /// Returns the network of the derivative of the output with respect to the parameters, in one direction.
  ///
  /// Its parameters are those of this network, θ, and behind them as many for the direction δ: the slices of δ have
  /// `.tangent` behind their names. Its input is that of this network, its output d/dε y(θ + ε δ) at ε = 0. A layer
  /// v = W u + b + a has the tangent v′ = W u′ + W′ u + b′ + a′. So derivatives in a direction are computed, spread over
  /// ranks and reproduced as any network is.
  ///
  /// - Returns: The network.
  /// - Precondition: No layer has a function.
  public func tangent() -> Network {
    precondition(
      layers.allSatisfy {
        $0.layer.activation == .identity && $0.layer.blockActivation == .identity
      },
      "a network with functions has another derivative")
    var builder = NetworkBuilder(input: values[0].layout, sharing: self)
    builder.addCopiesOfSlices(suffix: ".tangent")
    // The values that tangents read: sources, and addends of those.
    var isNeeded = [Bool](repeating: false, count: values.count)
    for item in layers.reversed() {
      isNeeded[item.source] = true
      if isNeeded[item.target], let addend = item.addend { isNeeded[addend] = true }
    }
    var (plain, tangents) = (
      [Int?](repeating: nil, count: values.count), [Int?](repeating: nil, count: values.count)
    )
    plain[0] = 0
    for item in layers {
      guard let source = plain[item.source] else {
        preconditionFailure("a value is read before it is written")
      }
      let (name, form, places) = (item.layer.name, item.weights.form, values[item.target].places)
      if isNeeded[item.target] {
        plain[item.target] = builder.add(
          name, using: item.weights, from: source, adding: item.addend.flatMap { plain[$0] },
          places: places, hasBias: item.layer.hasBias)
      }
      var sum = builder.add(
        "\(name).direction", using: SliceUse(item.weights.slice + slices.count, form), from: source,
        adding: item.addend.flatMap { tangents[$0] }, places: places, hasBias: item.layer.hasBias)
      if let source = tangents[item.source] {
        sum = builder.add(
          "\(name).tangent", using: item.weights, from: source, adding: sum, places: places)
      }
      tangents[item.target] = sum
    }
    return builder.finish(
      output: tangents[output] ?? 0, inputOrder: inputOrder, outputOrder: outputOrder)
  }
}
