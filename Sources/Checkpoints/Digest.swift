public import MessagePassing

/// Digests of arrays of numbers, 64 bits.
///
/// The digest of w₀, w₁, … is the sum modulo 2⁶⁴ of mix(wᵢ xor (i + 1) φ). Here wᵢ are the bits of number i, with
/// zeros above them if it has fewer than 64; φ is 0x9e3779b97f4a7c15, and mix is the last step of the generator
/// splitmix64, a bijection of 64 bits. So one number that changes always changes the digest, and any other change
/// does but for a chance of 2⁻⁶⁴.
///
/// A sum has no order: each rank adds up what it has, and one reduction gives the digest of the whole array.
/// Digests detect changes; they do not resist forgery.
public enum Digest {
  private static let golden: UInt64 = 0x9e37_79b9_7f4a_7c15

  /// Returns the digest of a whole array as text.
  ///
  /// - Parameter values: The numbers.
  /// - Returns: The digest: 16 hexadecimal digits.
  public static func of<T: BitwiseCopyable>(_ values: Span<T>) -> String { text(of: sum(values)) }

  /// Returns what a part of an array contributes to its digest.
  ///
  /// - Parameters:
  ///   - values: The numbers of the part, of 1, 4 or 8 bytes each.
  ///   - first: The index of the first of them in the array.
  /// - Returns: The sum over the part.
  public static func sum<T: BitwiseCopyable>(_ values: Span<T>, from first: Int = 0) -> UInt64 {
    let bytes = unsafe values.bytes
    return unsafe bytes.withUnsafeBytes { raw in
      // The numbers stand where words of their size may stand.
      switch MemoryLayout<T>.stride {
      case 1: return unsafe sum(raw.assumingMemoryBound(to: UInt8.self), from: first)
      case 4: return unsafe sum(raw.assumingMemoryBound(to: UInt32.self), from: first)
      case 8: return unsafe sum(raw.assumingMemoryBound(to: UInt64.self), from: first)
      default: preconditionFailure("numbers of \(MemoryLayout<T>.stride) bytes have no digest")
      }
    }
  }

  /// Computes the digest of several arrays, one behind the other, that are spread over ranks.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Allreduce`.
  ///
  /// - Parameters:
  ///   - values: The rank's buffer.
  ///   - parts: What it holds of the arrays, in their order; each element is counted by one rank.
  ///   - communicator: The ranks.
  /// - Returns: The digest: 16 hexadecimal digits.
  /// - Throws: `MPIError` if the library fails.
  public static func of<T: BitwiseCopyable>(
    _ values: Span<T>, _ parts: [ArrayPart], on communicator: borrowing Communicator
  ) throws(MPIError) -> String {
    text(of: try communicator.allReduce(.sum, sum(values, parts)))
  }

  /// Returns what this rank contributes to the digest of several arrays, one behind the other.
  static func sum<T: BitwiseCopyable>(_ values: Span<T>, _ parts: [ArrayPart]) -> UInt64 {
    var (total, offset) = (UInt64(0), 0)
    for part in parts {
      total &+= sum(values.extracting(part.countedPlaces), from: offset + part.counted.lowerBound)
      offset += part.count
    }
    return total
  }

  @inline(__always)
  private static func sum<W: FixedWidthInteger & UnsignedInteger>(
    _ words: UnsafeBufferPointer<W>, from first: Int
  ) -> UInt64 {
    var total: UInt64 = 0
    var key = (UInt64(first) &+ 1) &* golden
    for place in words.indices {
      // The place is one of the words'.
      total &+= mix(UInt64(truncatingIfNeeded: unsafe words[place]) ^ key)
      key &+= golden
    }
    return total
  }

  @inline(__always)
  private static func mix(_ word: UInt64) -> UInt64 {
    var word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }

  /// Returns the line with a digest that stands behind a text.
  static func line(_ digest: String) -> [UInt8] {
    let padding = String(repeating: "0", count: 16 - digest.count)
    return Array("\n\(padding)\(digest)".utf8)
  }

  /// Returns a digest as text.
  ///
  /// - Parameter sum: The sum over the whole array.
  /// - Returns: 16 hexadecimal digits.
  public static func text(of sum: UInt64) -> String {
    let digits = String(sum, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
