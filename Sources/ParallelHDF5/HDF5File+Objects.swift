internal import CHDF5
internal import MessagePassing

extension HDF5File {
  /// Creates a group, and those above it; does nothing if there is one.
  ///
  /// Collective if the file is parallel. The corresponding HDF5 routine is `H5Gcreate2`.
  ///
  /// - Parameter path: The path of the group.
  /// - Throws: ``HDF5Error`` if the group cannot be created.
  public func createGroup(_ path: String) throws(HDF5Error) {
    let operation = operation("create group", path, ExitStatus.inputOutput)
    try agreed(operation) { () throws(HDF5Error) in
      guard try !isGroup(path, operation) else { return }
      let links = try linkProperties(operation)
      let group = try operation.open(.group) { [handle = handle.id, links = links.id] in
        let properties = chdf5_default_properties()
        return unsafe H5Gcreate2(handle, path, links, properties, properties)
      }
      try group.close(operation)
    }
  }

  /// Says whether there is a group or dataset.
  ///
  /// Collective if the file is parallel. The corresponding HDF5 routine is `H5Lexists`.
  ///
  /// - Parameter path: The path of the object.
  /// - Returns: Whether the path leads to an object.
  /// - Throws: ``HDF5Error`` if the file cannot be read.
  public func exists(_ path: String) throws(HDF5Error) -> Bool {
    let operation = operation("look up", path)
    return try objectKind(path, operation) != nil
  }

  /// Lists the groups and datasets of a group.
  ///
  /// Collective if the file is parallel. The corresponding HDF5 routine is `H5Lget_name_by_idx`.
  ///
  /// - Parameter group: The path of the group.
  /// - Returns: The names in the order of their bytes.
  /// - Throws: ``HDF5Error`` if there is no such group.
  public func names(in group: String = "/") throws(HDF5Error) -> [String] {
    let operation = operation("list group", group)
    guard try isGroup(group, operation) else { throw operation.error("there is no such group") }
    let object = try openObject(group, operation)
    var information = H5G_info_t()
    try operation.check { [id = object.id] in unsafe H5Gget_info(id, &information) }
    return try (0..<information.nlinks).map { (index) throws(HDF5Error) in
      try name(of: index, in: object.id, operation)
    }
  }

  /// The kinds of object that a path can lead to.
  private enum ObjectKind {
    case group, other
  }

  /// Says whether a path leads to a group.
  func isGroup(_ path: String, _ operation: Operation) throws(HDF5Error) -> Bool {
    try objectKind(path, operation) == .group
  }

  /// Follows a path link by link, since the library looks for the last one only.
  private func objectKind(_ path: String, _ operation: Operation) throws(HDF5Error) -> ObjectKind? {
    var kind: ObjectKind? = .group
    var prefix = ""
    for component in path.split(separator: "/") {
      guard kind == .group else { return nil }
      prefix += "/\(component)"
      let properties = chdf5_default_properties()
      let (id, prefix) = (handle.id, prefix)
      let hasLink = try operation.check { unsafe H5Lexists(id, prefix, properties) } > 0
      guard hasLink else { return nil }
      let leads = try operation.check { unsafe H5Oexists_by_name(id, prefix, properties) } > 0
      // A soft link may lead nowhere.
      guard leads else { return nil }
      let object = try openObject(prefix, operation)
      let type = try operation.check { [id = object.id] in Int(H5Iget_type(id).rawValue) }
      kind = type == Int(H5I_GROUP.rawValue) ? .group : .other
    }
    return kind
  }

  /// Finds the name of a link by its number in the order of names.
  private func name(
    of index: UInt64, in group: Int64, _ operation: Operation
  ) throws(HDF5Error) -> String {
    func read(_ buffer: UnsafeMutablePointer<CChar>?, _ size: Int) -> Int {
      unsafe H5Lget_name_by_idx(
        group, ".", H5_INDEX_NAME, H5_ITER_INC, index, buffer, size, chdf5_default_properties())
    }
    let length = try operation.check { read(nil, 0) }
    var bytes = [CChar](repeating: 0, count: length + 1)
    // The length includes the final zero.
    try operation.check { unsafe read(&bytes, length + 1) }
    return String(decoding: bytes.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Opens a group or dataset.
  func openObject(_ path: String, _ operation: Operation) throws(HDF5Error) -> Handle {
    try operation.open(.object) { [id = handle.id] in
      unsafe H5Oopen(id, path, chdf5_default_properties())
    }
  }

  /// Makes the properties of links in UTF-8 that create the groups above them.
  func linkProperties(_ operation: Operation) throws(HDF5Error) -> Handle {
    let properties = try operation.open(.properties) { H5Pcreate(chdf5_link_create()) }
    let id = properties.id
    try operation.check { H5Pset_create_intermediate_group(id, 1) }
    try operation.check { H5Pset_char_encoding(id, H5T_CSET_UTF8) }
    return properties
  }

  /// Describes something that is done to this file.
  func operation(
    _ name: String, _ object: String, _ exitStatus: Int32 = ExitStatus.wrongContent
  ) -> Operation {
    Operation(
      path: path, object: object, name: name, exitStatus: exitStatus,
      ranks: FileRanks(communicator))
  }
}
