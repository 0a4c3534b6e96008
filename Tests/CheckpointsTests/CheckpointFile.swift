import Foundation
import MessagePassing
import ParallelHDF5

@testable import Checkpoints

/// A new folder that is removed with its variable.
struct ScratchFolder: ~Copyable {
  let path = FileManager.default.temporaryDirectory.path + "/checkpoints-\(UUID().uuidString)"

  init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }
}

/// Checkpoints that lie beside the tests.
enum Fixture {
  /// The path of a file in `Tests/Fixtures`.
  static func path(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fixtures/\(name)").path
  }
}

/// A dataset in memory, with the numbers that the file holds.
enum Values {
  case float32([Float])
  case float64([Double])
  case int32([Int32])
  case int64([Int64])
  case uint8([UInt8])

  /// Reads a dataset.
  init(_ file: borrowing HDF5File, _ name: String) throws {
    switch try file.scalarKind(of: name) {
    case .float32: self = .float32(try file.read(name, as: Float.self))
    case .float64: self = .float64(try file.read(name, as: Double.self))
    case .int32: self = .int32(try file.read(name, as: Int32.self))
    case .int64: self = .int64(try file.read(name, as: Int64.self))
    case .uint8: self = .uint8(try file.read(name, as: UInt8.self))
    case nil: preconditionFailure("\(name) holds no numbers")
    }
  }

  /// Writes the dataset.
  func write(_ file: borrowing HDF5File, _ name: String, _ shape: [Int]) throws {
    switch self {
    case .float32(let values): try file.write(name, values, shape: shape)
    case .float64(let values): try file.write(name, values, shape: shape)
    case .int32(let values): try file.write(name, values, shape: shape)
    case .int64(let values): try file.write(name, values, shape: shape)
    case .uint8(let values): try file.write(name, values, shape: shape)
    }
  }

  /// The bytes of the numbers in a file.
  var bytes: Data {
    func data<T: BitwiseCopyable>(_ values: [T]) -> Data {
      unsafe values.withUnsafeBytes { unsafe Data($0) }
    }
    return switch self {
    case .float32(let values): data(values)
    case .float64(let values): data(values)
    case .int32(let values): data(values)
    case .int64(let values): data(values)
    case .uint8(let values): data(values)
    }
  }
}

/// The paths of all datasets of a file.
func datasets(_ file: borrowing HDF5File, in group: String = "") throws -> [String] {
  var result: [String] = []
  for name in try file.names(in: group.isEmpty ? "/" : group) {
    let path = "\(group)/\(name)"
    result += try file.isGroup(path) ? try datasets(file, in: path) : [path]
  }
  return result
}

/// Copies a checkpoint of format 2, dataset by dataset.
///
/// - Parameters:
///   - path: The file.
///   - other: The copy.
///   - note: A dataset that the copy has in addition.
///   - change: Receives each dataset with its name and shape; nil leaves it out.
/// - Throws: `HDF5Error` if a file cannot be read or written.
func copy(
  _ path: String, to other: String, adding note: String? = nil,
  _ change: (String, Values, [Int]) -> (Values, [Int])?
) throws {
  let file = try HDF5File.open(path)
  let result = try HDF5File.create(other)
  for name in try datasets(file) {
    if let (values, shape) = change(name, try Values(file, name), try file.shape(of: name)) {
      try values.write(result, name, shape)
    }
  }
  if let note { try result.write(note, [1.0, 2], shape: [2]) }
  try result.setAttribute("format", Checkpoint.format)
  try result.close()
}

/// Opens a checkpoint; returns what is wrong with it, with the status, or nil.
func failure(_ path: String, on world: borrowing Communicator) -> (status: Int32, text: String)? {
  do {
    _ = try OpenCheckpoint(path, on: world)
    return nil
  } catch {
    return (ExitStatus.status(of: error), ExitStatus.message(of: error))
  }
}
