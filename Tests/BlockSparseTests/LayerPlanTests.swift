import BlockKernels
import BlockSparse
import ClusterTrees
import Testing

@Suite struct LayerPlanTests {
  @Test(arguments: LayerCase.all, [16, 32, 48, 64])
  func passesMatchDenseProducts(layerCase: LayerCase, samples: Int) {
    passesMatchDenseProducts(Float.self, layerCase.layer, samples)
    passesMatchDenseProducts(Double.self, layerCase.layer, samples)
    // Without biases.
    let plain = layerCase.layer(.identity, hasBias: false)
    #expect(plain.biasCount == 0 && plain.parameterCount == layerCase.layer.weightCount)
    passesMatchDenseProducts(Float.self, plain, samples)
  }

  private func passesMatchDenseProducts<Scalar: KernelScalar>(
    _: Scalar.Type, _ layer: BlockSparseLayer, _ samples: Int
  ) {
    let oracle = LayerOracle(layer, samples: samples)
    #expect(layer.parameterCount == oracle.parameterCount)
    #expect(layer.weightCount == oracle.weightCount)
    let parameters = numbers(oracle.parameterCount, seed: 1)
    let x = numbers(oracle.sourceCount * samples, seed: 2)
    let g = numbers(oracle.targetCount * samples, seed: 3)
    let run = LayerRun<Scalar>(layer, samples: samples)
    run.setParameters(parameters)
    // n terms of magnitude at most 1: n roundings of partial sums that are at most n in magnitude.
    // The errors of a sum of random signs stay below n·eps; measured: 0.37 of it.
    let limit = Double(oracle.longestSum) * Double(Scalar.ulpOfOne)
    let y = run.forward(x)
    #expect(distance(y, dense(oracle, parameters, x)) <= limit)
    run.backward(g)
    #expect(distance(run.sourceGradient.array(), oracle.inputGradient(parameters, g)) <= limit)
    #expect(distance(run.ownGradient, oracle.parameterGradient(x, g)) <= limit)
    #expect(run.othersAreUntouched)
  }

  /// Computes W x + b by the dense matrix.
  private func dense(_ oracle: LayerOracle, _ parameters: [Double], _ x: [Double]) -> [Double] {
    let samples = oracle.samples
    let matrix = oracle.matrix(parameters)
    var y: [Double] = []
    for target in 0..<oracle.targetCount {
      for sample in 0..<samples {
        y.append(
          (0..<oracle.sourceCount).reduce(
            oracle.biases[target] < 0 ? 0 : parameters[oracle.biases[target]]
          ) {
            $0 + matrix[target][$1] * x[$1 * samples + sample]
          })
      }
    }
    return y
  }

  @Test(arguments: LayerCase.all)
  func theBLASGivesTheSameProducts(layerCase: LayerCase) {
    let oracle = LayerOracle(layerCase.layer, samples: 32)
    let parameters = numbers(oracle.parameterCount, seed: 1)
    let x = numbers(oracle.sourceCount * 32, seed: 2)
    let g = numbers(oracle.targetCount * 32, seed: 3)
    let run = LayerRun<Double>(layerCase.layer, samples: 32, provider: .blas)
    run.setParameters(parameters)
    run.forward(x)
    run.backward(g)
    // As above.
    let limit = Double(oracle.longestSum) * Double.ulpOfOne
    #expect(distance(run.target.array(), oracle.forward(parameters, x)) <= limit)
    #expect(distance(run.sourceGradient.array(), oracle.inputGradient(parameters, g)) <= limit)
    #expect(distance(run.ownGradient, oracle.parameterGradient(x, g)) <= limit)
  }

  /// ⟨W x, g⟩ = ⟨x, Wᵀ g⟩, with what the plan computed on both sides.
  @Test(arguments: LayerCase.all, [16, 64])
  func inputGradientIsTheAdjoint(layerCase: LayerCase, samples: Int) {
    let layer = layerCase.layer
    let run = LayerRun<Double>(layer, samples: samples)
    let biases = [Double](repeating: 0, count: layer.biasCount)
    run.setParameters(numbers(layer.weightCount, seed: 4) + biases)
    let x = numbers(layer.source.channelCount * samples, seed: 5)
    let g = numbers(layer.target.channelCount * samples, seed: 6)
    let y = run.forward(x)
    run.backward(g)
    let left = inner(y, g)
    // A sum of as many terms of magnitude 1 as the layer has multiplications.
    let terms = Double(LayerOracle(layer, samples: samples).terms.count * samples)
    #expect(abs(left - inner(x, run.sourceGradient.array())) <= (terms + 10) * Double.ulpOfOne)
    // The same number once more: the product is linear in the weights.
    let weights = run.parameters.array()[LayerRun<Double>.before...].prefix(layer.weightCount)
    #expect(
      abs(left - inner(Array(weights), Array(run.ownGradient.prefix(layer.weightCount))))
        <= (terms + 10) * Double.ulpOfOne)
  }

  @Test(arguments: LayerCase.all)
  func accumulatedInputGradientsAreAdded(layerCase: LayerCase) {
    let layer = layerCase.layer
    let oracle = LayerOracle(layer, samples: 32)
    let parameters = numbers(oracle.parameterCount, seed: 1)
    let x = numbers(oracle.sourceCount * 32, seed: 2)
    let g = numbers(oracle.targetCount * 32, seed: 3)
    let old = numbers(oracle.sourceCount * 32, seed: 4)
    let run = LayerRun<Double>(layer, samples: 32, accumulatesInput: true)
    run.setParameters(parameters)
    run.forward(x)
    run.set(run.sourceGradient, old)
    run.backward(g)
    let expected = zip(old, oracle.inputGradient(parameters, g)).map { $0 + $1 }
    // As above.
    let limit = Double(oracle.longestSum) * Double.ulpOfOne
    #expect(distance(run.sourceGradient.array(), expected) <= limit)
  }

  @Test(arguments: LayerCase.all)
  func anAddendIsAdded(layerCase: LayerCase) {
    for (activation, block) in [
      (Activation.identity, Activation.identity), (.identity, .tanh), (.tanh, .identity),
      (.relu, .sigmoid),
    ] {
      let oracle = LayerOracle(layerCase.layer(activation, block), samples: 16)
      let parameters = numbers(oracle.parameterCount, seed: 1)
      let x = numbers(oracle.sourceCount * 16, seed: 2)
      let addend = numbers(oracle.targetCount * 16, seed: 3)
      let run = LayerRun<Double>(oracle.layer, samples: 16)
      run.setParameters(parameters)
      // As above.
      let limit = Double(oracle.longestSum) * Double.ulpOfOne
      let expected = oracle.forward(parameters, x, adding: addend)
      #expect(distance(run.forward(x, adding: addend), expected) <= limit)
    }
  }

  @Test func packedWeightsAreRefreshedWhenAsked() {
    let layer = LayerCase(
      "band",
      .band(
        .band(gridShape: [8], width: 1, periodic: true),
        sharing: .offset), 3, 2
    ).layer
    let oracle = LayerOracle(layer, samples: 16)
    let (old, new) = (
      numbers(oracle.parameterCount, seed: 1), numbers(oracle.parameterCount, seed: 9)
    )
    let g = numbers(oracle.targetCount * 16, seed: 3)
    let run = LayerRun<Double>(layer, samples: 16)
    run.setParameters(old)
    run.forward(numbers(oracle.sourceCount * 16, seed: 2))
    run.backward(g)
    run.set(run.parameters, new, at: LayerRun<Double>.before)
    run.inputGradient()
    // As above.
    let limit = Double(oracle.longestSum) * Double.ulpOfOne
    #expect(distance(run.sourceGradient.array(), oracle.inputGradient(old, g)) <= limit)
    run.pack()
    run.inputGradient()
    #expect(distance(run.sourceGradient.array(), oracle.inputGradient(new, g)) <= limit)
  }

  @Test func withoutInputGradientNothingIsPacked() {
    for layerCase in LayerCase.all {
      let plan = LayerPlan<Float>(
        layerCase.layer, samples: 16, parameterStart: 0, needsInputGradient: false)
      #expect(plan.packedWeightCount == 0)
    }
  }

  /// Each entry is one multiply-add per weight and sample, in each of the three products.
  @Test(arguments: LayerCase.all)
  func operationsAreCounted(layerCase: LayerCase) {
    let layer = layerCase.layer
    let plan = LayerPlan<Float>(layer, samples: 48, parameterStart: 0)
    let flops = 2 * 48 * LayerOracle(layer, samples: 48).terms.count
    #expect(plan.forwardFlops == flops && plan.backwardFlops == 2 * flops)
  }
}
