import BlockKernels

/// What the adjoint pass begins with.
enum SeedKind {
  /// Nothing: residuals only.
  case none
  /// The derivative of each residual: rows of the Jacobian.
  case unit
  /// The derivative times the residual: half of the gradient of the sum of squares.
  case residual
}

/// The residuals of an equation, or of its conditions, on one shard of points.
final class ShardResiduals {
  typealias Vectors = AlignedBuffer<Double>

  let pass: JetPass
  private let equation: any Equation
  /// Whether the network is part of u = g + D N, or u itself.
  private let isHard: Bool
  private let weights: SIMD3<Double>
  private let middle: SIMD3<Double>

  /// Makes memory for shards.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - equation: The equation.
  ///   - samples: The points of a shard.
  ///   - isHard: Whether the conditions are held by the form of the solution.
  ///   - onBoundary: Whether residuals are those of conditions; derivatives are not needed then.
  init(
    _ network: JetNetwork, _ equation: any Equation, samples: Int, isHard: Bool,
    onBoundary: Bool = false
  ) {
    pass = JetPass(
      network,
      JetShape(
        secondWeights: equation.secondWeights, samples: samples, hasDerivatives: !onBoundary))
    (self.equation, self.isHard) = (equation, isHard)
    weights = equation.paddedWeights
    middle = equation.point(SIMD3(repeating: 0.5))
  }

  /// Computes the residuals of a shard, times a factor, and the seed of its adjoint pass.
  ///
  /// - Parameters:
  ///   - points: All points.
  ///   - first: The first point of the shard; places beyond the last point have residuals of zero.
  ///   - factor: The square root of the weight of a point.
  ///   - residuals: Get the residuals.
  ///   - place: Where.
  ///   - seeds: What the adjoint pass begins with.
  func evaluate(
    _ points: [SIMD3<Double>], from first: Int, factor: Double, into residuals: Vectors,
    at place: Int, seeds: SeedKind
  ) {
    load { first + $0 < points.count ? points[first + $0] : middle }
    pass.forward()
    for sample in 0..<pass.shape.samples {
      let isPoint = first + sample < points.count
      let x = isPoint ? points[first + sample] : middle
      let (value, derivative) = residual(sample, x)
      let scale = isPoint ? factor : 0
      residuals[place + sample] = scale * value
      switch seeds {
      case .none: break
      case .unit: writeSeed(scale * derivative, sample)
      case .residual: writeSeed((scale * scale * value) * derivative, sample)
      }
    }
    if seeds != .none { pass.backward() }
  }

  /// Returns the residual of a sample after the forward pass, and its derivatives with respect to the network's jet.
  private func residual(_ sample: Int, _ x: SIMD3<Double>) -> (Double, Jet) {
    let network = jet(sample)
    let (offset, factor) = equation.condition(at: x)
    guard pass.shape.hasDerivatives else { return (network.value - offset.value, Jet(1)) }
    guard isHard else { return equation.residual(network, at: x) }
    let u = offset + factor.times(network, weights: weights)
    let (value, derivative) = equation.residual(u, at: x)
    return (value, factor.adjointOfTimes(derivative, weights: weights))
  }

  /// Computes the solution on a shard.
  ///
  /// - Parameter point: The point of each sample.
  /// - Returns: u of each sample.
  func solution(_ point: (Int) -> SIMD3<Double>) -> [Double] {
    load(point)
    pass.forward()
    return (0..<pass.shape.samples).map { sample in
      guard isHard else { return pass.output[sample] }
      let (offset, factor) = equation.condition(at: point(sample))
      return offset.value + factor.value * pass.output[sample]
    }
  }

  /// Writes what the first layer reads.
  private func load(_ point: (Int) -> SIMD3<Double>) {
    let shape = pass.shape
    let input = pass.input
    input.fill(0)
    for (axis, interval) in equation.domain.enumerated() {
      let scale = 2 / (interval.upperBound - interval.lowerBound)
      let start = axis * shape.width
      for sample in 0..<shape.samples {
        input[start + sample] = scale * (point(sample)[axis] - interval.lowerBound) - 1
        if shape.hasDerivatives {
          input[start + (axis + 1) * shape.samples + sample] = scale
        }
      }
    }
  }

  private func jet(_ sample: Int) -> Jet {
    let (n, d) = (pass.shape.samples, pass.shape.dimension)
    guard pass.shape.hasDerivatives else { return Jet(pass.output[sample]) }
    var result = Jet(pass.output[sample], second: pass.output[(d + 1) * n + sample])
    for axis in 0..<d { result.slopes[axis] = pass.output[(axis + 1) * n + sample] }
    return result
  }

  private func writeSeed(_ seed: Jet, _ sample: Int) {
    let (n, d) = (pass.shape.samples, pass.shape.dimension)
    let target = pass.seed
    target[sample] = seed.value
    guard pass.shape.hasDerivatives else { return }
    for axis in 0..<d { target[(axis + 1) * n + sample] = seed.slopes[axis] }
    target[(d + 1) * n + sample] = seed.second
  }
}
