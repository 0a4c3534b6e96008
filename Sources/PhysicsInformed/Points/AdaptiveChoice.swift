import BlockKernels
import Foundation

/// Points with probabilities that follow the residual, p ∝ |r| / mean |r| + 1.
///
/// Wu, Zhu, Tan, Kartha, Lu, Computer Methods in Applied Mechanics and Engineering 403 (2023).
enum AdaptiveChoice {
  /// Returns a point of a pool, uniform in the unit cube.
  ///
  /// - Parameters:
  ///   - index: Its place in the pool.
  ///   - round: How many pools were made before.
  ///   - seed: The seed.
  /// - Returns: The point.
  static func candidate(_ index: Int, round: Int, seed: Int64) -> SIMD3<Double> {
    var random = RandomStream(
      seed: seed, purpose: RandomPurpose.pool, index: UInt64(round) << 32 | UInt64(index))
    return SIMD3(random.uniform(), random.uniform(), random.uniform())
  }

  /// Chooses candidates without repetition.
  ///
  /// A candidate gets an exponential random number divided by p, and the smallest are taken (Efraimidis and Spirakis
  /// 2006).
  ///
  /// - Parameters:
  ///   - count: How many.
  ///   - residuals: Of each candidate; one that is not finite counts as zero.
  ///   - round: How many pools were made before.
  ///   - seed: The seed.
  /// - Returns: The indices, ascending.
  static func choose(_ count: Int, by residuals: Span<Double>, round: Int, seed: Int64) -> [Int] {
    var mean = 0.0
    for index in residuals.indices where residuals[index].isFinite {
      mean += abs(residuals[index])
    }
    mean /= Double(residuals.count)
    var keys: [(key: Double, index: Int)] = []
    keys.reserveCapacity(residuals.count)
    for index in residuals.indices {
      var random = RandomStream(
        seed: seed, purpose: RandomPurpose.choice, index: UInt64(round) << 32 | UInt64(index))
      let size = residuals[index].isFinite && mean > 0 ? abs(residuals[index]) / mean : 0
      keys.append((-log(1 - random.uniform()) / (size + 1), index))
    }
    keys.sort { ($0.key, $0.index) < ($1.key, $1.index) }
    return keys.prefix(count).map(\.index).sorted()
  }
}
