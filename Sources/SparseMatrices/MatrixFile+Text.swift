import Foundation
public import MessagePassing

extension MatrixFile {
  /// Reads a file of the Matrix Market exchange formats.
  ///
  /// Not collective. Coordinate and array files of real, integer and pattern matrices are read, general, symmetric or
  /// skew-symmetric. Entries of one place are added; those of a pattern are 1; zeros of an array are no entries. Of
  /// symmetric matrices the file has the lower triangle only.
  ///
  /// The format is that of Boisvert, Pozo, Remington (1996), *The Matrix Market Exchange Formats: Initial Design*,
  /// NISTIR 5935.
  ///
  /// - Parameter path: The path of the file.
  /// - Returns: The matrix.
  /// - Throws: `RunError`: 66 if the file is missing or cannot be read, 65 with the number of the line if it is wrong.
  public static func readMatrixMarket(_ path: String) throws(RunError) -> SparseMatrix {
    try checkReadable(path)
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    } catch {
      throw RunError(
        exitStatus: ExitStatus.inputOutput,
        "\(path): cannot be read: \(ExitStatus.reason(of: error))")
    }
    var reader = MatrixMarketReader(path: path, bytes: [UInt8](data))
    return try reader.read()
  }

  /// Writes a file of the Matrix Market exchange formats, coordinate and real.
  ///
  /// Not collective. Of a symmetric matrix the lower triangle is written. Numbers are written with as many digits as it
  /// takes to read them back exactly.
  ///
  /// - Parameters:
  ///   - matrix: The matrix.
  ///   - path: The path of the file; a file that exists is replaced.
  /// - Throws: `RunError` (73) if the file cannot be written.
  public static func writeMatrixMarket(
    _ matrix: SparseMatrix, to path: String
  ) throws(RunError) {
    let isSymmetric = matrix.isSymmetric && matrix.isStructureSymmetric
    var (lines, count) = ("", 0)
    for row in 0..<matrix.rowCount {
      for place in matrix.rowStarts[row]..<matrix.rowStarts[row + 1] {
        let column = Int(matrix.columns[place])
        guard !isSymmetric || column <= row else { break }
        lines += "\(row + 1) \(column + 1) \(matrix.values[place])\n"
        count += 1
      }
    }
    let text =
      "%%MatrixMarket matrix coordinate real \(isSymmetric ? "symmetric" : "general")\n"
      + "\(matrix.rowCount) \(matrix.columnCount) \(count)\n" + lines
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw RunError(
        exitStatus: ExitStatus.cannotCreate,
        "\(path): cannot be written: \(ExitStatus.reason(of: error))")
    }
  }
}
