internal import CProcessor

/// The processor that the program runs on.
public enum Processor {
  /// The name of an instruction set that the program was compiled for and this processor lacks; nil if it
  /// lacks none.
  public static var missingInstructions: String? {
    // The function returns a string that lives as long as the program.
    unsafe cprocessor_missing().map { unsafe String(cString: $0) }
  }

  /// Makes this thread take subnormal numbers for zero, as operands and as results.
  ///
  /// Moments of parameters whose gradient has become zero shrink from step to step and stop at the smallest
  /// subnormal numbers, where rounding keeps them; arithmetic with those is many times slower. The setting is
  /// part of the rule that a result has the same bits on any number of ranks: every thread that computes what
  /// enters a result calls this first, `main` and the reader of samples; the thread of
  /// the stall watch only compares times. A thread inherits the setting of the
  /// one that starts it on Linux, which is not relied upon.
  public static func flushSubnormals() { cprocessor_flush_subnormals() }

  /// Whether this thread takes subnormal numbers for zero.
  public static var flushesSubnormals: Bool { cprocessor_flushes_subnormals() != 0 }
}
