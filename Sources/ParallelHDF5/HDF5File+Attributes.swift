internal import CHDF5
internal import MessagePassing

/// Attributes are small values on the file ("/"), a group or a dataset. A parallel file is changed by
/// all ranks with the same values.
extension HDF5File {
  /// Sets an attribute to a string, stored in UTF-8 with its length.
  ///
  /// Collective if the file is parallel. The corresponding HDF5 routine is `H5Awrite`.
  ///
  /// - Parameters:
  ///   - name: The name of the attribute.
  ///   - path: The path of the object that has it.
  ///   - value: The value, at most 64 000 bytes.
  /// - Throws: ``HDF5Error`` if there is no such object or it cannot be written.
  public func setAttribute(
    _ name: String, on path: String = "/", _ value: String
  ) throws(HDF5Error) {
    let operation = operation("write attribute \(name) of", path, ExitStatus.inputOutput)
    let bytes = Array(value.utf8) + (value.isEmpty ? [0] : [])
    try agreed(operation) { () throws(HDF5Error) in
      let type = try operation.open(.datatype) { H5Tcopy(chdf5_c_string()) }
      let (id, size) = (type.id, bytes.count)
      try operation.check { H5Tset_size(id, size) }
      try operation.check { H5Tset_strpad(id, H5T_STR_NULLPAD) }
      try operation.check { H5Tset_cset(id, H5T_CSET_UTF8) }
      let object = try openObject(path, operation)
      let space = try dataspace([], operation)
      let attribute = try createAttribute(name, object, type: { id }, space, operation)
      // The type has as many bytes as the array.
      try operation.check { [attribute = attribute.id] in unsafe H5Awrite(attribute, id, bytes) }
      try attribute.close(operation)
    }
  }

  /// Sets an attribute to a number.
  ///
  /// Collective if the file is parallel. The corresponding HDF5 routine is `H5Awrite`.
  ///
  /// - Parameters:
  ///   - name: The name of the attribute.
  ///   - path: The path of the object that has it.
  ///   - value: The value.
  /// - Throws: ``HDF5Error`` if there is no such object or it cannot be written.
  public func setAttribute<T: HDF5Scalar>(
    _ name: String, on path: String = "/", _ value: T
  ) throws(HDF5Error) {
    try setAttribute(name, on: path, [value], shape: [])
  }

  /// Sets an attribute to a list of numbers.
  ///
  /// Collective if the file is parallel. The corresponding HDF5 routine is `H5Awrite`.
  ///
  /// - Parameters:
  ///   - name: The name of the attribute.
  ///   - path: The path of the object that has it.
  ///   - values: The values, at most 64 000 bytes.
  /// - Throws: ``HDF5Error`` if there is no such object or it cannot be written.
  public func setAttribute<T: HDF5Scalar>(
    _ name: String, on path: String = "/", _ values: [T]
  ) throws(HDF5Error) {
    try setAttribute(name, on: path, values, shape: [values.count])
  }

  /// Says whether an object has an attribute.
  ///
  /// Collective if the file is parallel. The corresponding HDF5 routine is `H5Aexists`.
  ///
  /// - Parameters:
  ///   - name: The name of the attribute.
  ///   - path: The path of the object.
  /// - Returns: Whether the object has it; false if there is no such object.
  /// - Throws: ``HDF5Error`` if the file cannot be read.
  public func hasAttribute(_ name: String, on path: String = "/") throws(HDF5Error) -> Bool {
    let operation = operation("read attribute \(name) of", path)
    guard try exists(path) else { return false }
    let object = try openObject(path, operation)
    return try operation.check { [id = object.id] in unsafe H5Aexists(id, name) } > 0
  }

  /// Writes numbers to an attribute, in place of what it was.
  private func setAttribute<T: HDF5Scalar>(
    _ name: String, on path: String, _ values: [T], shape: [Int]
  ) throws(HDF5Error) {
    let operation = operation("write attribute \(name) of", path, ExitStatus.inputOutput)
    try agreed(operation) { () throws(HDF5Error) in
      let object = try openObject(path, operation)
      let space = try dataspace(shape, operation)
      let attribute = try createAttribute(
        name, object, type: { T.hdf5Kind.fileType }, space, operation)
      if !values.isEmpty {
        // The dataspace has as many elements as the array.
        try operation.check { [id = attribute.id] in
          unsafe H5Awrite(id, T.hdf5Kind.memoryType, values)
        }
      }
      try attribute.close(operation)
    }
  }

  /// Creates an attribute, in place of one that may exist.
  private func createAttribute(
    _ name: String, _ object: borrowing Handle, type: () -> Int64, _ space: borrowing Handle,
    _ operation: Operation
  ) throws(HDF5Error) -> Handle {
    let (id, space) = (object.id, space.id)
    if try operation.check({ unsafe H5Aexists(id, name) }) > 0 {
      try operation.check { unsafe H5Adelete(id, name) }
    }
    return try operation.open(.attribute) {
      let properties = chdf5_default_properties()
      return unsafe H5Acreate2(id, name, type(), space, properties, properties)
    }
  }
}
