public import MessagePassing

/// A linear map of blocks of vectors whose rows are spread over ranks.
///
/// Of each vector a rank holds a run of rows, maybe none. A block of k vectors is `[vector][row]`: the rows that the
/// rank holds of the first vector, then those of the second one. So a vector is contiguous, as inner products and
/// updates want it, and a block of one vector is that vector.
///
/// The same protocol serves for A and for a preconditioner M⁻¹.
public protocol BlockOperator {
  /// The number of rows that this rank holds.
  var rowCount: Int { get }

  /// Multiplies a block of vectors.
  ///
  /// May be collective: all ranks call it together, those without rows too. May fail on some ranks only, as long as no
  /// other waits for them inside. For the same bits on any number of ranks, results must not depend on how the rows
  /// are spread. A column must not depend on the others: those that are solved come as zeros.
  ///
  /// - Parameters:
  ///   - vectors: The block, `[columns][rowCount]`.
  ///   - results: The products, as many; every element is to be written.
  ///   - columns: The number of vectors.
  ///   - ranks: The ranks over which the rows are spread.
  /// - Throws: Any error; all ranks then fail.
  func apply(
    _ vectors: Span<Double>, into results: inout MutableSpan<Double>, columns: Int,
    on ranks: borrowing Communicator) throws
}

/// An operator that a closure applies.
public struct ClosureOperator: BlockOperator {
  /// What ``BlockOperator/apply(_:into:columns:on:)`` does.
  public typealias Body = (
    _ vectors: Span<Double>, _ results: inout MutableSpan<Double>, _ columns: Int,
    _ ranks: borrowing Communicator
  ) throws -> Void

  /// The number of rows that this rank holds.
  public let rowCount: Int
  private let body: Body

  /// Wraps a closure.
  ///
  /// - Parameters:
  ///   - rowCount: The number of rows that this rank holds.
  ///   - body: The product.
  public init(rowCount: Int, _ body: @escaping Body) {
    self.rowCount = rowCount
    self.body = body
  }

  /// Calls the closure.
  ///
  /// - Parameters:
  ///   - vectors: The block, `[columns][rowCount]`.
  ///   - results: The products, as many.
  ///   - columns: The number of vectors.
  ///   - ranks: The ranks over which the rows are spread.
  /// - Throws: What the closure throws.
  public func apply(
    _ vectors: Span<Double>, into results: inout MutableSpan<Double>, columns: Int,
    on ranks: borrowing Communicator
  ) throws {
    try body(vectors, &results, columns, ranks)
  }
}
