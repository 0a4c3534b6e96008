import BlockKernels
import BlockSparse
import Testing

/// Layers that use the weights of another layer transposed: the adjoint direction of one product.
@Suite("Transposed layers") struct TransposedLayerTests {
  /// Wᵀ x + a under f, its adjoint, and the gradient of W, against dense products.
  private func check<Scalar: KernelScalar>(
    _: Scalar.Type, _ shape: BlockSparseLayer, _ samples: Int
  ) {
    let oracle = LayerOracle(shape, samples: samples)
    let parameters = numbers(oracle.parameterCount, seed: 1)
    let x = numbers(oracle.targetCount * samples, seed: 2)
    let g = numbers(oracle.sourceCount * samples, seed: 3)
    let run = LayerRun<Scalar>(transposing: shape, samples: samples)
    run.setParameters(parameters)
    // As in `LayerPlanTests`.
    let limit = Double(oracle.longestSum) * Double(Scalar.ulpOfOne)
    let product = oracle.inputGradient(parameters, x)
    #expect(distance(run.forward(x), product) <= limit)
    let addend = numbers(oracle.sourceCount * samples, seed: 4)
    let sum = zip(product, addend).map { $0 + $1 }
    #expect(distance(run.forward(x, adding: addend), sum) <= limit)
    run.backward(g)
    // W g without biases.
    var linear = parameters
    for place in oracle.biases where place >= 0 { linear[place] = 0 }
    #expect(distance(run.sourceGradient.array(), oracle.forward(linear, g)) <= limit)
    let weights = oracle.parameterGradient(g, x).prefix(oracle.weightCount)
    let found = run.ownGradient
    #expect(distance(Array(found.prefix(oracle.weightCount)), Array(weights)) <= limit)
    // Biases are those of the layer whose weights these are.
    #expect(found.dropFirst(oracle.weightCount).allSatisfy { $0.isNaN })
    #expect(run.othersAreUntouched)

    let curved = LayerRun<Scalar>(transposing: shape, activation: .tanh, samples: samples)
    curved.setParameters(parameters)
    let expected = sum.map { LayerOracle.apply(.tanh, $0) }
    #expect(distance(curved.forward(x, adding: addend), expected) <= 2 * limit)
  }

  @Test("match dense products", arguments: LayerCase.all, [16, 48])
  func dense(layerCase: LayerCase, samples: Int) {
    check(Float.self, layerCase.layer, samples)
    check(Double.self, layerCase.layer(.identity, hasBias: false), samples)
  }

  @Test("are the adjoint, with the bits of the plain one's gradients", arguments: LayerCase.all)
  func bits(layerCase: LayerCase) {
    let (shape, samples) = (layerCase.layer, 32)
    let parameters = numbers(shape.parameterCount, seed: 5)
    let x = numbers(shape.source.channelCount * samples, seed: 6)
    let y = numbers(shape.target.channelCount * samples, seed: 7)
    let plain = LayerRun<Float>(layerCase.layer(.identity, hasBias: false), samples: samples)
    let transposed = LayerRun<Float>(
      transposing: layerCase.layer(.identity, hasBias: false), samples: samples)
    for run in [plain, transposed] {
      run.setParameters(Array(parameters.prefix(shape.weightCount)))
    }
    let (forward, adjoint) = (plain.forward(x), transposed.forward(y))
    plain.backward(y)
    transposed.backward(x)
    #expect(sameBits(adjoint, plain.sourceGradient.array()))
    #expect(sameBits(forward, transposed.sourceGradient.array()))
    #expect(sameBits(plain.ownGradient, transposed.ownGradient))
    #expect(transposed.plan.forwardFlops == plain.plan.inputFlops)
    #expect(transposed.plan.inputFlops == plain.plan.forwardFlops)
  }

  /// Central differences of ⟨g, tanh(Wᵀ x)⟩ in weights and inputs.
  @Test("gradients match finite differences", arguments: LayerCase.random + LayerCase.special)
  func differences(layerCase: LayerCase) {
    let (shape, samples) = (layerCase.layer, 16)
    let parameters = numbers(shape.parameterCount, seed: 8)
    let x = numbers(shape.target.channelCount * samples, seed: 9)
    let g = numbers(shape.source.channelCount * samples, seed: 10)
    let run = LayerRun<Double>(transposing: shape, activation: .tanh, samples: samples)
    func loss(_ parameters: [Double], _ x: [Double]) -> Double {
      run.setParameters(parameters)
      return inner(run.forward(x), g)
    }
    _ = loss(parameters, x)
    run.backward(g)
    let (byParameter, byInput) = (run.ownGradient, run.sourceGradient.array())
    // As in `LayerNonlinearityTests`.
    let h = 1e-5
    let limit = Double(g.count * 10) * (h * h + Double.ulpOfOne / h) + 1e-12
    var random = RandomNumbers(seed: 11)
    for _ in 0..<min(8, shape.weightCount) {
      let place = random.index(below: shape.weightCount)
      var (up, down) = (parameters, parameters)
      up[place] += h
      down[place] -= h
      let slope = (loss(up, x) - loss(down, x)) / (2 * h)
      #expect(abs(byParameter[place] - slope) <= limit, "weight \(place)")
    }
    for _ in 0..<4 {
      let place = random.index(below: x.count)
      var (up, down) = (x, x)
      up[place] += h
      down[place] -= h
      let slope = (loss(parameters, up) - loss(parameters, down)) / (2 * h)
      #expect(abs(byInput[place] - slope) <= limit, "input \(place)")
    }
  }

  @Test("gradients of one store are added up when asked", arguments: LayerCase.all)
  func accumulation(layerCase: LayerCase) {
    let samples = 32
    for shape in [layerCase.layer, layerCase.layer(.identity, hasBias: false)] {
      let oracle = LayerOracle(shape, samples: samples)
      let parameters = numbers(shape.parameterCount, seed: 12)
      let x = numbers(shape.source.channelCount * samples, seed: 13)
      let y = numbers(shape.target.channelCount * samples, seed: 14)
      let old = numbers(shape.parameterCount, seed: 15)
      let limit = Double(oracle.longestSum + 1) * Double.ulpOfOne
      let plain = LayerRun<Double>(
        LayerPlan(
          shape, samples: samples,
          placement: LayerPlacement(whole: shape, parameterStart: LayerRun<Double>.before),
          accumulatesWeights: true, accumulatesBiases: true), parameters: shape.parameterCount)
      let transposed = LayerRun<Double>(
        transposing: shape, samples: samples, accumulatesWeights: true)
      for run in [plain, transposed] {
        run.setParameters(parameters)
        run.set(run.parameterGradient, old, at: LayerRun<Double>.before)
      }
      plain.forward(x)
      plain.backward(y)
      transposed.forward(y)
      transposed.backward(x)
      let gradient = oracle.parameterGradient(x, y)
      let expected = zip(gradient, old).map { $0 + $1 }
      #expect(distance(plain.ownGradient, expected) <= limit)
      let weights = shape.weightCount
      #expect(
        distance(transposed.ownGradient, Array(expected[..<weights]) + Array(old[weights...]))
          <= limit)
      #expect(plain.othersAreUntouched && transposed.othersAreUntouched)
    }
  }

  @Test("parts of several ranks have the bits of one", arguments: LayerCase.all)
  func ranks(layerCase: LayerCase) {
    let (shape, samples) = (layerCase.layer, 32)
    let parameters = numbers(shape.parameterCount, seed: 16)
    let x = numbers(shape.target.channelCount * samples, seed: 17)
    let whole = LayerRun<Float>(transposing: shape, samples: samples)
    whole.setParameters(parameters)
    let expected = whole.forward(x)
    // Each source of the weights is computed alone, by a rank that has all rows.
    let (source, target) = (HeldBoxes(all: shape.target), HeldBoxes(all: shape.source))
    for box in 0..<shape.source.boxCount {
      let run = LayerRun<Float>(
        LayerPlan(
          shape.transposed("part"), transposing: shape, samples: samples,
          placement: LayerPlacement(
            rankRows: [0..<shape.target.boxCount], rank: 0, sources: box..<box + 1,
            sourceValues: source, sourceGradients: source, targetValues: target,
            targetGradients: target, parameterStart: LayerRun<Float>.before)),
        parameters: shape.parameterCount)
      run.setParameters(parameters)
      let found = run.forward(x)
      let own = shape.source.channels(of: box..<box + 1)
      let range = own.lowerBound * samples..<own.upperBound * samples
      #expect(sameBits(Array(found[range]), Array(expected[range])), "box \(box)")
      #expect(found[..<range.lowerBound].allSatisfy { $0.isNaN })
    }
  }
}
