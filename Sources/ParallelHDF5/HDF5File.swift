internal import CHDF5
public import MessagePassing

/// An HDF5 file that is open, by one process alone or by all ranks of a communicator.
///
/// A file opened or created *on* a communicator is parallel: all its methods are collective then,
/// every rank passes the same paths, shapes and attribute values, and a failure on one rank is
/// thrown on all. So do the ends of its life: ranks that drop a parallel file wait for each other.
/// For files of one process nothing is collective.
///
/// Paths inside of a file are those of HDF5, such as `/Parameters/Weights`.
public struct HDF5File: ~Copyable {
  /// The path of the file.
  public let path: String
  /// The largest number of bytes that a rank transfers in one call of the library.
  public var transferLimit = 1 << 30
  /// Whether some ranks gather the rows of others and transfer them in larger pieces.
  ///
  /// All ranks set the same value. The rows of a rank are one piece of the file, so that there is little to
  /// gain, unless the pieces are many and small and the file system is slow with those. The default is
  /// that every rank transfers its own: in Open MPI's implementation (not in ROMIO) the ranks wait for
  /// ever when a gathered transfer fails, for example on a full disk.
  public var gathersTransfers = false
  /// The file.
  let handle: Handle
  /// The ranks that share the file, on a communicator of its own; nil for a file of one process.
  let communicator: Communicator?
  /// Whether this process created the file: what is written is not all in it before it is closed.
  let isNew: Bool

  /// Takes over a file.
  private init(
    path: String, handle: consuming Handle, communicator: consuming Communicator?, isNew: Bool
  ) {
    self.isNew = isNew
    self.path = path
    self.handle = handle
    self.communicator = communicator
  }

  /// Opens a file for reading by all ranks.
  ///
  /// Collective. The corresponding HDF5 routine is `H5Fopen`.
  ///
  /// - Parameters:
  ///   - path: The path of the file.
  ///   - communicator: The ranks that will read the file.
  /// - Returns: The file.
  /// - Throws: ``HDF5Error`` on all ranks if the file is missing, truncated, or no HDF5 file.
  public static func open(
    _ path: String, on communicator: borrowing Communicator
  ) throws(HDF5Error) -> HDF5File {
    try opened(path, on: try ranks(of: communicator, Operation(path: path, name: "open")))
  }

  /// Opens a file for reading by this process alone.
  ///
  /// Not collective. The corresponding HDF5 routine is `H5Fopen`.
  ///
  /// - Parameter path: The path of the file.
  /// - Returns: The file.
  /// - Throws: ``HDF5Error`` if the file is missing, truncated, or no HDF5 file.
  public static func open(_ path: String) throws(HDF5Error) -> HDF5File {
    try opened(path, on: nil)
  }

  /// Creates a file that all ranks write, in place of one that may exist.
  ///
  /// Collective. The corresponding HDF5 routine is `H5Fcreate`.
  ///
  /// - Parameters:
  ///   - path: The path of the file.
  ///   - communicator: The ranks that will write the file.
  /// - Returns: The file, which can be read too.
  /// - Throws: ``HDF5Error`` on all ranks if the file cannot be created.
  public static func create(
    _ path: String, on communicator: borrowing Communicator
  ) throws(HDF5Error) -> HDF5File {
    try created(path, on: try ranks(of: communicator, Operation(path: path, name: "create")))
  }

  /// Creates a file that this process alone writes, in place of one that may exist.
  ///
  /// Not collective. The corresponding HDF5 routine is `H5Fcreate`.
  ///
  /// - Parameter path: The path of the file.
  /// - Returns: The file, which can be read too.
  /// - Throws: ``HDF5Error`` if the file cannot be created.
  public static func create(_ path: String) throws(HDF5Error) -> HDF5File {
    try created(path, on: nil)
  }

  /// Closes the file and says whether everything reached it.
  ///
  /// Collective if the file is parallel. The corresponding HDF5 routine is `H5Fclose`.
  ///
  /// A file that is not closed here is closed with its variable, and then errors are lost.
  ///
  /// - Throws: ``HDF5Error`` if what was written could not be stored.
  public consuming func close() throws(HDF5Error) {
    let operation = operation("close", "", ExitStatus.inputOutput)
    var failure: HDF5Error?
    do throws(HDF5Error) { try handle.close(operation) } catch { failure = error }
    try HDF5File.agreed(communicator, operation) { () throws(HDF5Error) in
      if let failure { throw failure }
    }
  }

  /// Opens a file, which all ranks do if there is a communicator.
  private static func opened(
    _ path: String, on communicator: consuming Communicator?
  ) throws(HDF5Error) -> HDF5File {
    let operation = Operation(path: path, name: "open", ranks: FileRanks(communicator))
    let isFirst = rank(communicator) == 0
    try agreed(communicator, operation) { () throws(HDF5Error) in
      if isFirst { try checkReadable(operation) }
    }
    let properties = try accessProperties(communicator, operation)
    let handle = try agreed(communicator, operation) { () throws(HDF5Error) -> Handle in
      try operation.open(.file) { [id = properties.id] in
        unsafe H5Fopen(path, chdf5_read_only(), id)
      }
    }
    return HDF5File(path: path, handle: handle, communicator: communicator, isNew: false)
  }

  /// Creates a file, which all ranks do if there is a communicator.
  private static func created(
    _ path: String, on communicator: consuming Communicator?
  ) throws(HDF5Error) -> HDF5File {
    let operation = Operation(
      path: path, name: "create", exitStatus: ExitStatus.cannotCreate,
      ranks: FileRanks(communicator))
    let isFirst = rank(communicator) == 0
    try agreed(communicator, operation) { () throws(HDF5Error) in
      if isFirst { try checkWritable(operation) }
    }
    let properties = try accessProperties(communicator, operation)
    let handle = try agreed(communicator, operation) { () throws(HDF5Error) -> Handle in
      try operation.open(.file) { [id = properties.id] in
        unsafe H5Fcreate(path, chdf5_truncate(), chdf5_default_properties(), id)
      }
    }
    return HDF5File(path: path, handle: handle, communicator: communicator, isNew: true)
  }
}
