import MessagePassing

/// The norms of the outputs of a dataset.
struct SampleNorms {
  /// ‖u / s‖² of every sample.
  let squares: [Double]
  /// Whether all numbers of a sample are zero.
  let areZero: [Bool]

  /// Returns those of the given samples whose outputs are zero.
  func zeros(in samples: Range<Int>) -> [Int] { samples.filter { areZero[$0] } }

  /// Throws if ‖u‖² of a sample that is not zero overflows or underflows, so that a loss cannot be divided by it.
  ///
  /// - Parameters:
  ///   - samples: The samples.
  ///   - path: The dataset.
  /// - Throws: `RunError` (65).
  func check(_ samples: Range<Int>, of path: String) throws(RunError) {
    for sample in samples {
      try Self.check(squares[sample], isZero: areZero[sample], sample, of: path)
    }
  }

  /// Throws if the square of a sample's norm overflows or underflows.
  static func check(
    _ square: Double, isZero: Bool, _ sample: Int, of path: String
  ) throws(RunError) {
    guard !isZero, !square.isNormal else { return }
    throw .data(
      "\(path): the output of sample \(sample) is too \(square < 1 ? "small" : "large") to be squared "
        + "in double precision; scale the data")
  }
}
