import BlockKernels

/// A product U Vᵀ in the form of a singular value decomposition.
struct FactoredBlock {
  /// The left singular vectors, as columns.
  private let left: DenseMatrix
  /// The right singular vectors, as columns.
  private let right: DenseMatrix
  /// The singular values, and the errors of dropping them.
  let spectrum: BlockSpectrum

  /// Decomposes a product.
  ///
  /// Both factors become orthonormal columns times a small matrix, the product of these is decomposed. Singular
  /// value decompositions of the factors stand for their QR factorizations: they serve factors of deficient rank too.
  init(_ u: DenseMatrix, _ v: DenseMatrix) throws(HierarchicalMatrixError) {
    let (uFactors, vFactors) = try factored { () throws(LAPACKError) in
      (try u.singularValueDecomposition(), try v.singularValueDecomposition())
    }
    let uSmall = uFactors.rightTransposed.scaledRows(uFactors.values)
    let vSmall = vFactors.rightTransposed.scaledRows(vFactors.values)
    let core = uSmall.times(vSmall, transposesRight: true)
    let decomposition = try factored { () throws(LAPACKError) in
      try core.singularValueDecomposition()
    }
    left = uFactors.left.times(decomposition.left)
    right = vFactors.left.times(decomposition.rightTransposed, transposesRight: true)
    spectrum = BlockSpectrum(decomposition.values)
  }

  /// U and V of the leading singular values, with their roots in both.
  func truncated(_ rank: Int) -> (left: DenseMatrix, right: DenseMatrix) {
    let roots = spectrum.values.prefix(rank).map { $0.squareRoot() }
    return (
      left.leadingColumns(rank).scaledColumns(roots),
      right.leadingColumns(rank).scaledColumns(roots)
    )
  }
}
