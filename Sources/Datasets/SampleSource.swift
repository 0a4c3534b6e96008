import ClusterTrees
public import MessagePassing

/// Where a rank's columns of the samples come from: memory if they fit, else the file, as they are needed.
///
/// Samples that were announced are read in the background.
public final class SampleSource {
  /// Some samples, and the row of each of those that were asked for.
  package struct Block {
    package let data: Dataset
    package let rows: [Int]
  }

  /// The file.
  public let file: DatasetFile
  /// The point of each column of the inputs, ascending; nil for all points.
  package let inputColumns: [Int32]?
  /// The point of each column of the outputs, ascending; nil for all points.
  package let outputColumns: [Int32]?
  /// All samples, if they are in memory.
  private let whole: Dataset?
  private let reader: SampleReader?
  /// The samples of a block when all are visited.
  private let blockSize: Int

  /// Takes samples that are in memory.
  ///
  /// - Parameter data: The dataset.
  public init(_ data: Dataset) {
    file = DatasetFile(
      path: data.path, layout: DatasetLayout(), points: data.points,
      outputPoints: data.outputPoints, inputShape: [data.sampleCount, data.inputWidth],
      outputShape: [data.sampleCount, data.outputWidth])
    (inputColumns, outputColumns) = (data.inputColumns, data.outputColumns)
    (whole, reader, blockSize) = (data, nil, data.sampleCount)
  }

  /// Opens the samples of a file at the points of a rank.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - file: The file.
  ///   - inputs: The points of the inputs that the rank needs, ascending; nil for all.
  ///   - outputs: The points of the outputs, ascending; nil for all.
  ///   - needsOutputs: Whether to read the outputs.
  ///   - readsFirst: Whether to read samples that are not kept in memory once, to find wrong values; a
  ///     caller that visits all of them finds it without.
  ///   - memory: The bytes that all samples may take on each rank. If they are more on some rank, all read
  ///     them as they are needed, unless the samples are the last dimension in the file.
  ///   - communicator: The ranks that read together.
  /// - Throws: An `ExitStatusError`: 65 if the content is wrong.
  public init(
    _ file: DatasetFile, inputs: [Int32]?, outputs: [Int32]?, needsOutputs: Bool = true,
    readsFirst: Bool = true, memory: Int = SampleSource.defaultMemory,
    on communicator: borrowing Communicator
  ) throws {
    self.file = file
    (inputColumns, outputColumns) = (inputs, outputs)
    let outputWidth = needsOutputs ? outputs?.count ?? file.outputCount : 0
    let width = (inputs?.count ?? file.points.count) + outputWidth
    let bytes = 8 * width * file.sampleCount
    let exceeds = try communicator.allReduce(.max, bytes > memory ? 1 : 0) == 1
    if exceeds && !file.layout.samplesLast {
      whole = nil
      let points = file.points.count + file.outputCount
      blockSize = max(1, FieldReader.blockLimit / points)
      let (size, samples) = (blockSize, file.sampleCount)
      let columns = (inputs: inputColumns, outputs: outputColumns)
      // Wrong values in the file are found before the first step.
      reader = try communicator.agree {
        let reader = try SampleReader(file, columns, needsOutputs: needsOutputs)
        for first in stride(from: 0, to: readsFirst ? samples : 0, by: size) {
          _ = try reader.read(Array(first..<min(first + size, samples)))
        }
        return reader
      }
    } else {
      reader = nil
      blockSize = file.sampleCount
      whole = try file.load(
        inputColumns: inputColumns, outputColumns: outputColumns, needsOutputs: needsOutputs,
        on: communicator)
    }
  }

  /// The bytes that all samples may take on each rank unless said otherwise.
  public static let defaultMemory = 4 << 30

  /// Returns the true output of a sample, in the order of the points.
  ///
  /// - Parameter sample: The sample.
  /// - Returns: The output.
  /// - Throws: An `ExitStatusError` if it cannot be read.
  /// - Precondition: The rank holds all points.
  public func output(of sample: Int) throws -> [Double] {
    precondition(outputColumns == nil, "a rank that holds a part of the points")
    let (block, count) = (try block([sample]), file.outputCount)
    return Array(block.data.outputs[block.rows[0] * count..<(block.rows[0] + 1) * count])
  }

  /// Returns samples: those that were announced, or others.
  ///
  /// - Parameter samples: The samples, in any order.
  /// - Returns: A dataset with these samples, and their rows in it.
  /// - Throws: An `ExitStatusError` if they cannot be read.
  package func block(_ samples: [Int]) throws -> Block {
    if let whole { return Block(data: whole, rows: samples) }
    guard let reader else { preconditionFailure("samples are in memory or in a file") }
    return Block(data: try reader.take(samples), rows: Array(samples.indices))
  }

  /// The bytes of numbers that were read because samples are not kept in memory.
  package var bytesRead: Int { reader?.bytesRead ?? 0 }

  /// Announces the samples that will be asked for next.
  package func announce(_ samples: [Int]) { reader?.announce(samples) }

  /// Waits until nothing is read in the background; needed before other use of the HDF5 library.
  package func settle() { reader?.settle() }

  /// Visits samples block by block, in their order.
  ///
  /// - Parameters:
  ///   - samples: The samples.
  ///   - body: Receives a dataset and the rows of the samples in it.
  /// - Throws: What reading and `body` throw.
  package func visit(
    _ samples: Range<Int>, _ body: (_ data: Dataset, _ rows: Range<Int>) throws -> Void
  )
    throws
  {
    if let whole { return try body(whole, samples) }
    for first in stride(from: samples.lowerBound, to: samples.upperBound, by: blockSize) {
      let part = first..<min(first + blockSize, samples.upperBound)
      try body(try block(Array(part)).data, 0..<part.count)
    }
  }
}
