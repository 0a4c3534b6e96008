import Foundation
import ParallelHDF5

/// Samples of a smooth nonlinear operator: u(x) = 1 + ∫ v(y)² / (1 + |x − y|) dy.
struct Fields {
  let samples: Int
  var shape: [Int]
  var outputShape: [Int]
  /// The coordinates of cloud points, two or three for each; nil for a grid in one dimension.
  var points: [[Double]]?
  var outputPoints: [[Double]]?
  var inputs: [Double]
  var outputs: [Double]
  /// The number of samples that the file says the outputs have.
  var outputSamples: Int

  /// Makes fields on the uniform grid of an interval.
  init(samples: Int = 120, points: Int = 40) {
    let grid = (0..<points).map { [(Double($0) + 0.5) / Double(points), 0] }
    self.init(samples: samples, sources: grid, receivers: grid)
  }

  /// Makes fields on points along a line that are stored as a grid of any shape.
  init(samples: Int = 120, grid shape: [Int]) {
    self.init(samples: samples, points: shape.reduce(1, *))
    (self.shape, outputShape) = (shape, shape)
  }

  /// Makes fields on points of the unit square.
  init(samples: Int = 120, cloud: Int, receivers: Int? = nil) {
    let sources = (0..<cloud).map { [noise(2 * $0), noise(2 * $0 + 1)] }
    let other = (0..<(receivers ?? 0)).map { [noise(2 * $0 + 5000), noise(2 * $0 + 5001)] }
    self.init(samples: samples, sources: sources, receivers: receivers == nil ? sources : other)
    points = sources
    outputPoints = receivers == nil ? nil : other
  }

  /// Makes fields on points of the unit cube.
  init(samples: Int = 120, space count: Int) {
    let sources = (0..<count).map { point in (0..<3).map { noise(3 * point + $0 + 9000) } }
    self.init(samples: samples, sources: sources, receivers: sources)
    points = sources
  }

  private init(samples: Int, sources: [[Double]], receivers: [[Double]]) {
    self.samples = samples
    outputSamples = samples
    shape = [sources.count]
    outputShape = [receivers.count]
    inputs = []
    outputs = []
    for sample in 0..<samples {
      let (a, b, c) = (noise(7 * sample), noise(7 * sample + 1), noise(7 * sample + 2))
      let field = sources.map { sin(6 * (a * $0[0] + b * $0[1]) + 6 * c) + 0.3 * a }
      inputs += field
      outputs += receivers.map { x in
        zip(sources, field).reduce(1) { sum, item in
          let distance = zip(x, item.0).reduce(0) { hypot($0, $1.0 - $1.1) }
          return sum + item.1 * item.1 / (1 + distance) / Double(sources.count)
        }
      }
    }
  }

  /// Returns the output of a sample.
  func output(_ sample: Int) -> ArraySlice<Double> {
    let count = outputShape.reduce(1, *)
    return outputs[sample * count..<(sample + 1) * count]
  }

  /// Writes a dataset.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - names: The names of inputs and outputs; one that is empty is left out.
  ///   - samplesLast: Whether the samples are the last dimension.
  /// - Throws: `HDF5Error` if the file cannot be written.
  func write(
    to path: String, names: (String, String) = ("/Input", "/Output"), samplesLast: Bool = false
  ) throws {
    func arranged(_ values: [Double], _ samples: Int, _ shape: [Int]) -> ([Double], [Int]) {
      guard samplesLast else { return (values, [samples] + shape) }
      let count = shape.reduce(1, *)
      let turned = (0..<count).flatMap { point in
        (0..<samples).map { values[$0 * count + point] }
      }
      return (turned, shape + [samples])
    }
    let file = try HDF5File.create(path)
    if !names.0.isEmpty {
      let (values, dimensions) = arranged(inputs, samples, shape)
      try file.write(names.0, values, shape: dimensions)
    }
    if !names.1.isEmpty {
      let (values, dimensions) = arranged(outputs, outputSamples, outputShape)
      try file.write(names.1, values, shape: dimensions)
    }
    for (name, cloud) in [("/Points", points), ("/OutputPoints", outputPoints)] {
      guard let cloud else { continue }
      try file.write(name, cloud.flatMap { $0 }, shape: [cloud.count, cloud[0].count])
    }
    try file.close()
  }
}

/// Returns a number in 0..<1 that is a function of its index.
func noise(_ index: Int) -> Double {
  var bits = (UInt64(index) &+ 1) &* 0x9e37_79b9_7f4a_7c15
  bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
  bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
  return Double((bits ^ (bits >> 31)) >> 11) * 0x1p-53
}

/// Reads a dataset of a file.
func read(_ path: String, _ name: String) throws -> [Double] {
  try HDF5File.open(path).read(name, as: Double.self)
}

/// Returns ‖u − û‖ / ‖u‖.
func relativeError(_ truth: some Collection<Double>, _ guess: some Collection<Double>) -> Double {
  let difference = zip(truth, guess).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  return (difference / truth.reduce(0) { $0 + $1 * $1 }).squareRoot()
}

/// The options of a network and a training that take little time; shards do not divide the batch.
let small = [
  "--channels", "3", "--layers", "2", "--batch", "40", "--shard", "16", "--report-every", "1",
]
