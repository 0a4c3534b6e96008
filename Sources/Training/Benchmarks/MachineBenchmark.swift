public import BlockKernels
public import MessagePassing
import OperatorNetworks
import ParallelHDF5

/// Measures what a ``CostModel`` needs, on all ranks at once, as they would be in a step.
public struct MachineBenchmark<Scalar: KernelScalar & MPIScalar> {
  /// The repetitions of each measurement, of which the median counts.
  public let repetitions: Int

  /// Creates a benchmark.
  ///
  /// - Parameter repetitions: The repetitions of each measurement, at least one.
  public init(repetitions: Int) { self.repetitions = repetitions }

  /// Measures the seconds of a body: the median over repetitions of the slowest rank.
  ///
  /// Collective.
  func seconds(
    on world: borrowing Communicator, _ body: () throws -> Void
  ) throws -> Double {
    let clock = ContinuousClock()
    // The first time also compiles, and touches what later ones find ready.
    try body()
    var times: [Double] = []
    for _ in 0..<repetitions {
      try world.barrier()
      let start = clock.now
      try body()
      times.append(try world.maximum((clock.now - start).inSeconds))
    }
    return times.sorted()[times.count / 2]
  }

  /// Measures the floating-point operations per second of products whose matrices stay in the cache.
  ///
  /// Collective.
  ///
  /// - Parameter world: The ranks.
  /// - Returns: Operations per second of one rank, of the best of several shapes: close to what the
  ///   processor's multiply-add units can do.
  /// - Throws: `MPIError` if the library fails.
  public func peakFlopRate(on world: borrowing Communicator) throws -> Double {
    var best = 0.0
    for (m, n) in [(64, 6), (64, 12), (48, 8), (32, 12)] {
      let product = MatrixProduct<Scalar>(ProductShape(m: m, n: n, k: 64, accumulates: false))
      let a = AlignedBuffer<Scalar>(repeating: 0.5, count: product.shape.extentA)
      let b = AlignedBuffer<Scalar>(repeating: 0.25, count: product.shape.extentB)
      let c = AlignedBuffer<Scalar>(repeating: 0, count: product.shape.extentC)
      let count = 1 + 40_000_000 / product.shape.flops
      let seconds = try seconds(on: world) {
        var result = c.mutableSpan
        for _ in 0..<count { product(a.span, at: 0, b.span, at: 0, into: &result, at: 0) }
      }
      best = max(best, Double(count * product.shape.flops) / seconds)
    }
    return best
  }

  /// Measures the bytes per second that the optimizer moves.
  ///
  /// Collective.
  ///
  /// - Parameter world: The ranks.
  /// - Returns: Bytes per second of one rank.
  /// - Throws: `MPIError` if the library fails.
  public func memoryBandwidth(on world: borrowing Communicator) throws -> Double {
    // Beyond any cache.
    let count = 1 << 24
    let parameters = AlignedBuffer<Scalar>(repeating: 0.5, count: count)
    let gradient = AlignedBuffer<Scalar>(repeating: 0.25, count: count)
    var optimizer = Optimizer<Scalar>(TrainingOptions(), count: count)
    let seconds = try seconds(on: world) {
      var span = parameters.mutableSpan
      _ = optimizer.update(&span, range: 0..<count, gradient: gradient.span)
    }
    // Four arrays are read and three written.
    return 7 * Double(count * MemoryLayout<Scalar>.size) / seconds
  }

  /// Measures messages between neighbours, all pairs at once.
  ///
  /// Collective.
  ///
  /// - Parameter world: The ranks.
  /// - Returns: The seconds of a short message, and the bytes per second of long ones; nil on one rank.
  /// - Throws: `MPIError` if the library fails.
  public func messages(
    on world: borrowing Communicator
  ) throws -> (latency: Double, bandwidth: Double)? {
    guard world.size > 1 else { return nil }
    let short = try exchange(count: 1, rounds: 200, on: world)
    let bytes = 1 << 22
    let long = try exchange(count: bytes, rounds: 4, on: world)
    return (short, Double(bytes) / max(long - short, 1e-12))
  }

  /// Measures the time in which each rank gets a message from the rank before it.
  private func exchange(
    count: Int, rounds: Int, on world: borrowing Communicator
  ) throws -> Double {
    let (outgoing, incoming) = (
      AlignedBuffer<UInt8>(repeating: 1, count: count),
      AlignedBuffer<UInt8>(repeating: 0, count: count)
    )
    let next = (world.rank + 1) % world.size
    let previous = (world.rank + world.size - 1) % world.size
    let all = try seconds(on: world) {
      for _ in 0..<rounds {
        var span = incoming.mutableSpan
        try world.withRequests(sending: outgoing.span, receiving: &span) {
          (requests) throws(MPIError) in
          try requests.receive(0..<count, from: previous)
          try requests.send(0..<count, to: next)
        }
      }
    }
    return all / Double(rounds)
  }
}

extension Duration {
  /// The duration as a number of seconds.
  var inSeconds: Double { self / .seconds(1) }
}
