/// The kinds of number that can be sent as they are.
public enum ScalarKind: Sendable {
  /// An unsigned byte.
  case uint8
  /// A signed integer of 32 bits.
  case int32
  /// A signed integer of 64 bits.
  case int64
  /// An unsigned integer of 64 bits.
  case uint64
  /// A floating-point number of 32 bits.
  case float
  /// A floating-point number of 64 bits.
  case double
}

/// A number that MPI can send as it is.
///
/// Only the types that conform here are meant to: the kind must describe the memory of the type.
public protocol MPIScalar: BitwiseCopyable {
  /// The kind of number that a value is in memory.
  static var scalarKind: ScalarKind { get }
}

extension UInt8: MPIScalar {
  /// An unsigned byte, `MPI_UINT8_T`.
  public static var scalarKind: ScalarKind { .uint8 }
}

extension Int32: MPIScalar {
  /// A signed integer of 32 bits, `MPI_INT32_T`.
  public static var scalarKind: ScalarKind { .int32 }
}

extension Int64: MPIScalar {
  /// A signed integer of 64 bits, `MPI_INT64_T`.
  public static var scalarKind: ScalarKind { .int64 }
}

extension Int: MPIScalar {
  /// A signed integer of 64 bits, `MPI_INT64_T`.
  public static var scalarKind: ScalarKind { .int64 }
}

extension UInt64: MPIScalar {
  /// An unsigned integer of 64 bits, `MPI_UINT64_T`.
  public static var scalarKind: ScalarKind { .uint64 }
}

extension Float: MPIScalar {
  /// A floating-point number of 32 bits, `MPI_FLOAT`.
  public static var scalarKind: ScalarKind { .float }
}

extension Double: MPIScalar {
  /// A floating-point number of 64 bits, `MPI_DOUBLE`.
  public static var scalarKind: ScalarKind { .double }
}
