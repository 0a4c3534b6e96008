public import ClusterTrees
public import SparseMatrices

/// A matrix whose unknowns stand in the order of a tree.
public struct OrderedMatrix: Sendable {
  /// A in the order of the tree.
  public let matrix: SparseMatrix
  /// For each place of the order the number of the unknown in the matrix as it was given.
  public let order: [Int32]
  /// Whether A is symmetric and has a positive diagonal, so that it may be positive definite, and is taken to be.
  public private(set) var isSymmetric: Bool

  /// Puts the unknowns of a matrix in order.
  ///
  /// - Parameters:
  ///   - matrix: The matrix as it was given.
  ///   - tree: The tree of its unknowns.
  /// - Precondition: The tree has as many points as the matrix rows.
  public init(_ matrix: SparseMatrix, _ tree: ClusterTree) {
    order = tree.order
    let isIdentity = order.enumerated().allSatisfy { Int($1) == $0 }
    self.matrix = isIdentity ? matrix : matrix.permuted(by: order)
    isSymmetric = self.matrix.isSymmetric && self.matrix.diagonal.allSatisfy { $0 > 0 }
  }

  /// Keeps the unknowns in the order of the matrix.
  ///
  /// - Parameter matrix: The matrix as it was given.
  public init(_ matrix: SparseMatrix) {
    order = (0..<Int32(matrix.rowCount)).map { $0 }
    self.matrix = matrix
    isSymmetric = matrix.isSymmetric && matrix.diagonal.allSatisfy { $0 > 0 }
  }

  /// The same matrix, not taken to be symmetric: factored as L U, solved by GMRES.
  public var general: OrderedMatrix {
    var result = self
    result.isSymmetric = false
    return result
  }

  /// The number of unknowns.
  public var count: Int { matrix.rowCount }
}
