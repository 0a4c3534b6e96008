internal import BlockKernels
import SpecialFunctions

extension LowestLevels {
  /// Makes new vectors at the end of the basis orthonormal, and extends its products with H.
  ///
  /// - Parameters:
  ///   - size: The dimension of the space; grows by the vectors that are independent of it.
  ///   - added: The number of new vectors.
  ///   - hamiltonian: H.
  func extend(
    _ size: inout Int, by added: Int, _ hamiltonian: borrowing SpectralHamiltonian
  ) {
    for j in size..<size + added { _ = normalize(j) }
    // What the first projection leaves of a vector may be small; the second one makes it orthogonal.
    if size > 0 { for _ in 0..<2 { project(size, added) } }
    var kept = 0
    for j in size..<size + added {
      let target = size + kept
      if j != target { basis.copy(from: basis, at: j * count, to: column(target)) }
      guard separate(target, from: size) else { continue }
      kept += 1
    }
    for j in size..<size + kept {
      var product = images.mutableSpan(of: column(j))
      hamiltonian.multiply(basis.span.extracting(column(j)), into: &product)
    }
    if kept > 0 { fillMatrix(size, kept) }
    size += kept
  }

  private func column(_ j: Int) -> Range<Int> { j * count..<(j + 1) * count }

  /// Scales a vector to norm 1.
  ///
  /// - Returns: Its norm before.
  private func normalize(_ j: Int) -> Double {
    let norm = VectorSums.norm(basis.span.extracting(column(j)))
    var vector = basis.mutableSpan(of: column(j))
    let factor = norm > 0 ? 1 / norm : 0
    for i in 0..<count { vector[i] *= factor }
    return norm
  }

  /// Subtracts the projections of new vectors on the space.
  private func project(_ size: Int, _ added: Int) {
    var products = products.mutableSpan
    let old = basis.span.extracting(0..<size * count)
    BLAS.multiply(
      old, transposed: true, basis.span.extracting(size * count..<(size + added) * count),
      ldb: count, into: &products, ldc: size, m: size, n: added, k: count)
    var new = basis.mutableSpan(of: size * count..<(size + added) * count)
    BLAS.multiply(
      old, transposed: false, products.span, ldb: size, into: &new, ldc: count, m: count,
      n: added, k: size, scale: -1, keep: 1)
  }

  /// Makes a vector orthogonal to the new ones before it, twice, and scales it.
  ///
  /// - Returns: False if little of it is left.
  private func separate(_ j: Int, from first: Int) -> Bool {
    guard normalize(j) > 1e-12 else { return false }
    for _ in 0..<2 {
      for k in first..<j {
        let other = basis.span.extracting(column(k))
        var vector = basis.mutableSpan(of: column(j))
        let product = VectorSums.dot(other, vector.span)
        for i in 0..<count { vector[i] -= product * other[i] }
      }
      guard normalize(j) > 1e-4 else { return false }
    }
    return true
  }

  /// Computes the rows of the matrix that belong to new vectors.
  private func fillMatrix(_ size: Int, _ kept: Int) {
    let total = size + kept
    var products = products.mutableSpan
    BLAS.multiply(
      basis.span, transposed: true, images.span.extracting(size * count..<total * count),
      ldb: count, into: &products, ldc: total, m: total, n: kept, k: count)
    var matrix = matrix.mutableSpan
    for j in 0..<kept {
      for i in 0...size + j { matrix[i * capacity + size + j] = products[j * total + i] }
    }
  }
}
