public import BlockKernels

/// The metric of the inputs of a linear map: the error of A is ‖(A − H) L‖_F, where L Lᵀ is the second moment of inputs.
///
/// With the samples x_1 … x_s of the inputs, L = [x_1 … x_s]/√s, and the square of the error is the mean over samples
/// of ‖A x − H x‖₂². The mean of the inputs is part of it: subtract it from the samples if a bias takes it up.
public struct DataMetric: Sendable, Equatable {
  /// L, inputs × rank, of full column rank but for rounding.
  public let factor: DenseMatrix

  /// The number of inputs.
  public var inputs: Int { factor.rows }

  /// Takes samples of the inputs.
  ///
  /// - Parameter samples: The samples, inputs × samples, one a column.
  /// - Throws: ``HierarchicalMatrixError`` if there is none, or a number is not finite.
  public init(samples: DenseMatrix) throws(HierarchicalMatrixError) {
    guard samples.rows > 0 && samples.columns > 0 else {
      throw HierarchicalMatrixError(
        .input, "\(samples.columns) samples of \(samples.rows) inputs: give at least 1 of each")
    }
    try samples.checkRange("the samples")
    let scale = 1 / Double(samples.columns).squareRoot()
    var factor = samples
    for place in factor.elements.indices { factor.elements[place] *= scale }
    if factor.columns > factor.rows {
      // L Q for an orthogonal Q: the triangle of Lᵀ, transposed.
      let wide = factor
      let triangle = try factored { () throws(LAPACKError) in try wide.transposed.triangle() }
      factor = triangle.transposed
    }
    self.factor = factor
  }

  /// Takes the second moments of the inputs, or their covariance.
  ///
  /// The square root loses half of the digits of small eigenvalues: give samples where they are at hand.
  ///
  /// - Parameter secondMoments: The symmetric matrix C, inputs × inputs; its lower triangle is read.
  /// - Throws: ``HierarchicalMatrixError`` if it is not square, not finite, or an eigenvalue is negative beyond
  ///   rounding.
  public init(secondMoments: DenseMatrix) throws(HierarchicalMatrixError) {
    let n = secondMoments.rows
    guard n == secondMoments.columns && n > 0 else {
      throw HierarchicalMatrixError(
        .input, "second moments of \(n)×\(secondMoments.columns) numbers: give a square matrix")
    }
    try secondMoments.checkRange("the second moments")
    let (values, vectors) = try factored { () throws(LAPACKError) in
      try secondMoments.symmetricEigenvectors()
    }
    let rounding = 10 * Double(n) * Double.ulpOfOne * (values.map(abs).max() ?? 0)
    guard values[0] >= -rounding else {
      throw HierarchicalMatrixError(
        .input, "second moments with the eigenvalue \(values[0]): none can be negative")
    }
    let kept = values.indices.filter { values[$0] > rounding }.reversed()
    factor = DenseMatrix(
      rows: n, columns: kept.count,
      elements: kept.flatMap { column in
        let root = values[column].squareRoot()
        return vectors.elements[column * n..<(column + 1) * n].map { $0 * root }
      })
  }

  /// The part of a range of inputs, in a given order: its left singular vectors and their singular values.
  ///
  /// Directions in which the data do not extend, up to rounding, are left out.
  func part(_ inputs: ArraySlice<Int>) throws(HierarchicalMatrixError) -> DataPart {
    let rows = factor.rows(inputs)
    let decomposition = try factored { () throws(LAPACKError) in
      try rows.singularValueDecomposition()
    }
    let rounding =
      Double(max(rows.rows, rows.columns)) * Double.ulpOfOne * (decomposition.values.first ?? 0)
    let count = decomposition.values.prefix { $0 > rounding }.count
    return DataPart(
      directions: decomposition.left.leadingColumns(count),
      extents: Array(decomposition.values.prefix(count)))
  }
}

/// The directions P in which the data extend in some inputs J, and how far: the rows J of L are P S Wᵀ.
struct DataPart: Sendable {
  /// P, inputs × directions, orthonormal columns.
  let directions: DenseMatrix
  /// The diagonal of S, descending and positive.
  let extents: [Double]

  /// A block in the metric of the data, A P S.
  func weighted(_ block: DenseMatrix) -> DenseMatrix {
    block.times(directions).scaledColumns(extents)
  }

  /// A block without what it does outside of the data, B P Pᵀ.
  func projected(_ block: DenseMatrix) -> DenseMatrix {
    block.times(directions).times(directions, transposesRight: true)
  }
}
