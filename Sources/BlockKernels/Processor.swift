internal import CProcessor

/// The processor that the program runs on.
public enum Processor {
  /// The name of an instruction set that the program was compiled for and this processor lacks; nil if it
  /// lacks none.
  public static var missingInstructions: String? {
    // The function returns a string that lives as long as the program.
    unsafe cprocessor_missing().map { unsafe String(cString: $0) }
  }
}
