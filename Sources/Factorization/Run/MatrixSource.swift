import Checkpoints
public import MessagePassing
public import SparseMatrices

/// Where a matrix comes from.
public struct MatrixSource: Sendable, Equatable, Codable {
  /// The name of a model matrix, or the path of a file.
  public var matrix: String
  /// The matrix among the objects of an HDF5 file; nil for the one that is found there.
  public var object: String?
  /// The grid of the unknowns; nil if there is none.
  public var points: [Int]?
  /// The parameters of a model matrix.
  public var options: MatrixOptions
  /// The digest of structure and values; nil before the matrix is read.
  public var digest: String?

  /// Names a matrix.
  ///
  /// - Parameters:
  ///   - matrix: The name of a model matrix, or the path of a file.
  ///   - object: The matrix among the objects of an HDF5 file.
  ///   - points: The grid of the unknowns.
  ///   - options: The parameters of a model matrix.
  public init(
    _ matrix: String, object: String? = nil, points: [Int]? = nil,
    options: MatrixOptions = MatrixOptions()
  ) {
    (self.matrix, self.object, self.points, self.options) = (matrix, object, points, options)
  }

  /// The model matrix of the name; nil if it is a path.
  public var model: ModelMatrix? { ModelMatrix(rawValue: matrix) }

  /// Throws for settings that have no meaning together.
  ///
  /// - Throws: `RunError` (64).
  public func validate() throws(RunError) {
    if let model {
      guard points != nil else {
        throw .usage("`matrix` \(matrix) needs the `points` of its grid, such as 64x64")
      }
      guard object == nil else {
        throw .usage("`object` names a matrix in a file, and \(matrix) is a model matrix")
      }
      _ = try options.resolved(for: model)
    } else if options != MatrixOptions() {
      throw .usage(
        "`length`, `nugget`, `diffusion` and `convection` are parameters of model matrices, not of a file; "
          + "models are \(ModelMatrix.allCases.map(\.rawValue).joined(separator: ", "))")
    }
  }

  /// Builds or reads the matrix.
  ///
  /// Collective: all ranks get it, or the same error.
  ///
  /// - Parameter ranks: The ranks.
  /// - Returns: The matrix, square and without stored zeros, and this source with its digest.
  /// - Throws: `RunError`: 64 for a model that does not exist so, 66 if a file is missing, 65 if its content is wrong.
  public func load(
    on ranks: borrowing Communicator
  ) throws -> (matrix: SparseMatrix, source: MatrixSource) {
    try validate()
    ranks.stallWatch.phase = .init("reading of the matrix")
    let found =
      try model.map { (model) throws(RunError) in
        try model.matrix(shape: points ?? [], options: options)
      } ?? MatrixFile.read(matrix, object: object, on: ranks)
    guard found.rowCount == found.columnCount, found.rowCount > 0 else {
      throw RunError.data(
        "\(matrix): the matrix is \(found.rowCount)×\(found.columnCount), needed is a square one")
    }
    if let points, points.reduce(1, *) != found.rowCount {
      throw RunError.usage(
        "`points` \(points.map(String.init).joined(separator: "x")): the matrix has \(found.rowCount) unknowns"
      )
    }
    let cleaned = found.withoutZeros
    var source = self
    source.digest = cleaned.digest
    return (cleaned, source)
  }
}

extension SparseMatrix {
  /// The digest of structure and values.
  public var digest: String {
    let parts = [
      Digest.of([rowCount, columnCount].span), Digest.of(rowStarts.span), Digest.of(columns.span),
      Digest.of(values.span),
    ]
    return Digest.of(Array(parts.joined(separator: " ").utf8).span)
  }
}
