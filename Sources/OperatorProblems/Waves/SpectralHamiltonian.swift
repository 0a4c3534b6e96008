internal import BlockKernels

/// The operator H = -½Δ + V on a periodic grid, the Laplacian by Fourier transforms.
///
/// The wave numbers of an axis with n points and period L are 2π k / L with |k| ≤ n / 2.
struct SpectralHamiltonian: ~Copyable {
  /// The number of points.
  let count: Int
  /// The largest eigenvalue of -½Δ.
  let largestKinetic: Double
  private let transform: RealTransform
  /// The eigenvalues of -½Δ, in the order of the transform's coefficients.
  private let kinetic: AlignedBuffer<Double>
  /// V less the middle of its range.
  private let potential: AlignedBuffer<Double>
  /// The middle of the range of V, which eigenvalues of the operator here lack.
  private(set) var middle = 0.0
  /// Half the range of V.
  private(set) var halfRange = 0.0

  /// Prepares the operator.
  ///
  /// - Parameters:
  ///   - points: The numbers of points on the axes, one or two.
  ///   - period: The edge L of the cell.
  /// - Throws: ``ProblemError`` if FFTW makes no plan.
  init(points: [Int], period: Double) throws(ProblemError) {
    transform = try RealTransform(shape: points)
    count = transform.length
    kinetic = AlignedBuffer(repeating: 0, count: transform.spectrum.count / 2)
    potential = AlignedBuffer(repeating: 0, count: count)
    let last = points[points.count - 1]
    let rows = count / last
    let unit = 2 * Double.pi / period
    var largest = 0.0
    for row in 0..<rows {
      let first = Double(min(row, rows - row)) * unit
      for k in 0...last / 2 {
        let second = Double(k) * unit
        let value = (first * first + second * second) / 2
        kinetic[row * (last / 2 + 1) + k] = value
        largest = max(largest, value)
      }
    }
    largestKinetic = largest
  }

  /// A bound of the norm of H less the middle of V.
  var norm: Double { largestKinetic + halfRange }

  /// Takes a potential.
  ///
  /// - Parameter values: V, finite.
  mutating func take(_ values: Span<Double>) {
    var (least, largest) = (Double.infinity, -Double.infinity)
    for i in 0..<count {
      least = min(least, values[i])
      largest = max(largest, values[i])
    }
    middle = (least + largest) / 2
    halfRange = (largest - least) / 2
    var potential = potential.mutableSpan
    for i in 0..<count { potential[i] = values[i] - middle }
  }

  /// Computes (H - middle) x.
  ///
  /// - Parameters:
  ///   - x: A vector.
  ///   - product: Becomes the product.
  func multiply(_ x: Span<Double>, into product: inout MutableSpan<Double>) {
    let scale = 1 / Double(count)
    let kinetic = kinetic.span
    filter(x) { k in kinetic[k] * scale }
    let (values, potential) = (transform.values.span, potential.span)
    for i in 0..<count { product[i] = values[i] + potential[i] * x[i] }
  }

  /// Computes (-½Δ + s)⁻¹ x.
  ///
  /// - Parameters:
  ///   - x: A vector.
  ///   - shift: s, positive.
  ///   - product: Becomes the product.
  func smooth(_ x: Span<Double>, shift: Double, into product: inout MutableSpan<Double>) {
    let size = Double(count)
    let kinetic = kinetic.span
    filter(x) { k in 1 / ((kinetic[k] + shift) * size) }
    let values = transform.values.span
    for i in 0..<count { product[i] = values[i] }
  }

  /// Makes a start vector from a random one, (-½Δ + s)⁻¹ (V_max - V + h) x.
  ///
  /// Bound states solve ψ = -(-½Δ - E)⁻¹ V ψ, and the flat part h keeps all others in the game.
  ///
  /// - Parameters:
  ///   - x: A random vector.
  ///   - product: Becomes the start vector.
  func start(from x: Span<Double>, into product: inout MutableSpan<Double>) {
    let flat = max(0.05 * halfRange, 1e-3 * largestKinetic)
    let potential = potential.span
    for i in 0..<count { product[i] = (halfRange - potential[i] + flat) * x[i] }
    let source = transform.values
    var values = source.mutableSpan
    for i in 0..<count { values[i] = product[i] }
    smooth(source.span, shift: shift(for: -halfRange), into: &product)
  }

  /// Returns the shift s for which (-½Δ + s)⁻¹ serves an eigenvalue E best: -E for a bound state.
  ///
  /// - Parameter eigenvalue: E, less the middle of V.
  /// - Returns: The shift.
  func shift(for eigenvalue: Double) -> Double {
    max(halfRange - eigenvalue, 1e-4 * largestKinetic)
  }

  /// Transforms x, multiplies the coefficients and transforms them back into the transform's values.
  @inline(__always)
  private func filter(_ x: Span<Double>, by factor: (Int) -> Double) {
    var values = transform.values.mutableSpan
    for i in 0..<count { values[i] = x[i] }
    transform.forward()
    var spectrum = transform.spectrum.mutableSpan
    for k in 0..<spectrum.count / 2 {
      let factor = factor(k)
      spectrum[2 * k] *= factor
      spectrum[2 * k + 1] *= factor
    }
    transform.backward()
  }
}
