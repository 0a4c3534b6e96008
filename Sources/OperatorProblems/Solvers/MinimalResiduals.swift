internal import BlockKernels
import SpecialFunctions

/// The GMRES iteration of Saad and Schultz for systems (I - A) x = r.
///
/// See SIAM Journal on Scientific and Statistical Computing 7, 1986. All sums run over eight lanes in a
/// fixed order, so that the same system gives the same bits on every processor.
struct MinimalResiduals: ~Copyable {
  private typealias Lanes = VectorFunctions.Lanes

  /// The number of unknowns.
  let order: Int
  /// The largest number of products with A of one solve.
  let capacity: Int
  /// The orthonormal basis of the Krylov space, each vector padded by zeros to whole lanes.
  private let basis: AlignedBuffer<Double>
  /// The length of a padded vector.
  private let stride: Int
  /// The triangular factor of the Hessenberg matrix, column-major with `capacity + 1` rows.
  private let triangle: AlignedBuffer<Double>
  /// The cosines and sines of the rotations, in turn.
  private let rotations: AlignedBuffer<Double>
  /// The rotated right-hand side; in the end the coefficients of the solution.
  private let coefficients: AlignedBuffer<Double>

  /// Allocates the scratch memory.
  ///
  /// - Parameters:
  ///   - order: The number of unknowns.
  ///   - capacity: The largest number of products of one solve, positive.
  init(order: Int, capacity: Int) {
    precondition(order >= 1 && capacity >= 1, "\(capacity) products of order \(order)")
    let eight = Lanes.scalarCount
    self.order = order
    self.capacity = capacity
    stride = (order + eight - 1) / eight * eight
    basis = AlignedBuffer(repeating: 0, count: (capacity + 1) * stride)
    triangle = AlignedBuffer(repeating: 0, count: (capacity + 1) * capacity)
    rotations = AlignedBuffer(repeating: 0, count: 2 * capacity)
    coefficients = AlignedBuffer(repeating: 0, count: capacity + 1)
  }

  /// Adds the solution of (I - A) x = r to a vector.
  ///
  /// - Parameters:
  ///   - residual: r.
  ///   - tolerance: Where the Euclidean norm of r - (I - A) x may stop, relative to that of r.
  ///   - solution: What x is added to.
  ///   - multiply: Replaces its second argument by the product of A with its first one.
  /// - Returns: The number of products.
  /// - Precondition: The spans have `order` values.
  /// - Complexity: O(order) memory per product and O(order × products²) operations; no allocation.
  func solve(
    residual: Span<Double>, tolerance: Double, addingTo solution: inout MutableSpan<Double>,
    multiply: (Span<Double>, inout MutableSpan<Double>) -> Void
  ) -> Int {
    precondition(
      residual.count == order && solution.count == order,
      "\(residual.count) and \(solution.count) values for \(order) unknowns")
    var first = vector(0)
    for i in 0..<order { first[i] = residual[i] }
    let norm = dot(0, 0).squareRoot()
    // Without a residual, or with one that is not finite, there is nothing to improve.
    guard norm > 0, norm.isFinite else { return 0 }
    scale(0, by: 1 / norm)
    coefficients[0] = norm
    var products = 0
    while products < capacity {
      multiplyNewest(products, multiply)
      let reached = rotate(products)
      products += 1
      if !(reached > tolerance * norm) { break }
    }
    addCombination(products, to: &solution)
    return products
  }

  /// Appends (I - A) v of the newest vector v to the basis and makes it orthonormal.
  ///
  /// Fills the column of the Hessenberg matrix.
  private func multiplyNewest(
    _ newest: Int, _ multiply: (Span<Double>, inout MutableSpan<Double>) -> Void
  ) {
    let (from, to) = (newest * stride, (newest + 1) * stride)
    var target = basis.mutableSpan(of: to..<to + order)
    let source = basis.span.extracting(from..<from + order)
    multiply(source, &target)
    for i in 0..<order { target[i] = source[i] - target[i] }
    let column = newest * (capacity + 1)
    for k in 0...newest {
      let product = dot(k, newest + 1)
      triangle[column + k] = product
      add(k, times: -product, to: newest + 1)
    }
    let norm = dot(newest + 1, newest + 1).squareRoot()
    triangle[column + newest + 1] = norm
    if norm > 0 { scale(newest + 1, by: 1 / norm) }
  }

  /// Makes a column of the Hessenberg matrix triangular.
  ///
  /// - Returns: The norm of the residual.
  private func rotate(_ newest: Int) -> Double {
    let column = newest * (capacity + 1)
    var entries = triangle.mutableSpan(of: column..<column + capacity + 1)
    for k in 0..<newest {
      let (c, s) = (rotations[2 * k], rotations[2 * k + 1])
      (entries[k], entries[k + 1]) = (
        c * entries[k] + s * entries[k + 1], c * entries[k + 1] - s * entries[k]
      )
    }
    let (a, b) = (entries[newest], entries[newest + 1])
    let length = (a * a + b * b).squareRoot()
    let (c, s) = length > 0 ? (a / length, b / length) : (1, 0)
    (rotations[2 * newest], rotations[2 * newest + 1]) = (c, s)
    entries[newest] = length
    let before = coefficients[newest]
    coefficients[newest] = c * before
    coefficients[newest + 1] = -s * before
    return abs(s * before)
  }

  /// Solves the triangular system and adds the combination of the basis.
  private func addCombination(_ count: Int, to solution: inout MutableSpan<Double>) {
    for k in (0..<count).reversed() {
      var value = coefficients[k]
      for j in k + 1..<max(count, k + 1) {
        value -= triangle[j * (capacity + 1) + k] * coefficients[j]
      }
      let pivot = triangle[k * (capacity + 1) + k]
      // Only a singular system has a zero here; the residual then tells that it is not solved.
      coefficients[k] = pivot == 0 ? 0 : value / pivot
    }
    for k in 0..<count {
      let factor = coefficients[k]
      let v = vector(k)
      for i in 0..<order { solution[i] += factor * v[i] }
    }
  }

  // MARK: Vectors of the basis

  /// One vector of the basis with its padding.
  @_lifetime(borrow self)
  private func vector(_ k: Int) -> MutableSpan<Double> {
    basis.mutableSpan(of: k * stride..<(k + 1) * stride)
  }

  private func scale(_ k: Int, by factor: Double) {
    var v = vector(k)
    for i in 0..<stride { v[i] *= factor }
  }

  private func add(_ source: Int, times factor: Double, to target: Int) {
    let x = basis.span.extracting(source * stride..<(source + 1) * stride)
    var y = vector(target)
    for i in 0..<stride { y[i] += factor * x[i] }
  }

  private func dot(_ a: Int, _ b: Int) -> Double {
    let x = basis.span.extracting(a * stride..<(a + 1) * stride)
    let y = basis.span.extracting(b * stride..<(b + 1) * stride)
    // Vectors have whole lanes, so the reads stay inside both spans.
    return unsafe x.withUnsafeBytes { x in
      unsafe y.withUnsafeBytes { y in
        var sum = Lanes.zero
        for offset in Swift.stride(from: 0, to: 8 * stride, by: 64) {
          sum +=
            unsafe x.loadUnaligned(fromByteOffset: offset, as: Lanes.self)
            * y.loadUnaligned(fromByteOffset: offset, as: Lanes.self)
        }
        return VectorFunctions.sum(sum)
      }
    }
  }
}
