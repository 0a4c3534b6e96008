import SpecialFunctions

/// E₁ as a sum of exponentials, Σ_q w_q e^(-t_q x), for distances x from a least one on.
///
/// With t = e^s, E₁(x) = ∫₀^∞ e^(-x e^s) ds, and the integrand vanishes beyond e^s = 34 / x. On that
/// interval a Gauss-Legendre rule is taken whose nodes are spread by s ~ arcsin(0.9 v) (Hale,
/// Trefethen: New quadrature formulas from conformal maps, SIAM J. Numer. Anal. 46, 2008), which saves
/// a fifth of them. 1 / t_q are the cosines of the directions of a discrete-ordinates method.
///
/// The error is at most 1e-15 E₁(x) up to x = 1 and 1e-15 E₁(1) / x² above
/// (Tests/Peers/exponential_sum_error.py measures it).
struct ExponentialSum {
  /// The rates t_q, all at least 1, growing.
  let rates: [Double]
  /// The weights w_q, all positive.
  let weights: [Double]

  /// The least distance for which no more exponentials are needed than for greater ones.
  private static let greatestLeastDistance = 0.01

  /// How far nodes are spread, between 0 and 1.
  private static let spread = 0.9

  /// Finds nodes and weights.
  ///
  /// They are found without the C library, so that they have the same bits on every processor.
  ///
  /// - Parameter distance: The least distance at which the sum will be used.
  /// - Precondition: `distance > 0`.
  init(leastDistance distance: Double) {
    precondition(distance > 0, "the distance \(distance)")
    let length = Self.logarithm(34 / min(distance, Self.greatestLeastDistance)) - 0.1
    let count = Self.count(length: length)
    let rule = Self.gaussLegendre(count)
    let scale = length / 2 / Self.arcSine(Self.spread)
    var nodes = [Double](repeating: 0, count: count)
    var weights = nodes
    for k in 0..<count / 2 {
      let y = rule.distances[k]
      let sine = Self.spread * (1 - y)
      let cosine = (1 - sine * sine).squareRoot()
      // arcsin 0.9 - arcsin 0.9 (1 - y), by the law of sums without cancellation: s is small there.
      let square = Self.spread * Self.spread
      let difference =
        square * y * (2 - y) / (Self.spread * cosine + sine * (1 - square).squareRoot())
      nodes[k] = scale * Self.arcSine(difference)
      nodes[count - 1 - k] = length - nodes[k]
      weights[k] = scale * Self.spread * rule.weights[k] / cosine
      weights[count - 1 - k] = weights[k]
    }
    rates = nodes.map { 1 / Self.exponentialOfNegative($0) }
    self.weights = weights
  }

  /// The number of exponentials for an interval of s, a multiple of eight.
  private static func count(length: Double) -> Int {
    let needed = 15.5 + 3.5 * length
    return 8 * Int((needed / 8).rounded(.up))
  }

  /// Computes the nodes and weights of a Gauss-Legendre rule by Newton's method.
  ///
  /// The unknown is the distance y of a node from 1, and the recurrence runs over differences of
  /// Legendre polynomials, which is what keeps the digits of the outer weights.
  ///
  /// - Parameter count: The number of nodes, even.
  /// - Returns: The distances of the positive nodes from 1 in growing order, and their weights; negative
  ///   nodes mirror them.
  static func gaussLegendre(_ count: Int) -> (distances: [Double], weights: [Double]) {
    var distances = [Double](repeating: 0, count: count / 2)
    var weights = distances
    for k in 0..<count / 2 {
      var y = 1 - cosine((Double(k) + 0.75) / (Double(count) + 0.5) * .pi)
      var slope = 1.0
      // Newton's method converges quadratically from here; two more steps do no harm.
      for _ in 0..<8 {
        var (value, difference) = (1 - y, -y)
        for degree in 2...count {
          let d = Double(degree)
          difference = ((d - 1) * difference - (2 * d - 1) * y * value) / d
          value += difference
        }
        slope = Double(count) * (y * value - difference) / (y * (2 - y))
        y += value / slope
      }
      distances[k] = y
      weights[k] = 2 / (y * (2 - y) * slope * slope)
    }
    return (distances, weights)
  }

  /// Sums up the series of the cosine between 0 and π / 2.
  private static func cosine(_ x: Double) -> Double {
    var (sum, term) = (1.0, 1.0)
    for k in 1...12 {
      term *= -x * x / Double((2 * k - 1) * 2 * k)
      sum += term
    }
    return sum
  }

  /// Sums up the series of the arc sine up to 0.9.
  private static func arcSine(_ x: Double) -> Double {
    var (sum, term) = (x, x)
    for k in 1...200 {
      term *= x * x * Double(2 * k - 1) / Double(2 * k)
      sum += term / Double(2 * k + 1)
    }
    return sum
  }

  private static func logarithm(_ x: Double) -> Double {
    VectorFunctions.log(VectorFunctions.Lanes(repeating: x))[0]
  }

  private static func exponentialOfNegative(_ x: Double) -> Double {
    VectorFunctions.exponentialOfNegative(VectorFunctions.Lanes(repeating: x))[0]
  }
}
