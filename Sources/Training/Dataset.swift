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
  /// The inputs, `[sample][point]`.
  public let inputs: [Double]
  /// The outputs, `[sample][point]`; empty if the file has none and none were asked for.
  public let outputs: [Double]

  /// The number of points of an output.
  public var outputCount: Int { (outputPoints ?? points).count }

  /// Reads a dataset and checks it.
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
    let file = try HDF5File.open(path, on: communicator)
    let (inputs, inputShape) = try field(file, layout.inputName, layout)
    let points = try pointSet(file, "/Points", inputShape, layout.inputName)
    guard needsOutputs else {
      return Dataset(
        path: path, points: points, outputPoints: try outputPointSet(file, nil, points, layout),
        sampleCount: inputShape[0], inputs: inputs, outputs: [])
    }
    let (outputs, outputShape) = try field(file, layout.outputName, layout)
    guard inputShape[0] == outputShape[0] else {
      throw TrainingError.data(
        "\(path): \(layout.inputName) has \(inputShape[0]) samples and \(layout.outputName) has "
          + "\(outputShape[0]); both need as many")
    }
    let outputPoints = try outputPointSet(file, outputShape, points, layout)
    return Dataset(
      path: path, points: points, outputPoints: outputPoints,
      sampleCount: inputShape[0], inputs: inputs, outputs: outputs)
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
    var shape = try file.shape(of: layout.inputName)
    if layout.samplesLast, let samples = shape.popLast() { shape.insert(samples, at: 0) }
    while shape.count > 2, shape.last == 1 { shape.removeLast() }
    let points = try pointSet(file, "/Points", shape, layout.inputName)
    return (points, try outputPointSet(file, nil, points, layout))
  }

  /// Reads fields as `[sample][point]` and checks that they are finite numbers.
  private static func field(
    _ file: borrowing HDF5File, _ name: String, _ layout: DatasetLayout
  ) throws -> ([Double], [Int]) {
    var shape = try file.shape(of: name)
    guard shape.count >= 2, shape.allSatisfy({ $0 > 0 }) else {
      throw TrainingError.data(
        "\(file.path):\(name) has the shape \(shape); needed is samples × points, "
          + "with at least one of each")
    }
    var values = try file.read(name, as: Double.self)
    if layout.samplesLast {
      let samples = shape[shape.count - 1]
      shape = [samples] + shape.dropLast()
      let count = values.count / samples
      values = unsafe [Double](unsafeUninitializedCapacity: values.count) { buffer, initialized in
        for point in 0..<count {
          // Every element of the buffer is written once: `sample * count + point` runs over all.
          for sample in 0..<samples {
            unsafe buffer[sample * count + point] = values[point * samples + sample]
          }
        }
        initialized = samples * count
      }
    }
    // A dimension of length one at the end, as for the channels of an image, says nothing.
    while shape.count > 2, shape.last == 1 { shape.removeLast() }
    if let wrong = values.firstIndex(where: { !$0.isFinite }) {
      let count = values.count / shape[0]
      throw TrainingError.data(
        "\(file.path):\(name) holds \(values[wrong]) in sample \(wrong / count) at point "
          + "\(wrong % count) (counted from 0); remove or repair that sample")
    }
    return (values, shape)
  }

  private static func outputPointSet(
    _ file: borrowing HDF5File, _ shape: [Int]?, _ points: PointSet, _ layout: DatasetLayout
  ) throws -> PointSet? {
    if try file.exists("/OutputPoints") {
      return try pointSet(file, "/OutputPoints", shape, layout.outputName)
    }
    guard let shape else { return nil }
    guard shape.dropFirst().reduce(1, *) == points.count else {
      throw TrainingError.data(
        "\(file.path):\(layout.outputName) has the shape \(shape), but the inputs have "
          + "\(points.count) points; give the points of the outputs in /OutputPoints")
    }
    return nil
  }

  /// Reads points, or makes the uniform grid of a field's shape.
  private static func pointSet(
    _ file: borrowing HDF5File, _ name: String, _ shape: [Int]?, _ field: String
  ) throws -> PointSet {
    let sample = shape.map { Array($0.dropFirst()) }
    guard try file.exists(name) else {
      let grid = sample ?? []
      guard (1...3).contains(grid.count) else {
        throw TrainingError.data(
          "\(file.path):\(field) has samples of the shape \(grid); a grid has 1, 2 or 3 dimensions, "
            + "and other points are given in \(name)")
      }
      return .grid(grid)
    }
    let pointShape = try file.shape(of: name)
    guard pointShape.count == 2, (1...3).contains(pointShape[1]), pointShape[0] > 0 else {
      throw TrainingError.data(
        "\(file.path):\(name) has the shape \(pointShape); needed is points × 1, 2 or 3")
    }
    if let sample, sample.reduce(1, *) != pointShape[0] {
      throw TrainingError.data(
        "\(file.path):\(name) has \(pointShape[0]) points, but a sample of \(field) has the shape "
          + "\(sample)")
    }
    do {
      return try PointSet(
        coordinates: try file.read(name, as: Double.self), dimension: pointShape[1])
    } catch let error as ClusterTreeError {
      throw TrainingError.data("\(file.path):\(name): \(error.message)")
    }
  }
}
