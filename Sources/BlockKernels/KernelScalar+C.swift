internal import COpenBLAS

#if LIBXSMM
internal import CXSMM
#endif

/// Tells OpenBLAS once to use one thread: a rank is one thread.
let singleThreadedBLAS: Void = openblas_set_num_threads(1)

extension Float: KernelScalar {
  /// The name in configurations and files.
  public static var precisionName: String { "float" }

  /// Finds the compiled kernel for a product.
  public static func compiledKernel(_ s: ProductShape) -> UnsafeRawPointer? {
    #if LIBXSMM
    unsafe cxsmm_dispatch_float(
      Int32(s.m), Int32(s.n), Int32(s.k), Int32(s.lda), Int32(s.ldb), Int32(s.ldc),
      s.accumulates ? 1 : 0)
    #else
    nil
    #endif
  }

  /// Calls a compiled kernel.
  public static func call(
    _ kernel: UnsafeRawPointer, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
    _ c: UnsafeMutablePointer<Float>
  ) {
    #if LIBXSMM
    // The pointers reach as far as the shape says: ``MatrixProduct`` checked it.
    unsafe cxsmm_call_float(kernel, a, b, c)
    #endif
  }

  /// Computes the product by the BLAS.
  public static func multiplyByBLAS(
    _ s: ProductShape, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
    _ c: UnsafeMutablePointer<Float>
  ) {
    _ = singleThreadedBLAS
    // The pointers reach as far as the shape says: ``MatrixProduct`` checked it.
    unsafe cblas_sgemm(
      CblasColMajor, CblasNoTrans, CblasNoTrans, Int32(s.m), Int32(s.n), Int32(s.k), 1, a,
      Int32(s.lda), b, Int32(s.ldb), s.accumulates ? 1 : 0, c, Int32(s.ldc))
  }
}

extension Double: KernelScalar {
  /// The name in configurations and files.
  public static var precisionName: String { "double" }

  /// Finds the compiled kernel for a product.
  public static func compiledKernel(_ s: ProductShape) -> UnsafeRawPointer? {
    #if LIBXSMM
    unsafe cxsmm_dispatch_double(
      Int32(s.m), Int32(s.n), Int32(s.k), Int32(s.lda), Int32(s.ldb), Int32(s.ldc),
      s.accumulates ? 1 : 0)
    #else
    nil
    #endif
  }

  /// Calls a compiled kernel.
  public static func call(
    _ kernel: UnsafeRawPointer, _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>,
    _ c: UnsafeMutablePointer<Double>
  ) {
    #if LIBXSMM
    // The pointers reach as far as the shape says: ``MatrixProduct`` checked it.
    unsafe cxsmm_call_double(kernel, a, b, c)
    #endif
  }

  /// Computes the product by the BLAS.
  public static func multiplyByBLAS(
    _ s: ProductShape, _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>,
    _ c: UnsafeMutablePointer<Double>
  ) {
    _ = singleThreadedBLAS
    // The pointers reach as far as the shape says: ``MatrixProduct`` checked it.
    unsafe cblas_dgemm(
      CblasColMajor, CblasNoTrans, CblasNoTrans, Int32(s.m), Int32(s.n), Int32(s.k), 1, a,
      Int32(s.lda), b, Int32(s.ldb), s.accumulates ? 1 : 0, c, Int32(s.ldc))
  }
}
