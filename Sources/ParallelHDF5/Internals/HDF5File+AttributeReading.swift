internal import CHDF5

extension HDF5File {
  /// Opens an attribute of an object.
  func openAttribute(
    _ name: String, _ path: String, _ operation: Operation
  ) throws(HDF5Error) -> Handle {
    guard try hasAttribute(name, on: path) else {
      throw operation.error("there is no such attribute")
    }
    let object = try openObject(path, operation)
    return try operation.open(.attribute) { [id = object.id] in
      unsafe H5Aopen(id, name, chdf5_default_properties())
    }
  }

  /// Finds the shape of an open attribute.
  func shape(
    ofAttribute attribute: borrowing Handle, _ operation: Operation
  ) throws(HDF5Error) -> [Int] {
    let space = try operation.open(.dataspace) { [id = attribute.id] in H5Aget_space(id) }
    return try shape(ofSpace: space, operation)
  }

  /// Reads a string whose length is part of the type, without what fills it up.
  func readFixedString(
    _ attribute: borrowing Handle, _ type: borrowing Handle, _ operation: Operation
  ) throws(HDF5Error) -> String {
    let (attribute, type) = (attribute.id, type.id)
    let size = try operation.check { Int(H5Tget_size(type)) }
    let padding = try operation.check { Int(H5Tget_strpad(type).rawValue) }
    var bytes = [UInt8](repeating: 0, count: size)
    // The array has as many bytes as the type.
    try operation.check { unsafe H5Aread(attribute, type, &bytes) }
    switch padding {
    case Int(H5T_STR_NULLTERM.rawValue): bytes = Array(bytes.prefix { $0 != 0 })
    case Int(H5T_STR_SPACEPAD.rawValue):
      while bytes.last == UInt8(ascii: " ") { bytes.removeLast() }
    default:
      while bytes.last == 0 { bytes.removeLast() }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Reads a string that the library allocates.
  func readVariableString(
    _ attribute: borrowing Handle, _ type: borrowing Handle, _ operation: Operation
  ) throws(HDF5Error) -> String {
    let (attribute, type) = (attribute.id, type.id)
    var pointer: UnsafeMutablePointer<CChar>?
    // The library sets the pointer to a C string, which belongs to the caller.
    try operation.check { unsafe H5Aread(attribute, type, &pointer) }
    guard let text = unsafe pointer else { return "" }
    let string = unsafe String(cString: text)
    try operation.check { unsafe H5free_memory(text) }
    return string
  }
}
