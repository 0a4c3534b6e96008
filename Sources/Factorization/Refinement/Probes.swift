import BlockKernels
import SparseMatrices

/// The probes of one rank's shards: columns of the identity, or random signs.
struct Probes {
  typealias Vectors = AlignedBuffer<Double>

  /// The probes of a shard.
  static let width = 16
  /// Up to here, nil means all columns of the identity.
  static let identityLimit = 1024
  /// What nil means above.
  static let usualCount = 64

  /// The number of shards.
  let shardCount: Int
  private let unknowns: Int
  /// The number of random probes; nil: the identity.
  private let random: Int?
  private let seed: Int

  init(unknowns: Int, options: RefinementOptions) {
    self.unknowns = unknowns
    seed = options.seed
    random = options.probes ?? (unknowns <= Self.identityLimit ? nil : Self.usualCount)
    shardCount = ((random ?? unknowns) + Self.width - 1) / Self.width
  }

  /// Returns the probes of a shard, `[unknown][probe]`; those that fill up the last one are zero.
  ///
  /// With them Σ ‖M z‖² is ‖M‖² in the Frobenius norm, or its expected value.
  func shard(_ shard: Int) -> Vectors {
    let width = Self.width
    let result = Vectors(repeating: 0, count: unknowns * width)
    var span = result.mutableSpan
    for probe in 0..<width {
      let number = shard * width + probe
      guard let random else {
        if number < unknowns { span[number * width + probe] = 1 }
        continue
      }
      guard number < random else { continue }
      let size = 1 / Double(random).squareRoot()
      var stream = RandomStream(seed: Int64(seed), purpose: 0x7072_6f62, index: UInt64(number))
      for unknown in 0..<unknowns {
        span[unknown * width + probe] = stream.nextWord() & 1 == 0 ? size : -size
      }
    }
    return result
  }
}
