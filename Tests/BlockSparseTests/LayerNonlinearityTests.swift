import BlockKernels
import BlockSparse
import Testing

@Suite struct LayerNonlinearityTests {
  static let cases =
    LayerCase.random + LayerCase.special
    + LayerCase.bands.filter { $0.name.hasPrefix("band [4]") || $0.name.hasPrefix("band [2, 2] 1") }
  static let functions: [(Activation, Activation)] = [
    (.relu, .identity), (.tanh, .identity), (.elu, .identity), (.sigmoid, .identity),
    (.identity, .tanh), (.tanh, .tanh), (.relu, .relu), (.identity, .relu),
  ]

  @Test(arguments: cases, functions)
  func forwardMatchesTheDefinition(layerCase: LayerCase, functions: (Activation, Activation)) {
    let oracle = LayerOracle(layerCase.layer(functions.0, functions.1), samples: 32)
    let parameters = numbers(oracle.parameterCount, seed: 11)
    let x = numbers(oracle.sourceCount * 32, seed: 12)
    let expected = oracle.forward(parameters, x)
    // All functions have slopes of at most 1, so a sum's n roundings stay n; h adds one per entry.
    let limit = 2 * Double(oracle.longestSum)
    let double = LayerRun<Double>(oracle.layer, samples: 32)
    double.setParameters(parameters)
    #expect(distance(double.forward(x), expected) <= limit * Double.ulpOfOne)
    let float = LayerRun<Float>(oracle.layer, samples: 32)
    float.setParameters(parameters)
    #expect(distance(float.forward(x), expected) <= limit * Double(Float.ulpOfOne))
  }

  @Test(
    "a gradient that goes through f with that of the weights has the same bits", arguments: cases)
  func fusing(layerCase: LayerCase) {
    for activation in [Activation.relu, .tanh] {
      let layer = layerCase.layer(activation, .identity)
      let x = numbers(layer.source.channelCount * 32, seed: 31)
      let g = numbers(layer.target.channelCount * 32, seed: 32)
      let runs = [false, true].map { isFused in
        let run = LayerRun<Float>(layer, samples: 32)
        run.fusesActivation = isFused
        run.setParameters(numbers(layer.parameterCount, seed: 33))
        run.forward(x)
        run.backward(g)
        return run
      }
      #expect(runs[1].plan.canFuseActivation)
      #expect(sameBits(runs[0].ownGradient, runs[1].ownGradient))
      #expect(sameBits(runs[0].sourceGradient.array(), runs[1].sourceGradient.array()))
      #expect(sameBits(runs[0].targetGradient.array(), runs[1].targetGradient.array()))
    }
  }

  /// Central differences of ⟨g, y⟩ in random parameters and inputs, in Double.
  @Test(arguments: cases, functions)
  func gradientsMatchFiniteDifferences(
    layerCase: LayerCase, functions: (Activation, Activation)
  ) {
    let layer = layerCase.layer(functions.0, functions.1)
    let samples = 16
    let oracle = LayerOracle(layer, samples: samples)
    let parameters = numbers(oracle.parameterCount, seed: 21)
    let x = numbers(oracle.sourceCount * samples, seed: 22)
    let g = numbers(oracle.targetCount * samples, seed: 23)
    let run = LayerRun<Double>(layer, samples: samples)
    run.setParameters(parameters)
    run.forward(x)
    run.backward(g)
    let (byParameter, byInput) = (run.ownGradient, run.sourceGradient.array())
    #expect(run.othersAreUntouched)

    // Truncation: h²/6 times the third derivative, at most 2 per output that is reached, and an
    // output weighs at most 1; rounding: eps times the sum of the magnitudes, over h.
    let h = 1e-5
    let size = Double(oracle.targetCount * samples * 10)
    let limit = size * (h * h + Double.ulpOfOne / h) + 1e-12
    var random = RandomNumbers(seed: 24)
    // Where a kink lies within h, the difference says nothing: shown by a smaller step.
    func check(_ exact: Double, _ loss: (Double) -> Double, _ what: String) {
      let wide = (loss(h) - loss(-h)) / (2 * h)
      if abs(exact - wide) <= limit { return }
      let narrow = (loss(h / 100) - loss(-h / 100)) / (h / 50)
      #expect(abs(exact - narrow) <= 100 * limit, "\(what): \(exact) and \(narrow)")
    }
    for _ in 0..<min(12, 3 * parameters.count) {
      let place = random.index(below: parameters.count)
      check(
        byParameter[place],
        { step in
          var moved = parameters
          moved[place] += step
          return inner(oracle.forward(moved, x), g)
        }, "parameter \(place)")
    }
    for _ in 0..<4 {
      let place = random.index(below: x.count)
      check(
        byInput[place],
        { step in
          var moved = x
          moved[place] += step
          return inner(oracle.forward(parameters, moved), g)
        }, "input \(place)")
    }
  }
}
