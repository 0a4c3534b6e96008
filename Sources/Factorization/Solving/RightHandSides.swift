public import MessagePassing
import ParallelHDF5

/// Right-hand sides of an HDF5 file, and solutions in the same form.
public struct RightHandSides: Sendable {
  /// Where they are looked for.
  private static let places = ["/b", "/rhs", "/B"]
  /// Where solutions stand.
  private static let solutions = "/x"

  /// The number of vectors.
  public let vectorCount: Int
  /// The vectors, `[vector][unknown]`, the same on all ranks.
  public let values: [Double]
  /// Whether the file has one vector without a further dimension.
  public let isSingle: Bool
  /// Whether vectors are the columns of the dataset, else its rows.
  public let isColumns: Bool

  /// Reads a file: a dataset `[n]`, `[n, k]` or `[k, n]`.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - count: The number n of unknowns. With k = n vectors are the columns.
  ///   - ranks: The ranks.
  /// - Throws: `RunError` on all ranks: 66 if the file is missing, 65 if it has no such dataset or numbers that are not
  ///   finite.
  public init(_ path: String, count: Int, on ranks: borrowing Communicator) throws {
    ranks.stallWatch.phase = .init("reading of right-hand sides")
    let isFirst = ranks.rank == 0
    let found = try ranks.agree {
      isFirst ? try Self.read(path, count: count) : (vectors: 0, values: [], single: 0, columns: 0)
    }
    var sizes = [found.vectors, found.single, found.columns]
    var span = sizes.mutableSpan
    try ranks.broadcast(&span, from: 0)
    var values = isFirst ? found.values : [Double](repeating: 0, count: sizes[0] * count)
    var valueSpan = values.mutableSpan
    try ranks.broadcast(&valueSpan, from: 0)
    self.values = values
    (vectorCount, isSingle, isColumns) = (sizes[0], sizes[1] == 1, sizes[2] == 1)
  }

  private static func read(
    _ path: String, count: Int
  ) throws -> (vectors: Int, values: [Double], single: Int, columns: Int) {
    let file = try HDF5File.open(path)
    guard let name = try places.first(where: { try file.exists($0) }) else {
      throw RunError.data(
        "\(path): no dataset \(places.joined(separator: ", ")); found are "
          + "\(try file.names().prefix(8).joined(separator: ", "))")
    }
    let shape = try file.shape(of: name)
    let isColumns = shape.count == 2 && shape[0] == count
    guard shape == [count] || isColumns || shape.count == 2 && shape[1] == count,
      shape.allSatisfy({ $0 > 0 })
    else {
      throw RunError.data(
        "\(path): \(name) has the shape \(shape), needed is [\(count)], [\(count), k] or [k, \(count)]"
      )
    }
    let read = try file.read(name, as: Double.self)
    guard let place = read.firstIndex(where: { !$0.isFinite }) else {
      let vectors = read.count / count
      let values =
        isColumns
        ? (0..<vectors).flatMap { vector in (0..<count).map { read[$0 * vectors + vector] } } : read
      return (vectors, values, shape.count == 1 ? 1 : 0, isColumns ? 1 : 0)
    }
    throw RunError.data("\(path): \(name) has the value \(read[place]) at place \(place)")
  }

  /// Writes solutions in the form that right-hand sides had.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - values: The vectors, `[vector][unknown]`, the same on all ranks.
  ///   - count: Their number.
  ///   - isColumns: Whether they are the columns of the dataset.
  ///   - isSingle: Whether one vector has no further dimension.
  ///   - path: The file.
  ///   - ranks: The ranks.
  /// - Throws: An `ExitStatusError` (73, 74) if the file cannot be written.
  public static func write(
    _ values: [Double], count: Int, isColumns: Bool, isSingle: Bool, to path: String,
    on ranks: borrowing Communicator
  ) throws {
    let unknowns = values.count / max(count, 1)
    let file = try HDF5File.create(path, on: ranks)
    if count == 1, isSingle {
      try file.write(solutions, values, shape: [unknowns])
    } else if isColumns {
      let columns = (0..<unknowns).flatMap { row in (0..<count).map { values[$0 * unknowns + row] }
      }
      try file.write(solutions, columns, shape: [unknowns, count])
    } else {
      try file.write(solutions, values, shape: [count, unknowns])
    }
    try file.close()
  }
}
