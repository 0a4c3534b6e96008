public import BlockKernels
import Foundation
import MessagePassing
public import ParallelHDF5

/// Writes the arrays of a checkpoint, and keeps account of them.
///
/// All methods are collective.
public struct CheckpointWriter: ~Copyable {
  private let file: HDF5File
  private let ranks: Communicator
  /// The arrays written so far, and what this rank contributes to the digest of each.
  private var arrays: [(name: String, shape: [Int], type: ElementType, sum: UInt64)] = []

  /// Creates the file.
  init(_ path: String, on communicator: borrowing Communicator) throws {
    let ranks = try communicator.duplicate()
    file = try HDF5File.create(path, on: ranks)
    self.ranks = ranks
  }

  /// Writes an array that is the same on all ranks.
  ///
  /// - Parameters:
  ///   - name: Its path in the file.
  ///   - values: The elements, with the last dimension contiguous.
  ///   - shape: The lengths of its dimensions; one dimension if nil.
  /// - Throws: `HDF5Error` if it cannot be written.
  /// - Precondition: There are as many elements as the shape says.
  public mutating func write<T: HDF5Scalar>(
    _ name: String, _ values: [T], shape: [Int]? = nil
  ) throws {
    let shape = shape ?? [values.count]
    try file.write(name, values, shape: shape)
    arrays.append(
      (name, shape, ElementType(T.hdf5Kind), ranks.rank == 0 ? Digest.sum(values.span) : 0))
  }

  /// Writes the arrays of a group, of which each rank writes what it counts.
  ///
  /// - Parameters:
  ///   - group: The path of the group.
  ///   - parts: The arrays, and what this rank holds of them; each element is counted by one rank.
  ///   - buffer: The rank's elements.
  /// - Throws: `HDF5Error` if they cannot be written.
  public mutating func write<T: HDF5Scalar>(
    _ group: String, _ parts: [ArrayPart], of buffer: AlignedBuffer<T>
  ) throws {
    for part in parts {
      let name = "\(group)/\(part.name)"
      try file.createDataset(name, shape: [part.count], as: T.self)
      let values = buffer.span.extracting(part.countedPlaces)
      try file.write(name, rows: part.counted, from: values)
      arrays.append(
        (
          name, [part.count], ElementType(T.hdf5Kind),
          Digest.sum(values, from: part.counted.lowerBound)
        ))
    }
  }

  /// Writes the description and closes the file.
  consuming func close<Description: Encodable>(_ description: Description) throws {
    var sums = arrays.map(\.sum)
    var span = sums.mutableSpan
    try ranks.allReduce(.sum, &span)
    let described = zip(arrays, sums).map { array, sum in
      (
        array.name,
        ArrayDescription(shape: array.shape, type: array.type, digest: Digest.text(of: sum))
      )
    }
    let whole = Whole(arrays: Dictionary(described) { $1 }, description: description)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let text = try ranks.agree { Array(try encoder.encode(whole)) }
    // Sums may depend on the rank that formed them: all write what the first one says.
    let bytes = try ranks.broadcast(text, from: 0)
    let lines = bytes + Digest.line(Digest.of(bytes.span))
    try file.write("/description", lines, shape: [lines.count])
    try file.setAttribute("format", Checkpoint.format)
    try file.close()
  }

  /// The description in a file: what the caller says, and what is said of every checkpoint.
  private struct Whole<Description: Encodable>: Encodable {
    let arrays: [String: ArrayDescription]
    let description: Description

    enum Key: String, CodingKey {
      case format, program, arrays
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(Checkpoint.format, forKey: .format)
      try container.encode("h2nn-dist \(Checkpoint.programVersion)", forKey: .program)
      try container.encode(arrays, forKey: .arrays)
      try description.encode(to: encoder)
    }
  }
}
