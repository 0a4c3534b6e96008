import ClusterTrees
import MessagePassing
import ParallelHDF5

/// Normalized samples, read at all points by one rank, which may hold a part of the points.
package struct FieldSamples {
  private let source: SampleSource
  private let normalization: Normalization
  private let reader: SampleReader?

  /// The samples that are read together.
  private static let blockSize = 512

  package init(_ source: SampleSource, _ normalization: Normalization) throws {
    self.source = source
    self.normalization = normalization
    let isWhole = source.inputColumns == nil && source.outputColumns == nil
    guard isWhole || !source.file.layout.samplesLast else {
      throw RunError.usage(
        "`initialize` ridge reads samples that are the last dimension on one tree rank only: "
          + "use `grid` Px1")
    }
    reader = isWhole ? nil : try SampleReader(source.file, (nil, nil), needsOutputs: true)
  }

  /// Visits samples in blocks: normalized inputs and outputs, and ‖u‖.
  ///
  /// The blocks do not depend on where the samples come from.
  package func visit(
    _ samples: Range<Int>,
    _ body: (_ inputs: [[Double]], _ outputs: [[Double]], _ norms: [Double]) throws -> Void
  ) throws {
    let (inputs, outputs) = (source.file.points.count, source.file.outputCount)
    for first in stride(from: samples.lowerBound, to: samples.upperBound, by: Self.blockSize) {
      let part = Array(first..<min(first + Self.blockSize, samples.upperBound))
      let block =
        try reader.map { SampleSource.Block(data: try $0.read(part), rows: Array(part.indices)) }
        ?? source.block(part)
      let (data, rows) = (block.data, block.rows)
      var (x, y, norms): ([[Double]], [[Double]], [Double]) = ([], [], [])
      for row in rows {
        let u = data.outputs[row * outputs..<(row + 1) * outputs]
        x.append(
          zip(data.inputs[row * inputs..<(row + 1) * inputs], normalization.inputShift).map {
            ($0 - $1) / normalization.inputScale
          })
        y.append(
          zip(u, normalization.outputShift).map { ($0 - $1) / normalization.outputScale })
        norms.append(u.reduce(0) { $0 + $1 * $1 }.squareRoot())
      }
      try body(x, y, norms)
    }
  }

  /// Reads a number that stands beside the fields of a file.
  package static func attribute(_ name: String, of path: String) throws -> Double? {
    try HDF5File.open(path).attributeIfPresent(name, as: Double.self)
  }

  /// Reads the name of the problem that a file was generated for; nil if there is none.
  package static func problem(of path: String) throws -> String? {
    try HDF5File.open(path).attributeIfPresent("problem", as: String.self)
  }
}
