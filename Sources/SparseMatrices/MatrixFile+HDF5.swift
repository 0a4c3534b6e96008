public import MessagePassing
import ParallelHDF5

extension MatrixFile {
  /// Where a matrix is looked for in a file, if its place is not given.
  private static let places = ["/A", "/matrix", "/X"]

  /// Reads a matrix of an HDF5 file.
  ///
  /// Not collective. The object is a dataset `[rows, columns]`, of which zeros are no entries, or a group with the
  /// datasets `data`, `indices` and `indptr` and the dataset or attribute `shape`, as h5py writes the arrays of SciPy
  /// and anndata its groups. The rows are compressed, or the columns if the attribute `encoding-type` says
  /// `csc_matrix` or only that fits the shape. If no object is named it is `/A`, `/matrix`, `/X` or the root group.
  ///
  /// - Parameters:
  ///   - path: The path of the file.
  ///   - object: The path of the dataset or group.
  /// - Returns: The matrix.
  /// - Throws: `RunError`: 66 if the file is missing or cannot be read, 65 if it holds no such matrix.
  public static func readHDF5(
    _ path: String, object: String? = nil
  ) throws(RunError) -> SparseMatrix {
    do {
      let file = try HDF5File.open(path)
      let object = try object ?? find(in: file)
      if try file.exists(member("indptr", of: object)) { return try compressed(object, in: file) }
      guard (try? file.names(in: object)) == nil else {
        throw RunError.data("\(path): the group \(object) has no indptr, indices and data")
      }
      return try dense(object, in: file)
    } catch let error as RunError {
      throw error
    } catch {
      throw RunError(
        exitStatus: ExitStatus.status(of: error), ExitStatus.message(of: error))
    }
  }

  /// Finds the matrix of a file.
  private static func find(in file: borrowing HDF5File) throws -> String {
    if try file.exists("/indptr") { return "/" }
    for place in places where try file.exists(place) { return place }
    let names = try file.names().prefix(8).joined(separator: ", ")
    throw RunError.data(
      "\(file.path): there is no matrix: none of \(places.joined(separator: ", ")) and /indptr exists"
        + (names.isEmpty ? "; the file is empty" : "; found are \(names)"))
  }

  /// Reads a dense matrix some rows at a time.
  private static func dense(_ object: String, in file: borrowing HDF5File) throws -> SparseMatrix {
    let place = "\(file.path): \(object)"
    let shape = try file.shape(of: object)
    guard shape.count == 2 else {
      throw RunError.data("\(place): its shape is \(shape), but a matrix has 2 dimensions")
    }
    do { try SparseMatrix.checkSize(shape[0], shape[1]) } catch {
      throw RunError.data("\(place): \(error.message)")
    }
    var builder = RowBuilder(rowCount: shape[0], entryCount: 0)
    let rowsAtOnce = max(1, (1 << 22) / max(shape[1], 1))
    for start in stride(from: 0, to: shape[0], by: rowsAtOnce) {
      let rows = start..<min(start + rowsAtOnce, shape[0])
      var values = [Double](repeating: 0, count: rows.count * shape[1])
      var span = values.mutableSpan
      try file.read(object, rows: rows, into: &span)
      for row in rows {
        for column in 0..<shape[1] {
          let value = values[(row - start) * shape[1] + column]
          guard value.isFinite else {
            throw RunError.data("\(place): the value [\(row), \(column)] is \(value)")
          }
          if value != 0 { builder.append(value, at: Int32(column)) }
        }
        builder.endRow()
      }
    }
    return builder.finish(columnCount: shape[1])
  }

  /// Reads compressed rows or columns.
  private static func compressed(
    _ object: String, in file: borrowing HDF5File
  ) throws -> SparseMatrix {
    let place = "\(file.path): \(object)"
    let shape = try shape(of: object, in: file)
    do { try SparseMatrix.checkSize(shape[0], shape[1]) } catch {
      throw RunError.data("\(place): \(error.message)")
    }
    let starts = try numbers(of: member("indptr", of: object), in: file, as: Int.self)
    let indices = try numbers(of: member("indices", of: object), in: file, as: Int.self)
    let values = try numbers(of: member("data", of: object), in: file, as: Double.self)
    let encoding =
      try file.attributeIfPresent("encoding-type", on: object, as: String.self)
      ?? file.attributeIfPresent("h5sparse_format", on: object, as: String.self)
    let hasColumns: Bool
    switch encoding {
    case "csr_matrix", "csr": hasColumns = false
    case "csc_matrix", "csc": hasColumns = true
    case nil: hasColumns = starts.count - 1 != shape[0] && starts.count - 1 == shape[1]
    case let other?:
      throw RunError.data(
        "\(place): it is encoded as \(other), but csr_matrix and csc_matrix can be read")
    }
    if let wrong = indices.first(where: { Int32(exactly: $0) == nil }) {
      throw RunError.data("\(place): indices: no row or column has the number \(wrong)")
    }
    do throws(RunError) {
      let matrix = try SparseMatrix(
        rowCount: shape[hasColumns ? 1 : 0], columnCount: shape[hasColumns ? 0 : 1],
        rowStarts: starts, columns: indices.map { Int32($0) }, values: values)
      return hasColumns ? matrix.transposed : matrix
    } catch {
      let words = hasColumns ? " (of the transposed matrix, since columns are compressed)" : ""
      throw RunError.data("\(place): \(error.message)\(words)")
    }
  }

  /// Finds the rows and columns of a group.
  private static func shape(of object: String, in file: borrowing HDF5File) throws -> [Int] {
    let place = "\(file.path): \(object)"
    let found: [Int]?
    if try file.exists(member("shape", of: object)) {
      found = try numbers(of: member("shape", of: object), in: file, as: Int.self)
    } else {
      found =
        try file.attributeIfPresent("shape", on: object, as: [Int].self)
        ?? file.attributeIfPresent("h5sparse_shape", on: object, as: [Int].self)
    }
    guard let shape = found else {
      throw RunError.data("\(place): it has no dataset and no attribute with the name shape")
    }
    guard shape.count == 2 else {
      throw RunError.data("\(place): its shape is \(shape), but a matrix has 2 dimensions")
    }
    return shape
  }

  /// Reads a list of numbers.
  private static func numbers<Number: HDF5Scalar>(
    of object: String, in file: borrowing HDF5File, as type: Number.Type
  ) throws -> [Number] {
    guard try file.exists(object) else {
      throw RunError.data("\(file.path): there is no \(object)")
    }
    let shape = try file.shape(of: object)
    guard shape.count == 1 else {
      throw RunError.data(
        "\(file.path): the shape of \(object) is \(shape), but it has to be a list")
    }
    return try file.read(object, as: type)
  }

  /// The path of an object in a group.
  private static func member(_ name: String, of group: String) -> String {
    group.hasSuffix("/") ? group + name : "\(group)/\(name)"
  }
}
