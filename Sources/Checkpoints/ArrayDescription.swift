public import ParallelHDF5

/// The types of the elements of arrays, by the names that numpy has for them.
public enum ElementType: String, Sendable, Codable {
  /// Floating-point numbers of 32 bits.
  case float32
  /// Floating-point numbers of 64 bits.
  case float64
  /// Signed integers of 32 bits.
  case int32
  /// Signed integers of 64 bits.
  case int64
  /// Bytes.
  case uint8

  /// Finds the type of numbers of a kind.
  ///
  /// - Parameter kind: The kind.
  public init(_ kind: HDF5ScalarKind) {
    switch kind {
    case .float32: self = .float32
    case .float64: self = .float64
    case .int32: self = .int32
    case .int64: self = .int64
    case .uint8: self = .uint8
    }
  }

  /// The number of bytes of an element.
  var byteCount: Int {
    switch self {
    case .float64, .int64: 8
    case .float32, .int32: 4
    case .uint8: 1
    }
  }
}

/// What a checkpoint says about one of its arrays.
public struct ArrayDescription: Sendable, Equatable, Codable {
  /// The lengths of its dimensions.
  public let shape: [Int]
  /// The type of its elements.
  public let type: ElementType
  /// The digest of its elements.
  public let digest: String

  /// The number of its bytes; nil if a length is negative or there are more than can be counted.
  var byteCount: Int? {
    shape.reduce(type.byteCount as Int?) { product, length in
      guard let product, length >= 0 else { return nil }
      let (value, overflow) = product.multipliedReportingOverflow(by: length)
      return overflow ? nil : value
    }
  }
}
