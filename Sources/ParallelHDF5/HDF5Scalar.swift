/// The kinds of number that files hold.
public enum HDF5ScalarKind: Sendable, CaseIterable {
  /// A floating-point number of 32 bits.
  case float32
  /// A floating-point number of 64 bits.
  case float64
  /// A signed integer of 32 bits.
  case int32
  /// A signed integer of 64 bits.
  case int64
  /// An unsigned byte.
  case uint8
}

/// A number that can be read from and written to files.
///
/// Other types must not conform: the kind must describe the memory of the type.
/// Numbers are converted if the file holds other ones; only from floating point to integers is an
/// error. Files are little-endian on every machine.
public protocol HDF5Scalar: BitwiseCopyable {
  /// The kind of number that a value is in memory.
  static var hdf5Kind: HDF5ScalarKind { get }
}

extension Float: HDF5Scalar {
  /// A floating-point number of 32 bits.
  public static var hdf5Kind: HDF5ScalarKind { .float32 }
}

extension Double: HDF5Scalar {
  /// A floating-point number of 64 bits.
  public static var hdf5Kind: HDF5ScalarKind { .float64 }
}

extension Int32: HDF5Scalar {
  /// A signed integer of 32 bits.
  public static var hdf5Kind: HDF5ScalarKind { .int32 }
}

extension Int64: HDF5Scalar {
  /// A signed integer of 64 bits.
  public static var hdf5Kind: HDF5ScalarKind { .int64 }
}

extension Int: HDF5Scalar {
  /// A signed integer of 64 bits.
  public static var hdf5Kind: HDF5ScalarKind { .int64 }
}

extension UInt8: HDF5Scalar {
  /// An unsigned byte.
  public static var hdf5Kind: HDF5ScalarKind { .uint8 }
}

/// The kinds of element that a dataset can have, as far as they matter here.
public enum HDF5ElementKind: Sendable {
  /// Floating-point numbers of 32 bits.
  case float32
  /// Floating-point numbers of 64 bits.
  case float64
  /// Integers of any width.
  case integer
  /// Strings of fixed or variable length.
  case string
  /// Anything else, among it floating-point numbers of other widths.
  case other
}
