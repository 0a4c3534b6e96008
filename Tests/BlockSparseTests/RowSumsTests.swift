import BlockKernels
import Testing

@testable import BlockSparse

/// Gradients of weights that rows share, summed on several ranks.
@Suite("RowSums")
struct RowSumsTests {
  static let cases = LayerCase.all.filter { !$0.layer.rowsOwnWeights }
  private static let samples = 32

  /// The rows of each rank; with weights that make some ranges empty and some long.
  private func split(_ rows: Int, _ ranks: Int) -> [Range<Int>] {
    let cuts = (0...ranks).map { rank in
      rank == ranks ? rows : rows * rank * rank / (ranks * ranks)
    }
    return (0..<ranks).map { cuts[$0]..<cuts[$0 + 1] }
  }

  /// The plan of one of several ranks, which holds all values and all parameters.
  private func plan<Scalar: KernelScalar>(
    _ layer: BlockSparseLayer, _ rankRows: [Range<Int>], _ rank: Int, as: Scalar.Type
  ) -> LayerPlan<Scalar> {
    let (source, target) = (HeldBoxes(all: layer.source), HeldBoxes(all: layer.target))
    return LayerPlan(
      layer, samples: Self.samples,
      placement: LayerPlacement(
        rankRows: rankRows, rank: rank, sources: 0..<layer.source.boxCount, sourceValues: source,
        sourceGradients: source, targetValues: target, targetGradients: target,
        parameterStart: LayerRun<Scalar>.before))
  }

  /// Computes the gradient on one rank, and on several that gather their sums.
  private func check<Scalar: KernelScalar>(_ layer: BlockSparseLayer, as: Scalar.Type) {
    let run = LayerRun<Scalar>(layer, samples: Self.samples)
    run.setParameters(numbers(layer.parameterCount, seed: 1))
    let x = numbers(layer.source.channelCount * Self.samples, seed: 2)
    let g = numbers(layer.target.channelCount * Self.samples, seed: 3)
    run.forward(x)
    run.backward(g)
    let expected = run.ownGradient
    let oracle = LayerOracle(layer, samples: Self.samples)
    // As in `LayerPlanTests`.
    let limit = Double(oracle.longestSum) * Double(Scalar.ulpOfOne)
    #expect(distance(expected, oracle.parameterGradient(x, g)) <= limit)

    for ranks in [1, 2, 3, 4, 5, 7, 11] {
      let rankRows = split(layer.target.boxCount, ranks)
      let plans = rankRows.indices.map { plan(layer, rankRows, $0, as: Scalar.self) }
      #expect(plans.allSatisfy { $0.sumCounts == plans[0].sumCounts })
      #expect(plans[0].sumCounts == (ranks == 1 ? [] : layer.sumCounts(of: rankRows)))
      var (sums, starts): ([Scalar], [Int]) = ([], [])
      for (rank, plan) in plans.enumerated() {
        let (scratch, result) = (buffer(plan.gradientScratchCount), buffer(run.parameters.count))
        parameterGradient(plan, run, scratch, result)
        if ranks == 1 {
          #expect(sameBits(own(result, layer), expected))
          continue
        }
        // The rank's own gradient is not yet there.
        #expect(result.array().allSatisfy { $0.isNaN })
        starts.append(sums.count)
        sums += scratch.array().prefix(plan.sumCounts[rank])
      }
      guard ranks > 1 else { continue }
      #expect(sums.allSatisfy { $0.isFinite })
      for plan in plans {
        let (scratch, result) = (buffer(plan.gradientScratchCount), buffer(run.parameters.count))
        var scratchSpan = scratch.mutableSpan
        var span = result.mutableSpan
        plan.finishParameterGradient(
          sums: sums.span, at: starts, scratch: &scratchSpan, into: &span)
        #expect(sameBits(own(result, layer), expected), "\(ranks) ranks")
        let all = result.array()
        #expect(all[..<LayerRun<Scalar>.before].allSatisfy { $0.isNaN })
        #expect(all.suffix(LayerRun<Scalar>.after).allSatisfy { $0.isNaN })
      }
    }

    func buffer(_ count: Int) -> AlignedBuffer<Scalar> {
      AlignedBuffer(repeating: .nan, count: count)
    }
  }

  private func parameterGradient<Scalar: KernelScalar>(
    _ plan: LayerPlan<Scalar>, _ run: LayerRun<Scalar>, _ scratch: AlignedBuffer<Scalar>,
    _ result: AlignedBuffer<Scalar>
  ) {
    let (source, gradient, entries) = (run.source, run.targetGradient, run.entries)
    let transposed = AlignedBuffer<Scalar>(repeating: .nan, count: plan.transposedCount)
    var transposedSpan = transposed.mutableSpan
    var gradientSpan = gradient.mutableSpan
    var scratchSpan = scratch.mutableSpan
    var span = result.mutableSpan
    plan.parameterGradient(
      source: source.span, transposed: &transposedSpan, activating: nil,
      gradient: &gradientSpan, entries: entries.span, scratch: &scratchSpan, into: &span)
  }

  private func own<Scalar: KernelScalar>(
    _ result: AlignedBuffer<Scalar>, _ layer: BlockSparseLayer
  ) -> [Scalar] {
    Array(result.array()[LayerRun<Scalar>.before..<LayerRun<Scalar>.before + layer.parameterCount])
  }

  @Test("sums of several ranks give the bits of one", arguments: cases)
  func bits(layerCase: LayerCase) {
    check(layerCase.layer, as: Float.self)
    check(layerCase.layer, as: Double.self)
    check(layerCase.layer(.identity, hasBias: false), as: Float.self)
  }

  @Test("rows with weights to themselves have no sums")
  func ownWeights() {
    for layerCase in LayerCase.all where layerCase.layer.rowsOwnWeights {
      let rows = split(layerCase.layer.target.boxCount, 3)
      #expect(layerCase.layer.sumCounts(of: rows) == [0, 0, 0])
      let plan = plan(layerCase.layer, rows, 1, as: Float.self)
      #expect(plan.gradientScratchCount == 0 && plan.sumCounts.isEmpty)
    }
  }
}
