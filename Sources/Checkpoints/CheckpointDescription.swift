import Foundation
import MessagePassing
import ParallelHDF5

/// The description of a checkpoint, and the check of its arrays against their digests.
struct CheckpointDescription {
  /// The file.
  let path: String
  /// The description as JSON, in the form of format 2 for files of any format.
  let text: String
  /// The arrays by their paths in the file.
  let arrays: [String: ArrayDescription]
  /// The program that wrote the file.
  let program: String?
  /// Whether the file has the first format.
  let isFormatOne: Bool

  /// The bytes of an array that a rank looks at together.
  private static let chunkBytes = 1 << 22

  /// Reads the description of a file on rank 0, for all ranks.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - ranks: The ranks that read.
  /// - Throws: An `ExitStatusError`: 66 if the file is missing, 65 if it is no checkpoint or damaged.
  init(_ path: String, on ranks: borrowing Communicator) throws {
    ranks.stallWatch.phase = .init("opening of a checkpoint")
    let found = try ranks.agree {
      ranks.rank == 0 ? try Self.read(path) : (text: [], isFormatOne: false)
    }
    self.path = path
    isFormatOne = try ranks.broadcast([UInt8(found.isFormatOne ? 1 : 0)], from: 0) == [1]
    text = String(decoding: try ranks.broadcast(found.text, from: 0), as: UTF8.self)
    struct Content: Decodable {
      let arrays: [String: ArrayDescription]
      let program: String?
    }
    let data = Data(text.utf8)
    let content = try ranks.agree {
      do {
        return try JSONDecoder().decode(Content.self, from: data)
      } catch {
        throw CheckpointError.damaged(path: path, object: "/description", reason: "\(error)")
      }
    }
    (arrays, program) = (content.arrays, content.program)
  }

  /// Reads the text from a file of either format.
  private static func read(_ path: String) throws -> (text: [UInt8], isFormatOne: Bool) {
    let file = try HDF5File.open(path)
    switch try file.attributeIfPresent("format", as: String.self) {
    case Checkpoint.format: return (try text(of: file), false)
    case FormatOne.name: return (Array(try FormatOne.description(of: file).utf8), true)
    case .some(let other) where other.hasPrefix("h2nn-dist checkpoint "):
      throw CheckpointError.unknownFormat(path: path, format: other)
    default: throw CheckpointError.foreign(path: path)
    }
  }

  /// Takes the text from the dataset: behind it stands its digest, on a line of its own.
  private static func text(of file: borrowing HDF5File) throws -> [UInt8] {
    let name = "/description"
    let shape = try file.shape(of: name)
    // Nothing is allocated that the file cannot hold.
    guard shape.count == 1, shape[0] <= (try FileSystem.size(of: file.path)) else {
      throw CheckpointError.damaged(
        path: file.path, object: name, reason: "its shape is \(shape), larger than the file")
    }
    let bytes = try file.read(name, as: UInt8.self)
    let text = Array(bytes.dropLast(Digest.line("").count))
    guard bytes.count > text.count,
      Array(bytes.suffix(bytes.count - text.count))
        == Digest.line(Digest.of(text.span))
    else {
      throw CheckpointError.changed(path: file.path, object: name)
    }
    return text
  }

  /// Throws unless all arrays have the shapes, types and digests of the description.
  ///
  /// Collective. Arrays are cut into chunks, which are dealt to the ranks; each reads its chunks alone and adds up
  /// their digests, and one reduction gives those of the arrays.
  func verify(on ranks: borrowing Communicator) throws {
    ranks.stallWatch.phase = .init("verification of a checkpoint")
    let names = arrays.keys.sorted()
    var sums = try ranks.agree { try ownSums(names, rank: ranks.rank, of: ranks.size) }
    var span = sums.mutableSpan
    try ranks.allReduce(.sum, &span)
    for (name, sum) in zip(names, sums) where Digest.text(of: sum) != arrays[name]?.digest {
      throw CheckpointError.changed(path: path, object: name)
    }
  }

  /// Deals pieces of work to the ranks in turn.
  private struct Turns {
    let rank, rankCount: Int
    private var next = 0

    init(of rank: Int, among rankCount: Int) { (self.rank, self.rankCount) = (rank, rankCount) }

    /// Returns whether the next piece of work belongs to this rank.
    mutating func isMine() -> Bool {
      defer { next = (next + 1) % rankCount }
      return next == rank
    }
  }

  /// Returns what a rank contributes to the digest of each array.
  private func ownSums(_ names: [String], rank: Int, of rankCount: Int) throws -> [UInt64] {
    let file = try HDF5File.open(path)
    let size = try FileSystem.size(of: path)
    var turns = Turns(of: rank, among: rankCount)
    var sums: [UInt64] = []
    for name in names {
      guard let array = arrays[name] else { continue }
      if turns.isMine() { try check(name, array, file, size: size) }
      switch array.type {
      case .float32: sums.append(try sum(name, array, file, Float.self, &turns))
      case .float64: sums.append(try sum(name, array, file, Double.self, &turns))
      case .int32: sums.append(try sum(name, array, file, Int32.self, &turns))
      case .int64: sums.append(try sum(name, array, file, Int64.self, &turns))
      case .uint8: sums.append(try sum(name, array, file, UInt8.self, &turns))
      }
    }
    return sums
  }

  /// Throws if a dataset does not have the shape and the type of the description.
  private func check(
    _ name: String, _ array: ArrayDescription, _ file: borrowing HDF5File, size: Int
  ) throws {
    let (shape, kind) = (try file.shape(of: name), try file.scalarKind(of: name))
    guard shape == array.shape, kind.map({ ElementType($0) }) == array.type else {
      throw CheckpointError.damaged(
        path: path, object: name,
        reason:
          "it has the shape \(shape) and elements of kind \(kind.map { "\($0)" } ?? "other"), "
          + "written were \(array.shape) and \(array.type.rawValue)")
    }
    guard let bytes = array.byteCount, bytes <= size else {
      throw CheckpointError.damaged(
        path: path, object: name, reason: "its shape is \(shape), larger than the file")
    }
  }

  /// Returns what this rank contributes to the digest of an array.
  private func sum<T: HDF5Scalar>(
    _ name: String, _ array: ArrayDescription, _ file: borrowing HDF5File, _ type: T.Type,
    _ turns: inout Turns
  ) throws -> UInt64 {
    guard let bytes = array.byteCount, bytes > 0 else {
      return isFormatOne && turns.isMine() ? FormatOne.start : 0
    }
    // A digest of the first format is computed number after number: one rank reads the whole array.
    guard !isFormatOne || turns.isMine() else { return 0 }
    let (rowCount, width) = (array.shape.first ?? 1, array.shape.dropFirst().reduce(1, *))
    let height = max(1, Self.chunkBytes / (width * array.type.byteCount))
    var total = isFormatOne ? FormatOne.start : 0
    var start = 0
    while start < rowCount {
      let rows = start..<min(start + height, rowCount)
      if isFormatOne || turns.isMine() {
        let values = try file.read(name, rows: rows, as: type)
        total =
          isFormatOne
          ? FormatOne.extend(total, with: values.span)
          : total &+ Digest.sum(values.span, from: start * width)
      }
      start = rows.upperBound
    }
    return total
  }
}
