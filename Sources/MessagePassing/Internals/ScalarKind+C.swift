internal import CMPI

extension ScalarKind {
  /// The datatype of the library.
  var datatype: MPI_Datatype {
    switch self {
    case .uint8: unsafe cmpi_uint8()
    case .int32: unsafe cmpi_int32()
    case .int64: unsafe cmpi_int64()
    case .uint64: unsafe cmpi_uint64()
    case .float: unsafe cmpi_float()
    case .double: unsafe cmpi_double()
    }
  }
}

extension ReductionOperation {
  /// The operation of the library.
  var operation: MPI_Op {
    switch self {
    case .sum: unsafe cmpi_sum()
    case .min: unsafe cmpi_min()
    case .max: unsafe cmpi_max()
    }
  }
}
