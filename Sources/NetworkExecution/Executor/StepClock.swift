/// Measures how long a rank spends on each part of a step.
public final class StepClock {
  /// A part of a step.
  public enum Part: Int, CaseIterable, Sendable {
    /// Normalizing samples and arranging them in shards.
    case samples
    /// y = f(W x + b): products, with bias and function while a row is in the cache.
    case forward
    /// Products Wᵀ dy.
    case inputGradient
    /// Products dyᵀ x, and the sums for the biases.
    case weightGradient
    /// The loss, derivatives of functions, transposed sources and packed weights.
    case elementwise
    /// Sums of gradients over shards.
    case sums
    /// The update of the parameters.
    case optimizer
    /// Exchanges between ranks: what is not hidden behind other parts.
    case communication
    /// Everything else.
    case other
  }

  /// The seconds spent on each part.
  public private(set) var seconds = [Double](repeating: 0, count: Part.allCases.count)
  private var part = Part.other
  private var start: ContinuousClock.Instant
  private let clock = ContinuousClock()

  /// Starts a clock.
  public init() { start = clock.now }

  /// Ends the present part and starts another one.
  ///
  /// - Parameter part: The part.
  /// - Returns: The part that was under way, to which the caller may return.
  @discardableResult
  public func enter(_ part: Part) -> Part {
    let now = clock.now
    seconds[self.part.rawValue] += (now - start) / .seconds(1)
    start = now
    defer { self.part = part }
    return self.part
  }

  /// Sets all times to zero.
  public func reset() {
    for index in seconds.indices { seconds[index] = 0 }
    start = clock.now
  }
}
