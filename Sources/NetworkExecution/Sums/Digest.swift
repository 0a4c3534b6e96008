/// Digests of numbers: FNV-1a over their bytes, 64 bits.
///
/// They detect changes; they are not meant to resist forgery.
public enum Digest {
  /// Returns the digest of numbers.
  ///
  /// - Parameter values: The numbers, in canonical order.
  /// - Returns: The digest: 16 hexadecimal digits.
  public static func of<T: BitwiseCopyable>(_ values: Span<T>) -> String {
    text(of: extend(start, with: values))
  }

  /// The state before the first number.
  static let start: UInt64 = 0xcbf2_9ce4_8422_2325

  /// Continues a digest.
  ///
  /// - Parameters:
  ///   - state: The state after the numbers before.
  ///   - values: Further numbers.
  /// - Returns: The state after them.
  static func extend<T: BitwiseCopyable>(_ state: UInt64, with values: Span<T>) -> UInt64 {
    var state = state
    let bytes = unsafe values.bytes
    for index in 0..<bytes.byteCount {
      // The index runs over the bytes of the span.
      let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
      state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }
    return state
  }

  /// Returns a state as text: 16 hexadecimal digits.
  static func text(of state: UInt64) -> String {
    let digits = String(state, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
