import BlockKernels

/// Vectors of standard normal numbers, each a function of seed, vector and unknown.
enum NormalVectors {
  private static let purpose: UInt32 = 0x4e52_4d4c

  /// Fills rows of vectors.
  ///
  /// - Parameters:
  ///   - seed: The seed.
  ///   - columns: The vectors.
  ///   - unknowns: For each row the number of its unknown in the matrix as it was given.
  /// - Returns: The block `[column][row]`.
  static func block(seed: Int, columns: Range<Int>, unknowns: some Collection<Int32>) -> [Double] {
    columns.flatMap { column in
      unknowns.map { unknown in
        var stream = RandomStream(
          seed: Int64(seed), purpose: purpose, index: UInt64(column) << 32 | UInt64(unknown))
        return stream.normal()
      }
    }
  }
}
