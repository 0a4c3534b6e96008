public import ClusterTrees
public import MessagePassing
import ParallelHDF5

/// Where a dataset stands in its file.
public struct DatasetLayout: Sendable, Equatable, Codable {
  /// The name of the inputs.
  public var inputName = "/Input"
  /// The name of the outputs.
  public var outputName = "/Output"
  /// Whether the samples are the last dimension instead of the first.
  public var samplesLast = false

  /// Creates the default layout.
  public init() {}
}

/// A dataset file: its points and its size, without the fields.
public struct DatasetFile: Sendable {
  /// The file.
  public let path: String
  /// Where the fields stand in it.
  public let layout: DatasetLayout
  /// The points of the inputs.
  public let points: PointSet
  /// The points of the outputs, where they differ.
  public let outputPoints: PointSet?
  /// The shape of the inputs, the samples first, as if the file had them so.
  public let inputShape: [Int]
  /// The shape of the outputs; nil if they are not needed.
  public let outputShape: [Int]?

  /// The number of samples.
  public var sampleCount: Int { inputShape[0] }

  /// The number of points of an output.
  public var outputCount: Int { (outputPoints ?? points).count }

  /// Opens a dataset and checks the shapes of its fields.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - path: The HDF5 file.
  ///   - layout: The names and the order in it.
  ///   - needsOutputs: Whether the outputs must be there.
  ///   - communicator: The ranks that read together.
  /// - Returns: The description of the file.
  /// - Throws: An `ExitStatusError`: 66 if the file is missing, 65 if its content is wrong.
  public static func open(
    _ path: String, layout: DatasetLayout = DatasetLayout(), needsOutputs: Bool = true,
    on communicator: borrowing Communicator
  ) throws -> DatasetFile {
    let file = try HDF5File.open(path, on: communicator)
    let inputShape = try FieldReader(file, layout.inputName, layout).shape
    let points = try Dataset.pointSet(file, "/Points", inputShape, layout.inputName)
    guard needsOutputs else {
      return DatasetFile(
        path: path, layout: layout, points: points,
        outputPoints: try Dataset.outputPointSet(file, nil, points, layout),
        inputShape: inputShape, outputShape: nil)
    }
    let outputShape = try FieldReader(file, layout.outputName, layout).shape
    guard inputShape[0] == outputShape[0] else {
      throw RunError.data(
        "\(path): \(layout.inputName) has \(inputShape[0]) samples and \(layout.outputName) has "
          + "\(outputShape[0]); both need as many")
    }
    return DatasetFile(
      path: path, layout: layout, points: points,
      outputPoints: try Dataset.outputPointSet(file, outputShape, points, layout),
      inputShape: inputShape, outputShape: outputShape)
  }

  /// Reads the fields at some points, for all samples, and checks that they are finite numbers.
  ///
  /// Collective; the ranks may ask for different points.
  ///
  /// - Parameters:
  ///   - inputColumns: The points of the inputs, ascending; nil for all.
  ///   - outputColumns: The points of the outputs, ascending; nil for all.
  ///   - needsOutputs: Whether to read the outputs.
  ///   - communicator: The ranks that read together.
  /// - Returns: The dataset.
  /// - Throws: An `ExitStatusError`: 65 if the content is wrong.
  public func load(
    inputColumns: [Int32]? = nil, outputColumns: [Int32]? = nil, needsOutputs: Bool = true,
    on communicator: borrowing Communicator
  ) throws -> Dataset {
    let file = try HDF5File.open(path, on: communicator)
    let inputs = try FieldReader(file, layout.inputName, layout)
      .read(file, inputColumns, on: communicator)
    let outputs =
      needsOutputs
      ? try FieldReader(file, layout.outputName, layout)
        .read(file, outputColumns, on: communicator) : []
    return Dataset(
      path: path, points: points, outputPoints: outputPoints, sampleCount: sampleCount,
      inputs: inputs, outputs: outputs, inputColumns: inputColumns, outputColumns: outputColumns)
  }
}

/// Samples of an operator: input fields, and the output fields that belong to them.
public struct Dataset: Sendable {
  /// The file.
  public let path: String
  /// The points of the inputs.
  public let points: PointSet
  /// The points of the outputs, where they differ.
  public let outputPoints: PointSet?
  /// The number of samples.
  public let sampleCount: Int
  /// The inputs, `[sample][column]`.
  public let inputs: [Double]
  /// The outputs, `[sample][column]`; empty if the file has none and none were asked for.
  public let outputs: [Double]
  /// The point of each column of the inputs, ascending; nil if there are all points.
  public var inputColumns: [Int32]?
  /// The point of each column of the outputs, ascending; nil if there are all points.
  public var outputColumns: [Int32]?

  package init(
    path: String, points: PointSet, outputPoints: PointSet?, sampleCount: Int, inputs: [Double],
    outputs: [Double], inputColumns: [Int32]? = nil, outputColumns: [Int32]? = nil
  ) {
    self.path = path
    self.points = points
    self.outputPoints = outputPoints
    self.sampleCount = sampleCount
    self.inputs = inputs
    self.outputs = outputs
    self.inputColumns = inputColumns
    self.outputColumns = outputColumns
  }

  /// The number of points of an output.
  public var outputCount: Int { (outputPoints ?? points).count }
  /// The number of columns of the inputs.
  public var inputWidth: Int { inputColumns?.count ?? points.count }
  /// The number of columns of the outputs.
  public var outputWidth: Int { outputColumns?.count ?? outputCount }

  /// Throws if the squares of a field overflow or underflow.
  ///
  /// - Throws: `RunError` (65).
  package func checkSquares() throws(RunError) {
    for (name, values) in [("inputs", inputs), ("outputs", outputs)] {
      let largest = values.reduce(0) { max($0, abs($1)) }
      try Self.checkSquare(of: largest, "\(path): the \(name)")
    }
  }

  /// Refuses a field by its largest value.
  ///
  /// Sums of squares need some room above, and differences some below.
  ///
  /// - Parameters:
  ///   - largest: The largest |x| of the field.
  ///   - name: The field.
  /// - Throws: `RunError` (65).
  package static func checkSquare(of largest: Double, _ name: String) throws(RunError) {
    guard largest != 0, largest > 1e151 || largest < 1e-140 else { return }
    throw .data(
      "\(name) have values of at most \(largest), too \(largest < 1 ? "small" : "large") to be squared in "
        + "double precision; scale the data")
  }

  /// Reads a whole dataset and checks it.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - path: The HDF5 file.
  ///   - layout: The names and the order in it.
  ///   - needsOutputs: Whether the outputs must be there.
  ///   - communicator: The ranks that read together; each gets all samples.
  /// - Returns: The dataset.
  /// - Throws: An `ExitStatusError`: 66 if the file is missing, 65 if its content is wrong.
  public static func load(
    _ path: String, layout: DatasetLayout = DatasetLayout(), needsOutputs: Bool = true,
    on communicator: borrowing Communicator
  ) throws -> Dataset {
    try DatasetFile.open(path, layout: layout, needsOutputs: needsOutputs, on: communicator)
      .load(needsOutputs: needsOutputs, on: communicator)
  }

  /// Reads the points of a dataset alone.
  ///
  /// Not collective.
  ///
  /// - Parameters:
  ///   - path: The HDF5 file.
  ///   - layout: The names and the order in it.
  /// - Returns: The points of the inputs, and those of the outputs where they differ.
  /// - Throws: An `ExitStatusError`: 66 if the file is missing, 65 if its content is wrong.
  public static func points(
    _ path: String, layout: DatasetLayout
  ) throws -> (inputs: PointSet, outputs: PointSet?) {
    let file = try HDF5File.open(path)
    var shape = try FieldReader.shape(file, layout.inputName, layout)
    if layout.samplesLast, let samples = shape.popLast() { shape.insert(samples, at: 0) }
    while shape.count > 2, shape.last == 1 { shape.removeLast() }
    let points = try pointSet(file, "/Points", shape, layout.inputName)
    return (points, try outputPointSet(file, nil, points, layout))
  }

  static func outputPointSet(
    _ file: borrowing HDF5File, _ shape: [Int]?, _ points: PointSet, _ layout: DatasetLayout
  ) throws -> PointSet? {
    if try file.exists("/OutputPoints") {
      return try pointSet(file, "/OutputPoints", shape, layout.outputName)
    }
    guard let shape else { return nil }
    guard shape.dropFirst().reduce(1, *) == points.count else {
      throw RunError.data(
        "\(file.path):\(layout.outputName) has the shape \(shape), but the inputs have "
          + "\(points.count) points; give the points of the outputs in /OutputPoints")
    }
    return nil
  }

  /// Reads points, or makes the uniform grid of a field's shape.
  static func pointSet(
    _ file: borrowing HDF5File, _ name: String, _ shape: [Int]?, _ field: String
  ) throws -> PointSet {
    let sample = shape.map { Array($0.dropFirst()) }
    guard try file.exists(name) else {
      let grid = sample ?? []
      guard (1...3).contains(grid.count) else {
        throw RunError.data(
          "\(file.path):\(field) has samples of the shape \(grid); a grid has 1, 2 or 3 dimensions, "
            + "and other points are given in \(name)")
      }
      return .grid(grid)
    }
    var pointShape = try file.shape(of: name)
    // One coordinate of each point needs no second dimension.
    if pointShape.count == 1 { pointShape.append(1) }
    guard pointShape.count == 2, (1...3).contains(pointShape[1]), pointShape[0] > 0 else {
      throw RunError.data(
        "\(file.path):\(name) has the shape \(pointShape); needed is points × 1, 2 or 3 coordinates"
      )
    }
    if let sample, sample.reduce(1, *) != pointShape[0] {
      throw RunError.data(
        "\(file.path):\(name) has \(pointShape[0]) points, but a sample of \(field) has the shape "
          + "\(sample)")
    }
    do {
      return try PointSet(
        coordinates: try file.read(name, as: Double.self), dimension: pointShape[1])
    } catch let error as ClusterTreeError {
      throw RunError.data("\(file.path):\(name): \(error.message)")
    }
  }
}
