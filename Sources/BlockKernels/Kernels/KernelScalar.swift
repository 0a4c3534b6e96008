/// A scalar that the kernels compute with: `Float` or `Double`.
public protocol KernelScalar:
  BinaryFloatingPoint, SIMDScalar, BitwiseCopyable, Codable, Sendable
{
  /// The name that configurations and files use: `float` or `double`.
  static var precisionName: String { get }

  /// Finds the compiled kernel for a product.
  ///
  /// - Parameter shape: The shape of the product.
  /// - Returns: The kernel's address, or nil where libxsmm has none.
  static func compiledKernel(_ shape: ProductShape) -> UnsafeRawPointer?

  /// Calls a compiled kernel: C ← A B or C ← C + A B.
  ///
  /// - Parameters:
  ///   - kernel: The address that ``compiledKernel(_:)`` gave.
  ///   - a: The left factor.
  ///   - b: The right factor.
  ///   - c: The result.
  static func call(
    _ kernel: UnsafeRawPointer, _ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>,
    _ c: UnsafeMutablePointer<Self>)

  /// Computes C ← A B or C ← C + A B by the BLAS.
  ///
  /// - Parameters:
  ///   - shape: The shape of the product.
  ///   - a: The left factor.
  ///   - b: The right factor.
  ///   - c: The result.
  static func multiplyByBLAS(
    _ shape: ProductShape, _ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>,
    _ c: UnsafeMutablePointer<Self>)

  /// Transposes a matrix.
  ///
  /// - Parameters:
  ///   - source: The matrix, column-major without gaps.
  ///   - rows: Its rows.
  ///   - columns: Its columns.
  ///   - target: Its rows one behind the other.
  ///   - stride: How far they are apart.
  static func transpose(
    _ source: UnsafePointer<Self>, rows: Int, columns: Int,
    into target: UnsafeMutablePointer<Self>, stride: Int)

  /// Returns max(x, 0) of sixteen numbers; NaN stays NaN.
  ///
  /// Not in generic code, where the compiler turns a comparison of vectors into a loop over lanes.
  ///
  /// - Parameter values: x.
  /// - Returns: max(x, 0).
  static func rectified(_ values: SIMD16<Self>) -> SIMD16<Self>

  /// Returns x where y is positive, and 0 elsewhere.
  ///
  /// - Parameters:
  ///   - values: x.
  ///   - gate: y.
  /// - Returns: x or 0.
  static func gated(_ values: SIMD16<Self>, by gate: SIMD16<Self>) -> SIMD16<Self>

  /// Returns one of two numbers by the sign of a third.
  ///
  /// - Parameters:
  ///   - values: What is taken where y < 0.
  ///   - sign: y.
  ///   - others: What is taken elsewhere.
  /// - Returns: The choice.
  static func choosing(
    _ values: SIMD16<Self>, whereNegative sign: SIMD16<Self>, else others: SIMD16<Self>
  ) -> SIMD16<Self>

  /// Computes eˣ = 2ⁿ + c for sixteen numbers that are not positive, as 2ⁿ and c: so eˣ − 1 is exact to its last
  /// digits, too.
  ///
  /// - Parameter values: x; NaN stays NaN.
  /// - Returns: Both summands.
  static func exponential(
    _ values: SIMD16<Self>
  ) -> (power: SIMD16<Self>, change: SIMD16<Self>)

  /// Replaces numbers by their square roots.
  ///
  /// - Parameters:
  ///   - values: The numbers.
  ///   - count: How many.
  static func takeSquareRoots(of values: UnsafeMutablePointer<Self>, count: Int)
}
