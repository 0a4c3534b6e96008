import Foundation

/// A digest of numbers: FNV-1a over their bytes, 64 bits.
///
/// It detects changes; it is not meant to resist forgery.
public struct Digest: Sendable {
  private var state: UInt64 = 0xcbf2_9ce4_8422_2325

  /// Creates the digest of nothing.
  public init() {}

  /// Takes in numbers.
  ///
  /// - Parameter values: The numbers, in canonical order.
  public mutating func add<T: BitwiseCopyable>(_ values: Span<T>) {
    var state = state
    let bytes = unsafe values.bytes
    for index in 0..<bytes.byteCount {
      // The index runs over the bytes of the span.
      let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
      state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }
    self.state = state
  }

  /// The digest: 16 hexadecimal digits.
  public var text: String {
    let digits = String(state, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Returns the digest of numbers.
  ///
  /// - Parameter values: The numbers.
  /// - Returns: The digest.
  public static func of<T: BitwiseCopyable>(_ values: Span<T>) -> String {
    var digest = Digest()
    digest.add(values)
    return digest.text
  }
}
