import BlockKernels
import ClusterTrees
import Dispatch
import ParallelHDF5

/// Reads samples of a file on this rank alone, on request or in the background.
///
/// Only one thread uses the file at a time: a call first waits for what is read in the background.
final class SampleReader: @unchecked Sendable {
  private let description: DatasetFile
  private let file: HDF5File
  private let columns: (inputs: [Int32]?, outputs: [Int32]?)
  private let needsOutputs: Bool
  private let queue = DispatchQueue(label: "samples")
  /// What is being read, or was; touched by the queue until its work is done.
  private var announced: [Int] = []
  private var work: DispatchWorkItem?
  private var result: Result<Dataset, any Error>?
  /// The bytes of the numbers that were read, as `Double`.
  private(set) var bytesRead = 0

  init(
    _ description: DatasetFile, _ columns: (inputs: [Int32]?, outputs: [Int32]?),
    needsOutputs: Bool
  ) throws {
    self.description = description
    self.columns = columns
    self.needsOutputs = needsOutputs
    file = try HDF5File.open(description.path)
  }

  func announce(_ samples: [Int]) {
    settle()
    announced = samples
    let item = DispatchWorkItem { [self] in
      // Another thread, which converts numbers: as in `main`.
      Processor.flushSubnormals()
      result = Result { try read(samples) }
    }
    work = item
    queue.async(execute: item)
  }

  func settle() {
    work?.wait()
    work = nil
  }

  func take(_ samples: [Int]) throws -> Dataset {
    settle()
    if let result, announced == samples { return try result.get() }
    return try read(samples)
  }

  /// Reads samples in the order in which they stand in the file.
  func read(_ samples: [Int]) throws -> Dataset {
    let layout = description.layout
    let inputs = try field(layout.inputName, columns.inputs, description.points.count, samples)
    let outputs =
      needsOutputs
      ? try field(layout.outputName, columns.outputs, description.outputCount, samples) : []
    return Dataset(
      path: description.path, points: description.points,
      outputPoints: description.outputPoints, sampleCount: samples.count, inputs: inputs,
      outputs: outputs, inputColumns: columns.inputs, outputColumns: columns.outputs)
  }

  private func field(
    _ name: String, _ columns: [Int32]?, _ points: Int, _ samples: [Int]
  ) throws -> [Double] {
    let order = samples.indices.sorted { samples[$0] < samples[$1] }
    let first = columns.map { $0.first.map { Int($0) } ?? 0 } ?? 0
    let range = first..<(columns.map { $0.last.map { Int($0) + 1 } ?? 0 } ?? points)
    let width = columns?.count ?? points
    var values = [Double](repeating: 0, count: samples.count * width)
    // In blocks, since the rank's points may lie far apart in the file.
    let rows = max(1, FieldReader.blockLimit / max(range.count, 1))
    for start in stride(from: 0, to: order.count, by: rows) {
      let part = order[start..<min(start + rows, order.count)]
      var stored = [Double](repeating: 0, count: part.count * range.count)
      var span = stored.mutableSpan
      try file.read(name, rowList: part.map { samples[$0] }, columns: range, into: &span)
      bytesRead += MemoryLayout<Double>.size * part.count * range.count
      for (row, place) in part.enumerated() {
        for column in 0..<width {
          let point = columns.map { Int($0[column]) } ?? column
          values[place * width + column] = stored[row * range.count + point - first]
        }
      }
    }
    try FieldReader.checkFinite(values, "\(description.path):\(name)", columns, width) {
      samples[$0]
    }
    return values
  }
}
