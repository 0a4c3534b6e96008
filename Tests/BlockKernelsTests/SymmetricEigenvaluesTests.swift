import BlockKernels
import Testing

@Suite struct SymmetricEigenvaluesTests {
  @Test(arguments: [(1, 1), (2, 1), (5, 5), (40, 3)])
  func pairsSolveTheEigenvalueProblem(order n: Int, count: Int) throws {
    let random: [Double] = scalars(n * n, seed: n)
    let leading = n + 2
    var matrix = [Double](repeating: .nan, count: n * leading)
    for j in 0..<n {
      // The upper triangle is not read.
      for i in j..<n { matrix[j * leading + i] = random[j * n + i] }
    }
    let eigen = SymmetricEigenvalues(capacity: max(n, 17), count: max(count, 2))
    var copy = matrix
    var span = copy.mutableSpan
    try eigen.find(of: &span, order: n, leading: leading, wanted: count)
    func entry(_ i: Int, _ j: Int) -> Double { matrix[min(i, j) * leading + max(i, j)] }
    for k in 0..<count {
      if k > 0 { #expect(eigen.values[k] >= eigen.values[k - 1]) }
      for i in 0..<n {
        let product = (0..<n).reduce(0.0) { $0 + entry(i, $1) * eigen.vectors[k * n + $1] }
        // Backward stable: a small multiple of n·eps times the norm, which is at most n.
        let error = abs(product - eigen.values[k] * eigen.vectors[k * n + i])
        #expect(error < 10 * Double(n * n) * Double.ulpOfOne)
      }
      for l in 0...k {
        let product = (0..<n).reduce(0.0) {
          $0 + eigen.vectors[k * n + $1] * eigen.vectors[l * n + $1]
        }
        #expect(abs(product - (k == l ? 1 : 0)) < 20 * Double(n) * Double.ulpOfOne)
      }
    }
    // All eigenvalues together have the trace of the matrix: the lowest one is at most its mean.
    let trace = (0..<n).reduce(0.0) { $0 + entry($1, $1) }
    #expect(eigen.values[0] <= trace / Double(n) + 1e-12)
    if count == n {
      let sum = (0..<n).reduce(0.0) { $0 + eigen.values[$1] }
      #expect(abs(sum - trace) < 100 * Double(n) * Double.ulpOfOne)
    }
  }

  @Test func productsMatchTheirSums() {
    let (m, n, k) = (3, 2, 4)
    let a: [Double] = scalars(m * k, seed: 1)
    let b: [Double] = scalars((k + 1) * n, seed: 2)
    for transposed in [false, true] {
      var c = [Double](repeating: 1, count: (m + 2) * n)
      do {
        var span = c.mutableSpan
        BLAS.multiply(
          a.span, transposed: transposed, b.span, ldb: k + 1, into: &span, ldc: m + 2, m: m,
          n: n, k: k, scale: -2, keep: 3)
      }
      for j in 0..<n {
        for i in 0..<m {
          let sum = (0..<k).reduce(0.0) {
            $0 + (transposed ? a[i * k + $1] : a[$1 * m + i]) * b[j * (k + 1) + $1]
          }
          // Sums of four products of numbers up to one.
          #expect(abs(c[j * (m + 2) + i] - (3 - 2 * sum)) < 1e-14)
        }
        #expect(c[j * (m + 2) + m] == 1)
      }
    }
  }
}
