import BlockKernels
import MessagePassing

/// Residuals and errors at many points, dealt to ranks in shards; all ranks get all of them.
final class PointEvaluation {
  typealias Vectors = AlignedBuffer<Double>

  private let equation: any Equation
  private let interior: ShardResiduals
  private let values: ShardResiduals
  private let shard: Int
  private let ranks: Communicator
  private let scratch: Vectors

  init(
    _ network: JetNetwork, _ equation: any Equation, _ options: PhysicsInformedOptions,
    on ranks: borrowing Communicator
  ) throws {
    self.equation = equation
    shard = options.shard
    let isHard = options.conditions == .hard
    interior = ShardResiduals(network, equation, samples: shard, isHard: isHard)
    values = ShardResiduals(
      network, equation, samples: shard, isHard: isHard, onBoundary: true)
    scratch = Vectors(repeating: 0, count: shard)
    self.ranks = try ranks.duplicate()
  }

  /// Computes the residual of the equation at points.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - points: The points.
  ///   - parameters: The parameters of the network.
  /// - Returns: The residuals.
  /// - Throws: `MPIError`.
  func residuals(at points: [SIMD3<Double>], _ parameters: Vectors) throws -> Vectors {
    interior.pass.load(parameters)
    return try gather(points.count, width: 1) { first, result in
      interior.evaluate(
        points, from: first, factor: 1, into: scratch, at: 0, seeds: .none)
      for sample in 0..<min(shard, points.count - first) {
        result[first + sample] = scratch[sample]
      }
    }
  }

  /// Computes the solution at points.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - points: The points.
  ///   - parameters: The parameters of the network.
  /// - Returns: u at each point.
  /// - Throws: `MPIError`.
  func solution(at points: [SIMD3<Double>], _ parameters: Vectors) throws -> Vectors {
    values.pass.load(parameters)
    return try gather(points.count, width: 1) { first, result in
      let found = values.solution { points[min(first + $0, points.count - 1)] }
      for sample in 0..<min(shard, points.count - first) {
        result[first + sample] = found[sample]
      }
    }
  }

  /// Computes ‖u − û‖₂ / ‖u‖₂ on the grid of the equation.
  ///
  /// Collective.
  ///
  /// - Parameter parameters: The parameters of the network.
  /// - Returns: The relative error.
  /// - Throws: `MPIError`.
  func relativeError(_ parameters: Vectors) throws -> Double {
    values.pass.load(parameters)
    let points = equation.gridPoints
    let squares = try gather(points.count, width: 2) { first, result in
      let found = values.solution { points[min(first + $0, points.count - 1)] }
      for sample in 0..<min(shard, points.count - first) {
        let exact = equation.solution(at: points[first + sample])
        let difference = found[sample] - exact
        result[2 * (first + sample)] = difference * difference
        result[2 * (first + sample) + 1] = exact * exact
      }
    }
    var (error, size) = (0.0, 0.0)
    for point in points.indices {
      error += squares[2 * point]
      size += squares[2 * point + 1]
    }
    return (error / size).squareRoot()
  }

  /// Fills numbers of points, each shard on one rank.
  private func gather(
    _ count: Int, width: Int, _ body: (_ first: Int, _ result: Vectors) -> Void
  ) throws -> Vectors {
    let shards = (count + shard - 1) / shard
    let cuts = (0...ranks.size).map { min(shards * $0 / ranks.size * shard, count) }
    let result = Vectors(repeating: 0, count: count * width)
    for first in stride(from: cuts[ranks.rank], to: cuts[ranks.rank + 1], by: shard) {
      body(first, result)
    }
    if ranks.size > 1 {
      var span = result.mutableSpan
      try ranks.allGatherInPlace(
        &span, counts: zip(cuts, cuts.dropFirst()).map { ($1 - $0) * width })
    }
    return result
  }
}

extension Equation {
  /// The points of the grid, the first coordinate slowest.
  var gridPoints: [SIMD3<Double>] {
    var points = [SIMD3<Double>()]
    for (axis, places) in grid.enumerated() {
      points = points.flatMap { point in
        places.map { place in
          var next = point
          next[axis] = place
          return next
        }
      }
    }
    return points
  }
}
