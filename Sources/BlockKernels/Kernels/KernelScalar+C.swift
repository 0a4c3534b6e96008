internal import COpenBLAS
internal import CProcessor

#if LIBXSMM
internal import CXSMM
#endif

/// Tells OpenBLAS once to use one thread: a rank is one thread.
let singleThreadedBLAS: Void = openblas_set_num_threads(1)

extension Float: KernelScalar {
  /// Returns max(x, 0) of sixteen numbers; NaN stays NaN.
  @inlinable @inline(__always)
  public static func rectified(_ values: SIMD16<Float>) -> SIMD16<Float> {
    values.replacing(with: 0, where: values .< 0)
  }

  /// Returns x where y is positive, and 0 elsewhere.
  @inlinable @inline(__always)
  public static func gated(_ values: SIMD16<Float>, by gate: SIMD16<Float>) -> SIMD16<Float> {
    SIMD16<Float>().replacing(with: values, where: gate .> 0)
  }

  /// Returns one of two numbers by the sign of a third.
  @inlinable @inline(__always)
  public static func choosing(
    _ values: SIMD16<Float>, whereNegative sign: SIMD16<Float>, else others: SIMD16<Float>
  ) -> SIMD16<Float> {
    others.replacing(with: values, where: sign .< 0)
  }

  /// The name in configurations and files.
  public static var precisionName: String { "float" }

  /// Replaces numbers by their square roots.
  public static func takeSquareRoots(of values: UnsafeMutablePointer<Float>, count: Int) {
    unsafe cprocessor_square_roots_float(values, count)
  }

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

  /// Transposes a matrix.
  public static func transpose(
    _ source: UnsafePointer<Float>, rows: Int, columns: Int,
    into target: UnsafeMutablePointer<Float>, stride: Int
  ) {
    // The caller says that both matrices have this size.
    #if LIBXSMM
    unsafe libxsmm_otrans(
      target, source, 4, Int32(rows), Int32(columns), Int32(rows), Int32(stride))
    #else
    unsafe cblas_somatcopy(
      CblasColMajor, CblasTrans, Int32(rows), Int32(columns), 1, source, Int32(rows), target,
      Int32(stride))
    #endif
  }
}

extension Double: KernelScalar {
  /// Returns max(x, 0) of sixteen numbers; NaN stays NaN.
  @inlinable @inline(__always)
  public static func rectified(_ values: SIMD16<Double>) -> SIMD16<Double> {
    values.replacing(with: 0, where: values .< 0)
  }

  /// Returns x where y is positive, and 0 elsewhere.
  @inlinable @inline(__always)
  public static func gated(_ values: SIMD16<Double>, by gate: SIMD16<Double>) -> SIMD16<Double> {
    SIMD16<Double>().replacing(with: values, where: gate .> 0)
  }

  /// Returns one of two numbers by the sign of a third.
  @inlinable @inline(__always)
  public static func choosing(
    _ values: SIMD16<Double>, whereNegative sign: SIMD16<Double>, else others: SIMD16<Double>
  ) -> SIMD16<Double> {
    others.replacing(with: values, where: sign .< 0)
  }

  /// The name in configurations and files.
  public static var precisionName: String { "double" }

  /// Replaces numbers by their square roots.
  public static func takeSquareRoots(of values: UnsafeMutablePointer<Double>, count: Int) {
    unsafe cprocessor_square_roots_double(values, count)
  }

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

  /// Transposes a matrix.
  public static func transpose(
    _ source: UnsafePointer<Double>, rows: Int, columns: Int,
    into target: UnsafeMutablePointer<Double>, stride: Int
  ) {
    // The caller says that both matrices have this size.
    #if LIBXSMM
    unsafe libxsmm_otrans(
      target, source, 8, Int32(rows), Int32(columns), Int32(rows), Int32(stride))
    #else
    unsafe cblas_domatcopy(
      CblasColMajor, CblasTrans, Int32(rows), Int32(columns), 1, source, Int32(rows), target,
      Int32(stride))
    #endif
  }
}
