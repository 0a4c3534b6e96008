import Foundation
public import MessagePassing

/// Matrices in files of other programs.
public enum MatrixFile {
  /// Reads a matrix by this process alone.
  ///
  /// Not collective. What the file begins with says what it is: HDF5 or Matrix Market.
  ///
  /// - Parameters:
  ///   - path: The path of the file.
  ///   - object: The path of the dataset or group in an HDF5 file; nil for the one that is found there.
  /// - Returns: The matrix.
  /// - Throws: `RunError`: 66 if the file is missing or cannot be read, 65 if it holds no matrix of a known form.
  public static func read(_ path: String, object: String? = nil) throws(RunError) -> SparseMatrix {
    try checkReadable(path)
    if isHDF5(path) { return try readHDF5(path, object: object) }
    guard object == nil else {
      throw .data("\(path): it is no HDF5 file, so that \(object ?? "") cannot be found in it")
    }
    return try readMatrixMarket(path)
  }

  /// Reads a matrix by the first rank and copies it to all others.
  ///
  /// Collective: all ranks get the matrix, or the same error.
  ///
  /// - Parameters:
  ///   - path: The path of the file; only that of the first rank matters.
  ///   - object: The path of the dataset or group in an HDF5 file; nil for the one that is found there.
  ///   - communicator: The ranks.
  /// - Returns: The matrix.
  /// - Throws: `RunError` as ``read(_:object:)`` on the first rank, `RemoteFailure` with its message and exit status
  ///   on all others, or `MPIError` if the library fails.
  public static func read(
    _ path: String, object: String? = nil, on communicator: borrowing Communicator
  ) throws -> SparseMatrix {
    let isFirst = communicator.rank == 0
    let matrix = try communicator.agree { () throws -> SparseMatrix? in
      isFirst ? try read(path, object: object) : nil
    }
    return try SparseMatrix(matrix, broadcastOn: communicator)
  }

  /// Throws unless there is a file that can be read.
  static func checkReadable(_ path: String) throws(RunError) {
    var isDirectory: ObjCBool = false
    // The flag is set during the call.
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw RunError(exitStatus: ExitStatus.missingFile, "\(path): there is no such file")
    }
    guard !isDirectory.boolValue else { throw .data("\(path): it is a directory") }
    guard FileManager.default.isReadableFile(atPath: path) else {
      throw RunError(exitStatus: ExitStatus.missingFile, "\(path): no permission to read it")
    }
  }

  /// Says whether a file is one of HDF5: by its first bytes, or by its name if these are others.
  private static func isHDF5(_ path: String) -> Bool {
    let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]
    let handle = FileHandle(forReadingAtPath: path)
    defer { try? handle?.close() }
    let start = (try? handle?.read(upToCount: signature.count)).map { $0.map(Array.init) ?? [] }
    return start == signature || path.hasSuffix(".h5") || path.hasSuffix(".hdf5")
  }
}

extension SparseMatrix {
  /// Copies the matrix of the first rank to all others.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Bcast`.
  ///
  /// - Parameters:
  ///   - matrix: The matrix; only that of the first rank matters, which has one.
  ///   - communicator: The ranks.
  /// - Throws: `MPIError` if the library fails.
  public init(
    _ matrix: SparseMatrix?, broadcastOn communicator: borrowing Communicator
  ) throws(MPIError) {
    precondition(communicator.rank > 0 || matrix != nil, "the first rank has no matrix")
    var sizes = [matrix?.rowCount ?? 0, matrix?.columnCount ?? 0, matrix?.entryCount ?? 0]
    var span = sizes.mutableSpan
    try communicator.broadcast(&span, from: 0)
    // The arrays of the first rank are sent from where they are.
    let isFirst = communicator.rank == 0
    var starts = isFirst ? matrix?.rowStarts ?? [] : [Int](repeating: 0, count: sizes[0] + 1)
    var columns = isFirst ? matrix?.columns ?? [] : [Int32](repeating: 0, count: sizes[2])
    var values = isFirst ? matrix?.values ?? [] : [Double](repeating: 0, count: sizes[2])
    var startSpan = starts.mutableSpan
    try communicator.broadcast(&startSpan, from: 0)
    var columnSpan = columns.mutableSpan
    try communicator.broadcast(&columnSpan, from: 0)
    var valueSpan = values.mutableSpan
    try communicator.broadcast(&valueSpan, from: 0)
    self.init(columnCount: sizes[1], orderedRows: starts, columns: columns, values: values)
  }
}
