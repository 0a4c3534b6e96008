public import BlockKernels
public import MessagePassing
public import ParallelHDF5

/// A checkpoint that is open for reading, and whose content is what was written.
///
/// Opening verifies everything, so that a damaged file is known before anything is taken from it. All methods are
/// collective, and a failure on one rank is thrown on all.
public struct OpenCheckpoint: ~Copyable {
  private let content: CheckpointDescription
  private let file: HDF5File
  /// The ranks that read the file.
  private let ranks: Communicator

  /// The file.
  public var path: String { content.path }
  /// The description as JSON, in the form of format 2 for files of any format.
  public var description: String { content.text }
  /// The program that wrote the file, with its version; nil if it does not say.
  public var program: String? { content.program }
  /// The arrays by their paths in the file.
  public var arrays: [String: ArrayDescription] { content.arrays }

  /// Whether this is the first of the ranks that read the file: it counts what all of them hold.
  public var isFirst: Bool { ranks.rank == 0 }

  /// Opens a checkpoint and verifies it.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - communicator: The ranks that read it together.
  /// - Throws: An `ExitStatusError`: 66 if the file is missing, 65 if it is no checkpoint or damaged.
  public init(_ path: String, on communicator: borrowing Communicator) throws {
    let ranks = try communicator.duplicate()
    let content = try CheckpointDescription(path, on: ranks)
    try content.verify(on: ranks)
    file = try HDF5File.open(path, on: ranks)
    self.content = content
    self.ranks = ranks
  }

  /// Says whether the checkpoint has an array.
  ///
  /// - Parameter name: The path of the array in the file.
  /// - Returns: Whether it is there.
  public func has(_ name: String) -> Bool { arrays[name] != nil }

  /// Returns the shape of an array.
  ///
  /// - Parameter name: The path of the array in the file.
  /// - Returns: The lengths of its dimensions.
  /// - Throws: ``CheckpointError`` (65) if there is no such array.
  public func shape(of name: String) throws(CheckpointError) -> [Int] {
    guard let array = arrays[name] else {
      throw .mismatch(path: path, object: name, reason: "is missing")
    }
    return array.shape
  }

  /// Reads all elements of an array; every rank gets them.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - name: The path of the array in the file.
  ///   - type: The type of its elements.
  /// - Returns: The elements, with the last dimension contiguous.
  /// - Throws: An `ExitStatusError`: 65 if there is no such array.
  public func read<T: HDF5Scalar>(_ name: String, as type: T.Type) throws -> [T] {
    let array = try description(of: name, T.self)
    let values = try file.read(name, as: type)
    try ranks.agree {
      guard digest(of: values.span) == array.digest else {
        throw CheckpointError.changed(path: path, object: name)
      }
    }
    return values
  }

  /// Reads what this rank holds of the arrays of a group.
  ///
  /// Collective; the parts differ from rank to rank.
  ///
  /// - Parameters:
  ///   - group: The path of the group.
  ///   - parts: The arrays, and what the rank holds of them; each element is counted by one rank.
  ///   - buffer: Where the elements go.
  /// - Throws: An `ExitStatusError`: 65 if an array is missing or has another size.
  public func read<T: HDF5Scalar>(
    _ group: String, _ parts: [ArrayPart], into buffer: AlignedBuffer<T>
  ) throws {
    ranks.stallWatch.phase = .init("reading of a checkpoint")
    for part in parts {
      let name = "\(group)/\(part.name)"
      let array = try description(of: name, T.self)
      guard array.shape == [part.count] else {
        throw CheckpointError.mismatch(
          path: path, object: name,
          reason: "has the shape \(array.shape), the network needs [\(part.count)]")
      }
      var span = buffer.mutableSpan(of: part.places)
      try file.read(name, rows: part.rows, into: &span)
    }
    // The first format has no digests that ranks can form together.
    guard !content.isFormatOne else { return }
    var sums = parts.map {
      Digest.sum(buffer.span.extracting($0.countedPlaces), from: $0.counted.lowerBound)
    }
    var span = sums.mutableSpan
    try ranks.allReduce(.sum, &span)
    for (part, sum) in zip(parts, sums) {
      let name = "\(group)/\(part.name)"
      guard Digest.text(of: sum) == arrays[name]?.digest else {
        throw CheckpointError.changed(path: path, object: name)
      }
    }
  }

  private func description<T: HDF5Scalar>(
    of name: String, _ type: T.Type
  ) throws(CheckpointError) -> ArrayDescription {
    guard let array = arrays[name] else {
      throw .mismatch(path: path, object: name, reason: "is missing")
    }
    let needed = ElementType(T.hdf5Kind)
    guard array.type == needed else {
      throw .mismatch(
        path: path, object: name, reason: "holds \(array.type.rawValue), not \(needed.rawValue)")
    }
    return array
  }

  /// Returns the digest that the file would have of an array.
  func digest<T: BitwiseCopyable>(of values: Span<T>) -> String {
    content.isFormatOne
      ? Digest.text(of: FormatOne.extend(FormatOne.start, with: values)) : Digest.of(values)
  }
}
