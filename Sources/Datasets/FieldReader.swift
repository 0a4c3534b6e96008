import MessagePassing
import ParallelHDF5

/// Reads a field of a dataset as `[sample][point]`, in either order of the file.
struct FieldReader {
  /// The shape with the samples first.
  let shape: [Int]
  private let name: String
  private let samplesLast: Bool

  /// The number of values that are read at once.
  static let blockLimit = 1 << 23

  /// Looks at the shape of a field.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - file: The file.
  ///   - name: The name of the field.
  ///   - layout: The order in it.
  /// - Throws: An `ExitStatusError`: 65 if the field has not the shape of fields.
  init(_ file: borrowing HDF5File, _ name: String, _ layout: DatasetLayout) throws {
    var shape = try Self.shape(file, name, layout)
    guard shape.count >= 2, shape.allSatisfy({ $0 > 0 }) else {
      throw RunError.data(
        "\(file.path):\(name) has the shape \(shape); needed is samples × points, "
          + "with at least one of each")
    }
    if layout.samplesLast { shape = [shape[shape.count - 1]] + shape.dropLast() }
    // A last dimension of length one, as for the channels of an image, is dropped.
    while shape.count > 2, shape.last == 1 { shape.removeLast() }
    self.shape = shape
    self.name = name
    samplesLast = layout.samplesLast
  }

  /// Returns the shape of a field in the file; says what the file holds if the field is not there.
  static func shape(
    _ file: borrowing HDF5File, _ name: String, _ layout: DatasetLayout
  ) throws -> [Int] {
    guard try !file.exists(name) else { return try file.shape(of: name) }
    let option = name == layout.inputName ? "inputName" : "outputName"
    let names = try file.names().filter { !$0.isEmpty }
    let shown = names.prefix(12).map { "/\($0)" }.joined(separator: ", ")
    throw RunError.data(
      "\(file.path): there is no dataset \(name); "
        + (names.isEmpty
          ? "the file is empty"
          : "the file holds \(shown)\(names.count > 12 ? ", …" : ""): name the field with `\(option)`")
    )
  }

  /// Reads all samples at some points and checks that they are finite numbers.
  ///
  /// Collective; the ranks may ask for different points.
  ///
  /// - Parameters:
  ///   - file: The file.
  ///   - columns: The points, ascending; nil for all.
  ///   - communicator: The ranks that read together.
  /// - Returns: The values, `[sample][column]`.
  /// - Throws: An `ExitStatusError`: 65 if a value is not a finite number.
  func read(
    _ file: borrowing HDF5File, _ columns: [Int32]?, on communicator: borrowing Communicator
  ) throws -> [Double] {
    let (samples, points) = (shape[0], shape.dropFirst().reduce(1, *))
    let width = columns?.count ?? points
    var values: [Double]
    if samplesLast {
      let stored = try file.read(name, as: Double.self)
      values = unsafe [Double](unsafeUninitializedCapacity: samples * width) { buffer, count in
        for column in 0..<width {
          let point = columns.map { Int($0[column]) } ?? column
          // Every element of the buffer is written once: `sample * width + column` runs over all.
          for sample in 0..<samples {
            unsafe buffer[sample * width + column] = stored[point * samples + sample]
          }
        }
        count = samples * width
      }
    } else if let columns {
      values = try read(file, columns, samples, points)
    } else {
      values = try file.read(name, as: Double.self)
    }
    try communicator.agree {
      try Self.checkFinite(values, "\(file.path):\(name)", columns, width) { $0 }
    }
    return values
  }

  /// Throws if a value is not a finite number.
  ///
  /// - Parameters:
  ///   - values: The values, `[row][column]`.
  ///   - name: The field.
  ///   - columns: The point of each column; nil for all.
  ///   - width: The number of columns.
  ///   - sample: Returns the sample of a row.
  /// - Throws: `RunError` (65).
  static func checkFinite(
    _ values: [Double], _ name: String, _ columns: [Int32]?, _ width: Int,
    _ sample: (_ row: Int) -> Int
  ) throws(RunError) {
    guard let wrong = values.firstIndex(where: { !$0.isFinite }) else { return }
    let point = columns.map { Int($0[wrong % width]) } ?? wrong % width
    throw .data(
      "\(name) holds \(values[wrong]) in sample \(sample(wrong / width)) at point \(point) "
        + "(counted from 0); remove or repair that sample")
  }

  /// Reads blocks of samples and takes the columns from them.
  private func read(
    _ file: borrowing HDF5File, _ columns: [Int32], _ samples: Int, _ points: Int
  ) throws -> [Double] {
    var values: [Double] = []
    values.reserveCapacity(samples * columns.count)
    // Equal on all ranks, which may read different columns.
    let rows = max(1, Self.blockLimit / points)
    let first = columns.first.map { Int($0) } ?? 0
    let range = first..<(columns.last.map { Int($0) + 1 } ?? 0)
    var block: [Double] = []
    for start in stride(from: 0, to: samples, by: rows) {
      let part = start..<min(start + rows, samples)
      if block.count != part.count * range.count {
        block = [Double](repeating: 0, count: part.count * range.count)
      }
      var span = block.mutableSpan
      try file.read(name, rows: part, columns: range, into: &span)
      for row in 0..<part.count {
        let shift = row * range.count - first
        for column in columns { values.append(block[shift + Int(column)]) }
      }
    }
    return values
  }
}
