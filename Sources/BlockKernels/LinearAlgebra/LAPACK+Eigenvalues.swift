internal import COpenBLAS

/// The lowest eigenvalues and eigenvectors of symmetric matrices, with the scratch memory of LAPACK.
public struct SymmetricEigenvalues {
  /// The largest order of a matrix.
  public let capacity: Int
  /// The largest number of eigenvectors.
  public let count: Int
  /// The eigenvalues found last, ascending.
  public let values: AlignedBuffer<Double>
  /// Their orthonormal eigenvectors, column-major with as many rows as the matrix has.
  public let vectors: AlignedBuffer<Double>
  private let work: AlignedBuffer<Double>
  private let integers: AlignedBuffer<Int32>
  private let support: AlignedBuffer<Int32>

  /// Allocates the scratch memory.
  ///
  /// - Parameters:
  ///   - capacity: The largest order of a matrix.
  ///   - count: The largest number of eigenvectors.
  public init(capacity: Int, count: Int) {
    precondition(
      capacity >= 1 && capacity <= 1 << 15 && count >= 1 && count <= capacity,
      "\(count) eigenvectors of order \(capacity)")
    self.capacity = capacity
    self.count = count
    values = AlignedBuffer(repeating: 0, count: capacity)
    vectors = AlignedBuffer(repeating: 0, count: capacity * count)
    // The documentation asks for 26 n and 10 n at least; with 64 n blocks of columns can be used.
    work = AlignedBuffer(repeating: 0, count: 80 * capacity)
    integers = AlignedBuffer(repeating: 0, count: 10 * capacity)
    support = AlignedBuffer(repeating: 0, count: 2 * capacity)
  }

  /// Finds the lowest eigenvalues of a matrix and their eigenvectors.
  ///
  /// The corresponding LAPACK routine is `dsyevr`.
  ///
  /// - Parameters:
  ///   - matrix: The matrix, of which the lower triangle is read; destroyed.
  ///   - order: Its order n.
  ///   - leading: The distance of its columns.
  ///   - wanted: The number of eigenvalues.
  /// - Precondition: Order and number are within the capacity, and the matrix lies in the span.
  /// - Throws: ``LAPACKError`` if the routine fails.
  public func find(
    of matrix: inout MutableSpan<Double>, order: Int, leading: Int, wanted: Int
  ) throws(LAPACKError) {
    precondition(
      order >= 1 && order <= capacity && wanted >= 1 && wanted <= min(count, order)
        && leading >= order && matrix.count >= (order - 1) * leading + order,
      "\(wanted) eigenvectors of order \(order), columns \(leading) apart, capacity \(capacity)")
    _ = singleThreadedBLAS
    var (n, lda, first, last) = (Int32(order), Int32(leading), Int32(1), Int32(wanted))
    var (lwork, liwork) = (Int32(work.count), Int32(integers.count))
    var (found, info) = (Int32(0), Int32(0))
    var (lower, upper, tolerance) = (0.0, 0.0, 0.0)
    var values = values.mutableSpan
    var vectors = vectors.mutableSpan
    var work = work.mutableSpan
    var integers = integers.mutableSpan
    var support = support.mutableSpan
    // The buffers have the sizes that the documentation of the routine asks for.
    unsafe matrix.withUnsafeMutableBufferPointer { a in
      unsafe values.withUnsafeMutableBufferPointer { w in
        unsafe vectors.withUnsafeMutableBufferPointer { z in
          unsafe work.withUnsafeMutableBufferPointer { work in
            unsafe integers.withUnsafeMutableBufferPointer { iwork in
              unsafe support.withUnsafeMutableBufferPointer { support in
                unsafe dsyevr_(
                  "V", "I", "L", &n, a.baseAddress, &lda, &lower, &upper, &first, &last,
                  &tolerance, &found, w.baseAddress, z.baseAddress, &n, support.baseAddress,
                  work.baseAddress, &lwork, iwork.baseAddress, &liwork, &info)
              }
            }
          }
        }
      }
    }
    guard info == 0, Int(found) == wanted else {
      throw LAPACKError(routine: "dsyevr", info: info == 0 ? Int(found) : Int(info))
    }
  }
}
