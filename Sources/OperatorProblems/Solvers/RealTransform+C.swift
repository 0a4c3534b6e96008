internal import BlockKernels
internal import CFFTW
private import Synchronization

/// A pair of plans for real Fourier transforms of one shape, with their aligned buffers.
///
/// Plans are estimated, not measured, and the buffers always have the same alignment, so that every
/// rank gets the same plan and the same bits. FFTW's planner is not thread safe: a lock serves
/// all transforms of the process, but not planning by other code.
@safe
struct RealTransform: ~Copyable {
  /// The number of reals on each axis.
  let shape: [Int]
  /// The number of reals.
  let length: Int
  /// The reals.
  let values: AlignedBuffer<Double>
  /// Real and imaginary parts of the coefficients, in turn; the last axis goes from 0 to half its length.
  let spectrum: AlignedBuffer<Double>
  /// Held while FFTW makes or frees a plan.
  private static let planner = Mutex(())
  private let forwardPlan: fftw_plan
  private let backwardPlan: fftw_plan

  /// Makes the plans of one length.
  ///
  /// - Parameter length: The number of reals, positive.
  /// - Throws: ``ProblemError`` if FFTW makes no plan.
  init(length: Int) throws(ProblemError) { try self.init(shape: [length]) }

  /// Makes the plans of one shape.
  ///
  /// - Parameter shape: The number of reals on each axis, positive; the last axis is the fastest.
  /// - Throws: ``ProblemError`` if FFTW makes no plan.
  init(shape: [Int]) throws(ProblemError) {
    let sizes = shape.map { Int32(clamping: $0) }
    let product = shape.reduce(1.0) { $0 * Double($1) }
    guard let last = shape.last, shape.allSatisfy({ $0 > 0 }), product <= Double(Int32.max) else {
      throw .solverFailed("no Fourier transform of shape \(shape)")
    }
    let length = shape.reduce(1, *)
    let values = AlignedBuffer<Double>(repeating: 0, count: length)
    let spectrum = AlignedBuffer<Double>(
      repeating: 0, count: 2 * (length / last) * (last / 2 + 1))
    let plans = unsafe Self.planner.withLock { _ in
      unsafe Self.withPointers(values, spectrum) { real, complex in
        // The buffers have the sizes that FFTW documents for these transforms; FFTW_ESTIMATE leaves
        // their contents alone.
        let (rank, flags) = (Int32(sizes.count), UInt32(FFTW_ESTIMATE))
        let forward = unsafe fftw_plan_dft_r2c(rank, sizes, real, complex, flags)
        let backward = unsafe fftw_plan_dft_c2r(rank, sizes, complex, real, flags)
        return unsafe Plans(forward: forward, backward: backward)
      }
    }
    guard let forward = unsafe plans.forward, let backward = unsafe plans.backward else {
      unsafe Self.free(plans)
      throw .solverFailed("FFTW makes no plan of shape \(shape)")
    }
    self.shape = shape
    self.length = length
    self.values = values
    self.spectrum = spectrum
    unsafe forwardPlan = forward
    unsafe backwardPlan = backward
  }

  deinit {
    // The plans were made by the initializer and belong to this value alone.
    unsafe Self.free(Plans(forward: forwardPlan, backward: backwardPlan))
  }

  /// What FFTW made, null where it failed; a plan is bound to no thread.
  @unsafe private struct Plans: @unchecked Sendable {
    let forward: fftw_plan?
    let backward: fftw_plan?
  }

  private static func free(_ plans: Plans) {
    planner.withLock { _ in
      // Each plan was made by FFTW and is freed once.
      if let plan = unsafe plans.forward { unsafe fftw_destroy_plan(plan) }
      if let plan = unsafe plans.backward { unsafe fftw_destroy_plan(plan) }
    }
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
