import BlockKernels
import BlockSparse
import MessagePassing
import OperatorNetworks

/// The exchange of weights after an update: copies of other ranks' blocks that this rank needs, for the gradients of its
/// sources and for the targets of transposed layers.
struct WeightExchange<Scalar: KernelScalar & MPIScalar> {
  /// A block of weights: on its way out with its stride among the parameters, on its way in packed.
  private struct Block {
    let layer: Int
    let start: Int
    let stride: Int
    let inputs: Int
    let outputs: Int
    var count: Int { inputs * outputs }
  }

  private struct Peer {
    let rank: Int
    let blocks: [Block]
    var count: Int { blocks.reduce(0) { $0 + $1.count } }
  }

  private struct Gather {
    let layer: Int
    /// This rank's weights among its parameters.
    let own: Range<Int>
    let counts: [Int]
  }

  /// For each layer: the weights of other ranks, as its plan wants them.
  let remote: [AlignedBuffer<Scalar>]
  private let sends: [Peer]
  private let receives: [Peer]
  private let gathers: [Gather]
  private let outgoing: AlignedBuffer<Scalar>
  private let incoming: AlignedBuffer<Scalar>

  init(
    _ network: Network, _ partition: TreePartition, _ share: RankShare,
    _ plans: [LayerPlan<Scalar>], forTraining: Bool
  ) {
    remote = plans.map { AlignedBuffer(repeating: 0, count: $0.remoteWeightCount) }
    let ranks = 0..<share.rankCount
    var sends = [[Block]](repeating: [], count: ranks.count)
    var receives = sends
    var gathers: [Gather] = []
    for (index, item) in network.layers.enumerated()
    where ranks.count > 1 && (item.isTransposed || (forTraining && item.source != 0)) {
      // Of a transposed layer the weights are needed for the forward pass.
      let (layer, placement) = (network.slice(of: item).shape, share.layers[index])
      let (source, target) = (partition.values[item.columnValue], partition.values[item.rowValue])
      guard layer.rowsOwnWeights, !target.isReplicated else { continue }
      let own = share.parameters[item.weights.slice]
      if placement.gathersWeights {
        gathers.append(
          Gather(
            layer: index, own: own.start..<own.start + own.weights.count,
            counts: ranks.map { layer.weights(of: target.range(of: $0)).count }))
        continue
      }
      func block(_ entry: Int, at start: Int, stride: Int?) -> Block {
        let row = layer.row(of: entry)
        let inputs = layer.source.channels(of: Int(layer.pattern.sources[entry]))
        return Block(
          layer: index, start: start, stride: stride ?? inputs, inputs: inputs,
          outputs: layer.target.channels(of: row))
      }
      let shift = own.start - layer.weights(of: placement.rows).lowerBound
      for rank in ranks where rank != share.rank {
        for entry in layer.entries(from: placement.rows, to: source.range(of: rank)) {
          let group = Int(layer.pattern.groups[layer.row(of: entry)])
          let place = shift + layer.weightStarts[group] + Int(layer.entryInputs[entry])
          sends[rank].append(block(entry, at: place, stride: layer.groupInputs[group]))
        }
      }
      // The blocks of all ranks stand by source and by target.
      var start = 0
      let columns = layer.entries(from: 0..<layer.target.boxCount, to: placement.sources)
      for entry in columns {
        let rank = target.owner(of: layer.row(of: entry))
        guard rank != share.rank else { continue }
        let incoming = block(entry, at: start, stride: nil)
        receives[rank].append(incoming)
        start += incoming.count
      }
    }
    func peers(_ blocks: [[Block]]) -> [Peer] {
      ranks.compactMap { blocks[$0].isEmpty ? nil : Peer(rank: $0, blocks: blocks[$0]) }
    }
    (self.sends, self.receives, self.gathers) = (peers(sends), peers(receives), gathers)
    outgoing = AlignedBuffer(repeating: 0, count: self.sends.reduce(0) { $0 + $1.count })
    incoming = AlignedBuffer(repeating: 0, count: self.receives.reduce(0) { $0 + $1.count })
  }

  /// Exchanges weights.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - parameters: The parameters of this rank.
  ///   - communicator: The tree ranks.
  ///   - body: Is run while messages are under way.
  /// - Throws: `MPIError` if a message fails.
  func run(
    _ parameters: AlignedBuffer<Scalar>, on communicator: borrowing Communicator,
    while body: () -> Void
  ) throws(MPIError) {
    let (outgoing, incoming) = (outgoing, incoming)
    pack(parameters)
    communicator.stallWatch.phase = .init("exchange of weights")
    let tag = CommunicationPlan.Phase.weights.rawValue << 12
    var received = incoming.mutableSpan
    try communicator.withRequests(sending: outgoing.span, receiving: &received) {
      (requests) throws(MPIError) in
      var start = 0
      for peer in receives {
        try requests.receive(start..<start + peer.count, from: peer.rank, tag: tag)
        start += peer.count
      }
      start = 0
      for peer in sends {
        try requests.send(start..<start + peer.count, to: peer.rank, tag: tag)
        start += peer.count
      }
      body()
    }
    unpack()
    for gather in gathers {
      let buffer = remote[gather.layer]
      var whole = buffer.mutableSpan
      let own = parameters.span
      try communicator.allGather(
        own.extracting(gather.own), counts: gather.counts, into: &whole)
    }
  }

  private func pack(_ parameters: AlignedBuffer<Scalar>) {
    var place = 0
    for peer in sends {
      for block in peer.blocks {
        for output in 0..<block.outputs {
          outgoing.copy(
            from: parameters, at: block.start + output * block.stride,
            to: place..<place + block.inputs)
          place += block.inputs
        }
      }
    }
  }

  private func unpack() {
    var place = 0
    for peer in receives {
      for block in peer.blocks {
        remote[block.layer].copy(
          from: incoming, at: place, to: block.start..<block.start + block.count)
        place += block.count
      }
    }
  }
}
