internal import CHDF5

extension HDF5File {
  /// Reads an attribute that is a string.
  ///
  /// Collective if the file is parallel. The corresponding HDF5 routine is `H5Aread`.
  ///
  /// - Parameters:
  ///   - name: The name of the attribute.
  ///   - path: The path of the object that has it.
  ///   - type: The type `String`.
  /// - Returns: The value.
  /// - Throws: ``HDF5Error`` if there is no such attribute or it is no single string.
  public func attribute(
    _ name: String, on path: String = "/", as type: String.Type
  ) throws(HDF5Error) -> String {
    let operation = operation("read attribute \(name) of", path)
    let attribute = try openAttribute(name, path, operation)
    let type = try operation.open(.datatype) { [id = attribute.id] in H5Aget_type(id) }
    let kind = try HDF5ElementKind(type.id, operation)
    guard kind == .string, try shape(ofAttribute: attribute, operation).reduce(1, *) == 1 else {
      throw operation.error("it is not a string")
    }
    let isVariable = try operation.check { [id = type.id] in H5Tis_variable_str(id) } > 0
    return isVariable
      ? try readVariableString(attribute, type, operation)
      : try readFixedString(attribute, type, operation)
  }

  /// Reads an attribute that is a number.
  ///
  /// Collective if the file is parallel. The corresponding HDF5 routine is `H5Aread`.
  ///
  /// - Parameters:
  ///   - name: The name of the attribute.
  ///   - path: The path of the object that has it.
  ///   - type: The type of the number in memory.
  /// - Returns: The value.
  /// - Throws: ``HDF5Error`` if there is no such attribute or it is no single such number.
  public func attribute<T: HDF5Scalar>(
    _ name: String, on path: String = "/", as type: T.Type
  ) throws(HDF5Error) -> T {
    let values = try attribute(name, on: path, as: [T].self)
    guard values.count == 1 else {
      let operation = operation("read attribute \(name) of", path)
      throw operation.error("it has \(values.count) values, one is needed")
    }
    return values[0]
  }

  /// Reads an attribute that is a list of numbers.
  ///
  /// Collective if the file is parallel. The corresponding HDF5 routine is `H5Aread`.
  ///
  /// - Parameters:
  ///   - name: The name of the attribute.
  ///   - path: The path of the object that has it.
  ///   - type: The type of the list, such as `[Double]`.
  /// - Returns: The values.
  /// - Throws: ``HDF5Error`` if there is no such attribute or it holds no such numbers.
  public func attribute<T: HDF5Scalar>(
    _ name: String, on path: String = "/", as type: [T].Type
  ) throws(HDF5Error) -> [T] {
    let operation = operation("read attribute \(name) of", path)
    let attribute = try openAttribute(name, path, operation)
    let type = try operation.open(.datatype) { [id = attribute.id] in H5Aget_type(id) }
    try T.hdf5Kind.check(against: type.id, operation)
    let count = try shape(ofAttribute: attribute, operation).reduce(1, *)
    return try [T](capacity: count) { [id = attribute.id] (output) throws(HDF5Error) in
      guard count > 0 else { return }
      // The buffer has room for the elements of the attribute's dataspace.
      try unsafe output.withUnsafeMutableBufferPointer { (buffer, initialized) throws(HDF5Error) in
        let start = buffer.baseAddress
        try operation.check { unsafe H5Aread(id, T.hdf5Kind.memoryType, start) }
        initialized = count
      }
    }
  }

  /// Reads an attribute that is a string and may be absent.
  ///
  /// Collective if the file is parallel. The corresponding HDF5 routine is `H5Aread`.
  ///
  /// - Parameters:
  ///   - name: The name of the attribute.
  ///   - path: The path of the object that may have it.
  ///   - type: The type `String`.
  /// - Returns: The value, or nil if there is no such attribute.
  /// - Throws: ``HDF5Error`` if the attribute is no single string.
  public func attributeIfPresent(
    _ name: String, on path: String = "/", as type: String.Type
  ) throws(HDF5Error) -> String? {
    try hasAttribute(name, on: path) ? try attribute(name, on: path, as: type) : nil
  }

  /// Reads an attribute that is a number and may be absent.
  ///
  /// Collective if the file is parallel. The corresponding HDF5 routine is `H5Aread`.
  ///
  /// - Parameters:
  ///   - name: The name of the attribute.
  ///   - path: The path of the object that may have it.
  ///   - type: The type of the number in memory.
  /// - Returns: The value, or nil if there is no such attribute.
  /// - Throws: ``HDF5Error`` if the attribute is no single such number.
  public func attributeIfPresent<T: HDF5Scalar>(
    _ name: String, on path: String = "/", as type: T.Type
  ) throws(HDF5Error) -> T? {
    try hasAttribute(name, on: path) ? try attribute(name, on: path, as: type) : nil
  }

  /// Reads an attribute that is a list of numbers and may be absent.
  ///
  /// Collective if the file is parallel. The corresponding HDF5 routine is `H5Aread`.
  ///
  /// - Parameters:
  ///   - name: The name of the attribute.
  ///   - path: The path of the object that may have it.
  ///   - type: The type of the list, such as `[Double]`.
  /// - Returns: The values, or nil if there is no such attribute.
  /// - Throws: ``HDF5Error`` if the attribute holds no such numbers.
  public func attributeIfPresent<T: HDF5Scalar>(
    _ name: String, on path: String = "/", as type: [T].Type
  ) throws(HDF5Error) -> [T]? {
    try hasAttribute(name, on: path) ? try attribute(name, on: path, as: type) : nil
  }
}
