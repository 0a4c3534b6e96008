/// The least-squares problem of GMRES for one column: min ‖β e₁ − H y‖ over y, with H a Hessenberg matrix that grows.
///
/// H is made triangular by Givens rotations, column by column.
struct HessenbergProblem {
  /// The triangular factor, one column behind the other without gaps.
  private var triangle: [Double] = []
  /// The cosines and sines of the rotations, in turn.
  private var rotations: [Double] = []
  /// The rotated right-hand side, one element longer than there are columns.
  private var right: [Double] = []
  /// The column of H that is being filled.
  private var column: [Double] = []
  /// β.
  private var norm = 0.0
  /// The largest norm of a column.
  private var size = 0.0
  /// The number of columns.
  private(set) var count = 0

  /// The norm of the residual.
  var residual: Double { right[count].magnitude }
  /// Whether all elements of the open column are finite.
  var hasFiniteColumn: Bool { column.allSatisfy(\.isFinite) }

  /// Reserves memory for a number of columns.
  mutating func reserve(_ columns: Int) {
    // Doubling by hand, since reserving one by one would copy each time.
    guard rotations.capacity < 2 * columns else { return }
    let columns = max(2 * columns, 16)
    rotations.reserveCapacity(2 * columns)
    right.reserveCapacity(columns + 1)
    column.reserveCapacity(columns)
  }

  /// Begins a problem without columns.
  ///
  /// - Parameter norm: β.
  mutating func start(_ norm: Double) {
    count = 0
    (self.norm, size) = (norm, 0)
    triangle.removeAll(keepingCapacity: true)
    rotations.removeAll(keepingCapacity: true)
    right.removeAll(keepingCapacity: true)
    column.removeAll(keepingCapacity: true)
    right.append(norm)
  }

  /// Begins a column of zeros.
  mutating func openColumn() {
    column.removeAll(keepingCapacity: true)
    for _ in 0...count { column.append(0) }
  }

  /// Adds a number to an element of the open column.
  mutating func add(_ value: Double, at row: Int) { column[row] += value }

  /// Gives up the open column.
  mutating func dropColumn() { column.removeAll(keepingCapacity: true) }

  /// Appends the open column.
  ///
  /// - Parameter length: Its last element, below the diagonal.
  /// - Returns: Whether the matrix stays regular; if not, the column is not appended.
  mutating func closeColumn(_ length: Double) -> Bool {
    var own = length
    for value in column { own = hypotenuse(own, value) }
    size = max(size, own)
    for k in 0..<count {
      let (c, s) = (rotations[2 * k], rotations[2 * k + 1])
      (column[k], column[k + 1]) = (
        c * column[k] + s * column[k + 1], c * column[k + 1] - s * column[k]
      )
    }
    let pivot = hypotenuse(column[count], length)
    // Each rotation leaves rounding errors of the size of the matrix; nothing else is left of a singular one.
    guard length > 0 || pivot > 16 * Double(count + 1) * Double.ulpOfOne * size else {
      return false
    }
    let (c, s) = (column[count] / pivot, length / pivot)
    rotations.append(c)
    rotations.append(s)
    column[count] = pivot
    for value in column { triangle.append(value) }
    let before = right[count]
    right[count] = c * before
    right.append(-s * before)
    count += 1
    return true
  }

  /// Solves the least-squares problem.
  ///
  /// Where the matrix is singular but for rounding errors, y is large and its products cancel. Columns are then left
  /// out, until what rounding leaves of the products, ε ‖H‖ ‖y‖, is small against β.
  ///
  /// - Returns: y, shorter than ``count`` if columns were left out.
  func solution() -> [Double] {
    var (columns, dropped) = (count, 1)
    while true {
      let y = solution(columns)
      var length = 0.0
      for value in y { length = hypotenuse(length, value) }
      if columns == 0 || Double.ulpOfOne * size * length <= 0.01 * norm { return y }
      columns = max(count - dropped, 0)
      dropped *= 2
    }
  }

  /// Solves the triangular system of the first columns.
  private func solution(_ columns: Int) -> [Double] {
    var y = Array(right[..<columns])
    for k in y.indices.reversed() {
      let start = k * (k + 1) / 2
      y[k] /= triangle[start + k]
      for i in 0..<k { y[i] -= triangle[start + i] * y[k] }
    }
    return y
  }

  /// Computes √(a² + b²) without overflow.
  private func hypotenuse(_ a: Double, _ b: Double) -> Double {
    let (large, small) = (max(a.magnitude, b.magnitude), min(a.magnitude, b.magnitude))
    guard large > 0 else { return 0 }
    let ratio = small / large
    return large * (1 + ratio * ratio).squareRoot()
  }
}
