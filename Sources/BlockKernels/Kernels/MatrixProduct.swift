/// The shape of a product C (m×n) ← A (m×k) B (k×n), all column-major.
public struct ProductShape: Hashable, Sendable {
  /// The rows of A and C.
  public let m: Int
  /// The columns of B and C.
  public let n: Int
  /// The columns of A and rows of B.
  public let k: Int
  /// The leading dimension of A, at least m.
  public let lda: Int
  /// The leading dimension of B, at least k.
  public let ldb: Int
  /// The leading dimension of C, at least m.
  public let ldc: Int
  /// Whether the product is added to C instead of replacing it.
  public let accumulates: Bool

  /// Creates a shape.
  ///
  /// - Parameters:
  ///   - m: The rows of A and C.
  ///   - n: The columns of B and C.
  ///   - k: The columns of A and rows of B.
  ///   - lda: The leading dimension of A; m if nil.
  ///   - ldb: The leading dimension of B; k if nil.
  ///   - ldc: The leading dimension of C; m if nil.
  ///   - accumulates: Whether the product is added to C.
  /// - Precondition: All sizes are positive and the leading dimensions are large enough.
  public init(
    m: Int, n: Int, k: Int, lda: Int? = nil, ldb: Int? = nil, ldc: Int? = nil,
    accumulates: Bool
  ) {
    self.m = m
    self.n = n
    self.k = k
    self.lda = lda ?? m
    self.ldb = ldb ?? k
    self.ldc = ldc ?? m
    self.accumulates = accumulates
    precondition(m > 0 && n > 0 && k > 0, "product of \(m)×\(k) and \(k)×\(n) matrices")
    precondition(
      self.lda >= m && self.ldb >= k && self.ldc >= m,
      "leading dimensions \(self.lda), \(self.ldb), \(self.ldc) for m=\(m), k=\(k)")
  }

  /// The floating-point operations of one product, a multiply-add counted as two.
  public var flops: Int { 2 * m * n * k }

  /// How far A reaches in memory.
  @inlinable public var extentA: Int { (k - 1) * lda + m }
  /// How far B reaches in memory.
  @inlinable public var extentB: Int { (n - 1) * ldb + k }
  /// How far C reaches in memory.
  @inlinable public var extentC: Int { (n - 1) * ldc + m }
}

/// The library that multiplies: compiled kernels or the BLAS.
public enum ProductProvider: Sendable {
  /// libxsmm for small matrices where it has a kernel, OpenBLAS otherwise.
  case automatic
  /// OpenBLAS always.
  case blas
}

/// A planned product of small matrices: the shape is given once, the product computed many times.
///
/// - Note: Which library serves is a function of the shape, so equal shapes give equal bits.
@safe
public struct MatrixProduct<Scalar: KernelScalar>: @unchecked Sendable {
  /// The shape of the product.
  public let shape: ProductShape
  @usableFromInline let kernel: UnsafeRawPointer?

  /// The largest n·k for which a kernel is compiled: its code is unrolled over both.
  static var largestCompiledFactor: Int { 1 << 14 }

  /// Plans a product.
  ///
  /// - Parameters:
  ///   - shape: The shape of the product.
  ///   - provider: Which library serves.
  public init(_ shape: ProductShape, provider: ProductProvider = .automatic) {
    self.shape = shape
    let isSmall = shape.n * shape.k <= Self.largestCompiledFactor
    // A kernel's address stays valid as long as the process lives.
    unsafe kernel = provider == .automatic && isSmall ? Scalar.compiledKernel(shape) : nil
  }

  /// Whether libxsmm serves this shape.
  public var isCompiled: Bool { unsafe kernel != nil }

  /// Computes C ← A B, or C ← C + A B if the shape accumulates.
  ///
  /// - Parameters:
  ///   - a: Storage of A.
  ///   - aStart: Where A begins in it.
  ///   - b: Storage of B.
  ///   - bStart: Where B begins in it.
  ///   - c: Storage of C.
  ///   - cStart: Where C begins in it.
  /// - Precondition: The matrices lie inside their storage.
  @inlinable public func callAsFunction(
    _ a: Span<Scalar>, at aStart: Int, _ b: Span<Scalar>, at bStart: Int,
    into c: inout MutableSpan<Scalar>, at cStart: Int
  ) {
    precondition(
      aStart >= 0 && bStart >= 0 && cStart >= 0 && aStart + shape.extentA <= a.count
        && bStart + shape.extentB <= b.count && cStart + shape.extentC <= c.count,
      "a matrix of the product does not lie inside its storage")
    unsafe a.withUnsafeBufferPointer { a in
      unsafe b.withUnsafeBufferPointer { b in
        unsafe c.withUnsafeMutableBufferPointer { c in
          guard let a = a.baseAddress, let b = b.baseAddress, let c = c.baseAddress
          else { return }
          // The precondition above says that the kernel stays inside the three buffers.
          if let kernel = unsafe kernel {
            unsafe Scalar.call(kernel, a + aStart, b + bStart, c + cStart)
          } else {
            unsafe Scalar.multiplyByBLAS(shape, a + aStart, b + bStart, c + cStart)
          }
        }
      }
    }
  }

  /// Computes C ← A B, or C ← C + A B if the shape accumulates, without checks.
  ///
  /// - Parameters:
  ///   - a: A.
  ///   - b: B.
  ///   - c: C.
  @unsafe @inlinable @inline(__always)
  public func callAsFunction(
    _ a: UnsafePointer<Scalar>, _ b: UnsafePointer<Scalar>, into c: UnsafeMutablePointer<Scalar>
  ) {
    if let kernel = unsafe kernel {
      unsafe Scalar.call(kernel, a, b, c)
    } else {
      unsafe Scalar.multiplyByBLAS(shape, a, b, c)
    }
  }
}
