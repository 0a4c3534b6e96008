/// The points of Sobol's sequence in up to three dimensions, with the direction numbers of Joe and Kuo (2008).
///
/// Of the first 2ᵏ points each interval [i, i + 1) / 2ᵏ of each coordinate has one.
public struct SobolSequence: Sendable {
  /// The number of coordinates.
  public let dimension: Int
  private let directions: [[UInt32]]

  /// Creates the sequence.
  ///
  /// - Parameter dimension: The number of coordinates, 1 to 3.
  public init(dimension: Int) {
    precondition((1...3).contains(dimension), "points of \(dimension) coordinates")
    self.dimension = dimension
    // Of each polynomial: its inner coefficients and the first numbers m.
    let polynomials: [(inner: UInt32, first: [UInt32])] = [(0, []), (0, [1]), (1, [1, 3])]
    directions = polynomials.prefix(dimension).map { inner, first in
      guard !first.isEmpty else { return (0..<32).map { 1 << (31 - UInt32($0)) } }
      let degree = first.count
      var v = first.enumerated().map { $1 << (31 - UInt32($0)) }
      for k in degree..<32 {
        var next = v[k - degree] ^ (v[k - degree] >> UInt32(degree))
        for j in 1..<max(degree, 1) where inner >> UInt32(degree - 1 - j) & 1 == 1 {
          next ^= v[k - j]
        }
        v.append(next)
      }
      return v
    }
  }

  /// Returns one point.
  ///
  /// - Parameter index: Its place in the sequence.
  /// - Returns: The point in the open unit cube: 2⁻³³ is added, so that the first one is inside.
  public subscript(index: Int) -> SIMD3<Double> {
    precondition(index >= 0 && index < 1 << 32, "point \(index)")
    var result = SIMD3<Double>()
    let gray = UInt32(index) ^ (UInt32(index) >> 1)
    for axis in 0..<dimension {
      var bits: UInt32 = 0
      for k in 0..<32 where gray >> UInt32(k) & 1 == 1 { bits ^= directions[axis][k] }
      result[axis] = (Double(bits) + 0.5) * 0x1p-32
    }
    return result
  }
}
