/// A way to store a matrix.
public enum CompressionMethod: String, Sendable, Codable, CaseIterable {
  /// Blocks of low rank and dense blocks.
  case h
  /// The truncated singular value decomposition of the whole matrix.
  case svd
  /// The largest elements with their places.
  case prune
  /// Integers of two bytes, with one scale a row.
  case int16
  /// Integers of one byte, with one scale a row.
  case int8
  /// Single precision.
  case float32
  /// The truncated singular value decomposition of the difference from a matrix that a seed gives.
  case delta
}
