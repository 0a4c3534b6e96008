import BlockKernels
import BlockSparse
import Testing

/// The bits of a result depend on the sample, the row and the configuration only.
///
/// They do where one kernel is compiled: see the design, section 4.
@Suite(
  .enabled(if: MatrixProduct<Float>(ProductShape(m: 32, n: 6, k: 6, accumulates: true)).isCompiled))
struct LayerReproducibilityTests {
  /// Computes outputs and input gradients of samples that stand at given places of a shard.
  private func results(
    _ layer: BlockSparseLayer, shard: Int, places: [Int], seed: Int
  ) -> (outputs: [[Float]], gradients: [[Float]]) {
    let run = LayerRun<Float>(layer, samples: shard)
    run.setParameters(numbers(layer.parameterCount, seed: 31))
    // What stands at the other places differs from call to call.
    var x = numbers(layer.source.channelCount * shard, seed: seed)
    var g = numbers(layer.target.channelCount * shard, seed: seed + 1)
    let samples = numbers(layer.source.channelCount * places.count, seed: 32)
    let gradients = numbers(layer.target.channelCount * places.count, seed: 33)
    for (index, place) in places.enumerated() {
      for channel in 0..<layer.source.channelCount {
        x[channel * shard + place] = samples[channel * places.count + index]
      }
      for channel in 0..<layer.target.channelCount {
        g[channel * shard + place] = gradients[channel * places.count + index]
      }
    }
    let y = run.forward(x)
    run.backward(g)
    let dx = run.sourceGradient.array()
    return (
      places.map { place in (0..<layer.target.channelCount).map { y[$0 * shard + place] } },
      places.map { place in (0..<layer.source.channelCount).map { dx[$0 * shard + place] } }
    )
  }

  @Test(arguments: LayerCase.all, [(Activation.identity, Activation.identity), (.tanh, .tanh)])
  func bitsDoNotDependOnTheOtherSamples(
    layerCase: LayerCase, functions: (Activation, Activation)
  ) {
    let layer = layerCase.layer(functions.0, functions.1)
    let first = results(layer, shard: 32, places: [0, 7, 15, 16, 31], seed: 50)
    for (shard, places) in [
      (32, [31, 2, 20, 0, 17]), (48, [47, 0, 33, 16, 15]), (64, [5, 63, 32, 31, 48]),
    ] {
      let other = results(layer, shard: shard, places: places, seed: 60 + shard)
      for index in places.indices {
        #expect(sameBits(first.outputs[index], other.outputs[index]), "shard \(shard)")
        #expect(sameBits(first.gradients[index], other.gradients[index]), "shard \(shard)")
      }
    }
  }

  /// A part of the rows, as one of several ranks has it: runs of targets and sources are cut.
  @Test(arguments: LayerCase.all)
  func bitsOfARowDoNotDependOnTheOtherRows(layerCase: LayerCase) {
    let layer = layerCase.layer
    let pattern = layer.pattern
    let shard = 48
    let whole = LayerRun<Float>(layer, samples: shard)
    let parameters = numbers(layer.parameterCount, seed: 41)
    whole.setParameters(parameters)
    let x = numbers(layer.source.channelCount * shard, seed: 42)
    let y = whole.forward(x)
    for row in 0..<pattern.targetCount {
      // The group keeps its slots and all its weights, the other groups have none.
      let group = Int(pattern.groups[row])
      let entries = pattern.entries(of: row)
      let target = BoxLayout(channels: [layer.target.channels(of: row)])
      let part = BlockSparseLayer(
        name: "part", source: layer.source, target: target,
        pattern: BlockPattern(
          sourceCount: pattern.sourceCount, rowStarts: [0, entries.count],
          sources: Array(pattern.sources[entries]), slots: Array(pattern.slots[entries]),
          groups: [0], slotCounts: [pattern.slotCounts[group]]))
      guard part.groupInputs[0] == layer.groupInputs[group] else { continue }
      let run = LayerRun<Float>(part, samples: shard)
      let weights = layer.weightStarts[group]..<layer.weightStarts[group + 1]
      let biases = layer.biasStarts[group]..<layer.biasStarts[group + 1]
      run.setParameters(
        Array(parameters[weights]) + biases.map { parameters[layer.weightCount + $0] })
      let start = layer.target.starts[row] * shard
      let found = run.forward(x)
      #expect(sameBits(found, Array(y[start..<start + found.count])), "row \(row)")
    }
  }

  /// The transposed run: a part of the sources, whose targets are those of the whole.
  @Test(arguments: LayerCase.all)
  func bitsOfASourceGradientDoNotDependOnTheOtherSources(layerCase: LayerCase) {
    let layer = layerCase.layer
    let pattern = layer.pattern
    let shard = 32
    let whole = LayerRun<Float>(layer, samples: shard)
    whole.setParameters(numbers(layer.parameterCount, seed: 51))
    let g = numbers(layer.target.channelCount * shard, seed: 52)
    whole.forward(numbers(layer.source.channelCount * shard, seed: 53))
    whole.backward(g)
    let expected = whole.sourceGradient.array()
    for kept in 0..<pattern.sourceCount {
      // The entries of the other sources are taken out, so their blocks are used by none.
      var (starts, sources, slots) = ([0], [Int32](), [Int32]())
      for row in 0..<pattern.targetCount {
        for entry in pattern.entries(of: row) where Int(pattern.sources[entry]) == kept {
          sources.append(pattern.sources[entry])
          slots.append(pattern.slots[entry])
        }
        starts.append(sources.count)
      }
      let part = BlockSparseLayer(
        name: "part", source: layer.source, target: layer.target,
        pattern: BlockPattern(
          sourceCount: pattern.sourceCount, rowStarts: starts, sources: sources, slots: slots,
          groups: pattern.groups, slotCounts: pattern.slotCounts))
      guard part.weightStarts == layer.weightStarts else { continue }
      let run = LayerRun<Float>(part, samples: shard)
      run.setParameters(numbers(layer.parameterCount, seed: 51))
      run.forward(numbers(layer.source.channelCount * shard, seed: 53))
      run.backward(g)
      let range = layer.source.starts[kept] * shard..<layer.source.starts[kept + 1] * shard
      #expect(sameBits(Array(run.sourceGradient.array()[range]), Array(expected[range])))
    }
  }
}
