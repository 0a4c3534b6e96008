internal import CHDF5

extension HDF5ScalarKind {
  /// The library's type of a number in memory.
  var memoryType: Int64 {
    switch self {
    case .float32: chdf5_native_float()
    case .float64: chdf5_native_double()
    case .int32: chdf5_native_int32()
    case .int64: chdf5_native_int64()
    case .uint8: chdf5_native_uint8()
    }
  }

  /// The library's type of a number in a file.
  var fileType: Int64 {
    switch self {
    case .float32: chdf5_ieee_f32le()
    case .float64: chdf5_ieee_f64le()
    case .int32: chdf5_std_i32le()
    case .int64: chdf5_std_i64le()
    case .uint8: chdf5_std_u8le()
    }
  }

  /// The number of bytes in memory.
  var size: Int {
    switch self {
    case .float32, .int32: 4
    case .float64, .int64: 8
    case .uint8: 1
    }
  }

  /// Whether the numbers are integers.
  var isInteger: Bool {
    switch self {
    case .float32, .float64: false
    case .int32, .int64, .uint8: true
    }
  }

  /// What a class of types is called that holds no single numbers.
  private static func name(_ typeClass: Int) -> String {
    switch H5T_class_t(rawValue: Int32(typeClass)) {
    case H5T_COMPOUND: "compound (complex numbers are such)"
    case H5T_ENUM: "enumeration (truth values are such)"
    case H5T_ARRAY: "array"
    case H5T_VLEN: "list of varying length"
    case H5T_REFERENCE: "reference"
    default: "other"
    }
  }

  /// Throws unless the numbers of a file can become such numbers.
  func check(against type: Int64, _ operation: Operation) throws(HDF5Error) {
    let typeClass = HDF5Library.call { Int(H5Tget_class(type).rawValue) }.answer
    let accepted = isInteger ? [H5T_INTEGER] : [H5T_INTEGER, H5T_FLOAT]
    guard accepted.contains(where: { Int($0.rawValue) == typeClass }) else {
      let found = try HDF5ElementKind(type, operation)
      let needed = isInteger ? "integers" : "numbers"
      let name = found == .other ? Self.name(typeClass) : "\(found)"
      throw operation.error("it holds elements of kind \(name), \(needed) are needed")
    }
  }
}

extension HDF5ElementKind {
  /// Classifies a type of the library.
  init(_ type: Int64, _ operation: Operation) throws(HDF5Error) {
    let typeClass = try operation.check { Int(H5Tget_class(type).rawValue) }
    let size = HDF5Library.call { Int(H5Tget_size(type)) }.answer
    switch (H5T_class_t(rawValue: Int32(typeClass)), size) {
    case (H5T_FLOAT, 4): self = .float32
    case (H5T_FLOAT, 8): self = .float64
    case (H5T_INTEGER, _): self = .integer
    case (H5T_STRING, _): self = .string
    default: self = .other
    }
  }
}
