public import MessagePassing

/// The matrices on which factorizations are tried, on uniform grids.
///
/// Unknowns are the points of the grid in row-major order, the last index runs fastest. Neighbours are equally far
/// from each other in all dimensions, also where the sides of the grid differ. The operators are Dirichlet problems
/// whose boundary points are no unknowns, but for `convection-diffusion-1d`.
public enum ModelMatrix: String, CaseIterable, Sendable {
  /// −u″: 2 on the diagonal, −1 beside it.
  case laplacian1D = "laplacian-1d"
  /// −Δu with five points: 4 on the diagonal, −1 for the neighbours.
  case laplacian2D = "laplacian-2d"
  /// −Δu with seven points: 6 on the diagonal, −1 for the neighbours.
  case laplacian3D = "laplacian-3d"
  /// −ε u″ + c u′ with upwind differences, of which the first and last point are the boundary: identity rows.
  ///
  /// With h = 1/(n − 1), the other rows are −ε/h² − max(c, 0)/h, 2ε/h² + |c|/h, −ε/h² − max(−c, 0)/h.
  case convectionDiffusion1D = "convection-diffusion-1d"
  /// −ε Δu + c (u_x + u_y) with upwind differences, times h².
  ///
  /// With h = 1/(n + 1), n the longer side, each dimension adds −ε − h max(c, 0) for the point before,
  /// 2ε + h |c| for the point itself, −ε − h max(−c, 0) for the point behind.
  case convectionDiffusion2D = "convection-diffusion-2d"
  /// u⁗ with u = u′ = 0 at the boundary, in the rows 1, −4, 6, −4, 1; rows at the ends are cut.
  case biharmonic1D = "biharmonic-1d"
  /// Δ²u with thirteen points and u = Δu = 0 at the boundary: the square of `laplacian-2d`.
  case biharmonic2D = "biharmonic-2d"
  /// The Gaussian kernel exp(−d²/(2ℓ²)) of the distances d, with the nugget σ² added to the diagonal.
  ///
  /// The points stand at i/(n − 1), n the longest side; 1 to 3 dimensions. All entries are stored.
  case rbf
  /// The exponential kernel exp(−d/ℓ) of the distances d, with the nugget σ² added to the diagonal.
  ///
  /// Points are those of the Gaussian kernel.
  case exponential

  /// How many dimensions the grid may have.
  public var dimensions: ClosedRange<Int> {
    switch self {
    case .laplacian1D, .convectionDiffusion1D, .biharmonic1D: 1...1
    case .laplacian2D, .convectionDiffusion2D, .biharmonic2D: 2...2
    case .laplacian3D: 3...3
    case .rbf, .exponential: 1...3
    }
  }

  /// The values of its parameters unless others are given; nil for parameters that it has not.
  public var defaults: MatrixOptions {
    switch self {
    case .laplacian1D, .laplacian2D, .laplacian3D, .biharmonic1D, .biharmonic2D: MatrixOptions()
    case .convectionDiffusion1D: MatrixOptions(diffusion: 0.1, convection: 1)
    case .convectionDiffusion2D: MatrixOptions(diffusion: 1, convection: 50)
    case .rbf: MatrixOptions(length: 0.1, nugget: 1e-2)
    case .exponential: MatrixOptions(length: 1, nugget: 0)
    }
  }

  /// Builds the matrix.
  ///
  /// - Parameters:
  ///   - shape: The points of the grid in each dimension.
  ///   - options: Its parameters.
  /// - Returns: The matrix, with as many rows as the grid has points.
  /// - Throws: `RunError` (64) if the grid has the wrong dimensions or too many points, or an option does not fit.
  public func matrix(
    shape: [Int], options: MatrixOptions = MatrixOptions()
  ) throws(RunError) -> SparseMatrix {
    let options = try options.resolved(for: self)
    try check(shape)
    // Each option that a case uses has a default there.
    let (diffusion, convection) = (options.diffusion ?? 0, options.convection ?? 0)
    let matrix =
      switch self {
      case .laplacian1D, .laplacian2D, .laplacian3D:
        GridStencil.neighbours(shape, before: -1, centre: 2, behind: -1)
      case .convectionDiffusion1D:
        GridStencil.lineWithBoundary(shape[0], diffusion: diffusion, convection: convection)
      case .convectionDiffusion2D: GridStencil.upwind(shape, diffusion, convection)
      case .biharmonic1D: GridStencil.fourthDifferences(shape[0])
      case .biharmonic2D: GridStencil.squaredLaplacian(shape)
      case .rbf: try kernel(shape, options) { $0 * $0 / 2 }
      case .exponential: try kernel(shape, options) { $0 }
      }
    guard let value = matrix.values.first(where: { !$0.isFinite }) else { return matrix }
    throw .usage(
      "the matrix \(rawValue) has entries that are \(value): its parameters are too large")
  }

  /// Throws unless the matrix exists on a grid.
  private func check(_ shape: [Int]) throws(RunError) {
    let text = shape.map(String.init).joined(separator: "x")
    guard dimensions.contains(shape.count) else {
      let needed = dimensions.count == 1 ? "\(dimensions.lowerBound)" : "1 to 3"
      throw .usage("the matrix \(rawValue) needs a grid of \(needed) dimensions, not \(text)")
    }
    var count = 1
    for size in shape {
      guard size >= 1 else { throw .usage("a grid of \(text) has no points") }
      let (product, overflows) = count.multipliedReportingOverflow(by: size)
      guard !overflows, product <= Int(Int32.max) else {
        throw .usage("a grid of \(text) has more than \(Int32.max) points")
      }
      count = product
    }
  }

  /// Builds the matrix of exp(−f(d/ℓ)).
  private func kernel(
    _ shape: [Int], _ options: MatrixOptions, _ f: (Double) -> Double
  ) throws(RunError) -> SparseMatrix {
    let count = shape.reduce(1, *)
    try Memory.check(count, count, bytes: 12) {
      .usage("the matrix \(rawValue) of \(count) points, all of its entries stored, needs \($0)")
    }
    return GridKernel(shape, length: options.length ?? 1, exponent: f)
      .matrix(nugget: options.nugget ?? 0)
  }
}
