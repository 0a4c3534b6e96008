import BlockKernels
import BlockSparse
import ClusterTrees
import OperatorNetworks
import TestSupport
import Testing

@testable import Datasets
@testable import NetworkExecution
@testable import Training

@Suite("ShardBuffer")
struct ShardBufferTests {
  private let data = randomDataset(samples: 30, points: 6)

  @Test("a shard has the normalized numbers of its samples, in the order of the network")
  func shards() throws {
    var options = NetworkOptions()
    (options.leaf, options.channels) = (3, 2)
    let network = try Network.build(options, sources: data.points)
    let normalization = Normalization(
      inputShift: (0..<6).map { Double($0) }, inputScale: 2,
      outputShift: (0..<6).map { -3 + 0.5 * Double($0) }, outputScale: 4,
      meanOutput: [Double](repeating: 0, count: 6))
    let shard = ShardBuffer<Double>(
      network, RankShare(whole: network), SampleSource(data), samples: 16,
      normalization: normalization)
    let chosen = [4, 0, 29]
    let values = (0..<2).map { _ in AlignedBuffer<Double>(repeating: 9, count: 6 * 16) }
    shard.load(data, chosen[...], into: values[0])
    shard.loadOutputs(data, chosen[...], into: values[1])
    let scales = [normalization.inputScale, normalization.outputScale]
    let shifts = [normalization.inputShift, normalization.outputShift]
    let (fields, orders) = (
      [data.inputs, data.outputs], [network.inputOrder, network.outputOrder]
    )
    for side in 0..<2 {
      for (channel, point) in orders[side].enumerated() {
        for (column, sample) in chosen.enumerated() {
          let value = values[side][16 * channel + column] * scales[side] + shifts[side][Int(point)]
          #expect(abs(value - fields[side][6 * sample + Int(point)]) < 1e-13)
        }
        // Columns without a sample are zero.
        #expect((3..<16).allSatisfy { values[side][16 * channel + $0] == 0 })
      }
    }
  }

  @Test("a shard of a tree rank has the columns of its points", arguments: [2, 3, 5])
  func parts(ranks: Int) throws {
    let data = randomDataset(samples: 5, points: 40)
    let network = try Network.build(NetworkOptions(), sources: data.points)
    let numbers = [Double](repeating: 0.5, count: 40)
    let normalization = Normalization(
      inputShift: numbers, inputScale: 2, outputShift: numbers, outputScale: 4,
      meanOutput: numbers)
    func load(_ share: RankShare, _ data: Dataset) -> (inputs: [Double], outputs: [Double]) {
      let shard = ShardBuffer<Double>(
        network, share, SampleSource(data), samples: 16, normalization: normalization)
      let own = share.outputPoints(network).count
      let (x, y) = (
        AlignedBuffer<Double>(repeating: 9, count: share.values[0].channelCount * 16),
        AlignedBuffer<Double>(repeating: 9, count: own * 16)
      )
      shard.load(data, [3, 1], into: x)
      shard.loadOutputs(data, [3, 1], into: y)
      return (x.array(), y.array())
    }
    let whole = load(RankShare(whole: network), data)
    var outputs: [Double] = []
    for share in try shares(network, ranks: ranks) {
      let columns = (share.inputPoints(network).sorted(), share.outputPoints(network).sorted())
      #expect(columns.0.count < 40 && columns.1.count < 40)
      let own = Dataset(
        path: "", points: data.points, outputPoints: nil, sampleCount: 5,
        inputs: (0..<5).flatMap { row in columns.0.map { data.inputs[40 * row + Int($0)] } },
        outputs: (0..<5).flatMap { row in columns.1.map { data.outputs[40 * row + Int($0)] } },
        inputColumns: columns.0, outputColumns: columns.1)
      let found = load(share, own)
      outputs += found.outputs
      let starts = network.values[0].layout.starts
      let channels = share.values[0].list.flatMap { Array(starts[$0]..<starts[$0 + 1]) }
      #expect(found.inputs == channels.flatMap { whole.inputs[16 * $0..<16 * $0 + 16] })
    }
    #expect(outputs == whole.outputs)
  }
}
