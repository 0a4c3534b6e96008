internal import BlockKernels
internal import CFFTW

/// A pair of plans for real Fourier transforms of one length, with their aligned buffers.
///
/// Plans are estimated, not measured, and the buffers always have the same alignment, so that every
/// rank gets the same plan and the same bits. Making and freeing plans is not thread safe in FFTW.
@safe
struct RealTransform: ~Copyable {
  /// The number of reals.
  let length: Int
  /// The reals.
  let values: AlignedBuffer<Double>
  /// Real and imaginary parts of the coefficients from 0 to length / 2, in turn.
  let spectrum: AlignedBuffer<Double>
  private let forwardPlan: fftw_plan
  private let backwardPlan: fftw_plan

  /// Makes the plans of one length.
  ///
  /// - Parameter length: The number of reals, positive.
  /// - Throws: ``ProblemError`` if FFTW makes no plan.
  init(length: Int) throws(ProblemError) {
    guard let size = Int32(exactly: length), size > 0 else {
      throw .solverFailed("no Fourier transform of length \(length)")
    }
    let values = AlignedBuffer<Double>(repeating: 0, count: length)
    let spectrum = AlignedBuffer<Double>(repeating: 0, count: 2 * (length / 2 + 1))
    let plans: (fftw_plan?, fftw_plan?) = unsafe Self.withPointers(values, spectrum) {
      // The buffers have the sizes that FFTW documents for these transforms; FFTW_ESTIMATE leaves
      // their contents alone.
      (
        unsafe fftw_plan_dft_r2c_1d(size, $0, $1, UInt32(FFTW_ESTIMATE)),
        unsafe fftw_plan_dft_c2r_1d(size, $1, $0, UInt32(FFTW_ESTIMATE))
      )
    }
    guard let forward = unsafe plans.0, let backward = unsafe plans.1 else {
      // Null is admissible for neither, hence only what exists is freed.
      if let plan = unsafe plans.0 { unsafe fftw_destroy_plan(plan) }
      if let plan = unsafe plans.1 { unsafe fftw_destroy_plan(plan) }
      throw .solverFailed("FFTW makes no plan of length \(length)")
    }
    self.length = length
    self.values = values
    self.spectrum = spectrum
    unsafe forwardPlan = forward
    unsafe backwardPlan = backward
  }

  deinit {
    // The plans were made by the initializer and belong to this value alone.
    unsafe fftw_destroy_plan(forwardPlan)
    unsafe fftw_destroy_plan(backwardPlan)
  }

  /// Turns the values into the spectrum.
  ///
  /// The corresponding FFTW routine is `fftw_execute`.
  func forward() {
    // The plan refers to the buffers, which live as long as this value.
    unsafe fftw_execute(forwardPlan)
  }

  /// Turns the spectrum into `length` times the values and destroys the spectrum.
  ///
  /// The corresponding FFTW routine is `fftw_execute`.
  func backward() {
    // The plan refers to the buffers, which live as long as this value.
    unsafe fftw_execute(backwardPlan)
  }

  /// Calls a function with the addresses of both buffers, the second as complex numbers.
  private static func withPointers<Result>(
    _ values: AlignedBuffer<Double>, _ spectrum: AlignedBuffer<Double>,
    _ body: (UnsafeMutablePointer<Double>?, UnsafeMutablePointer<fftw_complex>?) -> Result
  ) -> Result {
    var reals = values.mutableSpan
    var parts = spectrum.mutableSpan
    return unsafe reals.withUnsafeMutableBufferPointer { real in
      unsafe parts.withUnsafeMutableBufferPointer { part in
        // fftw_complex is two doubles, and FFTW reads nothing else through this pointer.
        unsafe body(
          real.baseAddress,
          UnsafeMutableRawPointer(part.baseAddress)?.assumingMemoryBound(to: fftw_complex.self))
      }
    }
  }
}
