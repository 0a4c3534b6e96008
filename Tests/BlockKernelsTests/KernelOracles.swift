import BlockKernels

/// The scalar types that every kernel is tested with.
enum Precision: String, CaseIterable, Sendable {
  case float, double
}

/// Random numbers that are a function of (seed, position) only, by another generator than the tested.
struct RandomNumbers {
  var state: UInt64

  init(seed: Int) { state = UInt64(seed) &* 0xD1B5_4A32_D192_ED03 &+ 1 }

  mutating func next() -> UInt64 {
    state = state &+ 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A number in [-1, 1).
  mutating func symmetric() -> Double { Double(next() >> 11) * 0x1p-52 - 1 }
}

/// Makes random scalars in [-1, 1).
func scalars<Scalar: KernelScalar>(_ count: Int, seed: Int) -> [Scalar] {
  var random = RandomNumbers(seed: seed)
  return (0..<count).map { _ in Scalar(random.symmetric()) }
}

/// A product with everything that a call of it needs: padded storage, offsets, leading dimensions.
struct ProductCase<Scalar: KernelScalar> {
  let shape: ProductShape
  let starts = (a: 7, b: 3, c: 2)
  let a: [Scalar]
  let b: [Scalar]
  let c: [Scalar]

  init(m: Int, n: Int, k: Int, padding: (Int, Int, Int), accumulates: Bool, seed: Int) {
    shape = ProductShape(
      m: m, n: n, k: k, lda: m + padding.0, ldb: k + padding.1, ldc: m + padding.2,
      accumulates: accumulates)
    a = scalars(starts.a + shape.lda * k, seed: seed)
    b = scalars(starts.b + shape.ldb * n, seed: seed + 1)
    c = scalars(starts.c + shape.ldc * n + 5, seed: seed + 2)
  }

  /// Computes the whole storage of C by the library.
  func computed(_ product: MatrixProduct<Scalar>) -> [Scalar] {
    var result = c
    var span = result.mutableSpan
    product(a.span, at: starts.a, b.span, at: starts.b, into: &span, at: starts.c)
    return result
  }

  /// The place in the storage of C of one of its elements.
  func place(_ row: Int, _ column: Int) -> Int { starts.c + row + column * shape.ldc }

  /// Returns for each result the largest error as a part of its bound; infinity if other storage was
  /// touched.
  func errors(of results: [[Scalar]]) -> [Double] {
    var isInside = [Bool](repeating: false, count: c.count)
    var worst = results.map { _ in 0.0 }
    // Summing k + 1 terms in any order is off by at most k·u of the sum of their magnitudes, u the
    // unit roundoff; twice that, as the reference in Double has such an error too.
    let bound = 2 * Double(shape.k + 1) * Double(Scalar.ulpOfOne) / 2
    for column in 0..<shape.n {
      for row in 0..<shape.m {
        let place = place(row, column)
        let start = shape.accumulates ? Double(c[place]) : 0
        var (sum, magnitude) = (start, abs(start))
        for l in 0..<shape.k {
          let term =
            Double(a[starts.a + row + l * shape.lda]) * Double(b[starts.b + l + column * shape.ldb])
          sum += term
          magnitude += abs(term)
        }
        for index in results.indices {
          let error = abs(Double(results[index][place]) - sum) / (bound * magnitude)
          worst[index] = max(worst[index], error.isNaN ? .infinity : error)
        }
        isInside[place] = true
      }
    }
    for place in c.indices where !isInside[place] {
      for index in results.indices where results[index][place] != c[place] {
        worst[index] = .infinity
      }
    }
    return worst
  }

  /// Computes the elements of C by fused multiply-adds in the order of k, from the storage `c`.
  func fused(columns k: Range<Int>, from c: [Scalar], accumulates: Bool) -> [Scalar] {
    var result = c
    for column in 0..<shape.n {
      for row in 0..<shape.m {
        var sum: Scalar = accumulates ? c[place(row, column)] : 0
        for l in k {
          sum.addProduct(
            a[starts.a + row + l * shape.lda], b[starts.b + l + column * shape.ldb])
        }
        result[place(row, column)] = sum
      }
    }
    return result
  }
}

extension Array where Element: KernelScalar {
  /// Whether two arrays are equal bit for bit, signs of zeros included.
  func hasBits(of other: [Element]) -> Bool {
    count == other.count
      && zip(self, other).allSatisfy { $0 == $1 && $0.sign == $1.sign || $0.isNaN && $1.isNaN }
  }
}

/// Returns where a buffer that is not empty begins.
func first<Element>(of buffer: UnsafeBufferPointer<Element>) -> UnsafePointer<Element> {
  guard let start = buffer.baseAddress else { preconditionFailure("an empty buffer") }
  return unsafe start
}

/// Returns where a buffer that is not empty begins.
func first<Element>(
  of buffer: UnsafeMutableBufferPointer<Element>
) -> UnsafeMutablePointer<Element> {
  guard let start = buffer.baseAddress else { preconditionFailure("an empty buffer") }
  return unsafe start
}
