import Checkpoints
import Foundation
import ParallelHDF5
import Testing

/// The checkpoints of runs.
enum Checkpoints {
  /// Lists the files of a folder, the newest last.
  static func list(_ folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasSuffix(".h5") }.sorted().map { "\(folder)/\($0)" }
  }

  /// Changes the exponent of one of a dataset's numbers, behind the back of the HDF5 library.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - name: The dataset, of numbers of 32 bits.
  ///   - areIntegers: Whether they are integers.
  ///   - place: The place of the number; from the end if negative.
  /// - Throws: An error if the file cannot be read or written.
  static func damage(_ path: String, _ name: String, areIntegers: Bool = false, at place: Int = 0)
    throws
  {
    let file = try HDF5File.open(path)
    let numbers =
      areIntegers
      ? try file.read(name, as: Int32.self).map { UInt32(bitPattern: $0) }
      : try file.read(name, as: Float.self).map(\.bitPattern)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let pattern = Data(
      numbers.flatMap { number in
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) }
      })
    let start = try #require(bytes.range(of: pattern)).lowerBound
    bytes[start + 4 * (place < 0 ? numbers.count + place : place) + 3] ^= 0x40
    try bytes.write(to: URL(fileURLWithPath: path))
  }

  /// Copies a checkpoint that lies beside the tests.
  ///
  /// - Parameters:
  ///   - name: Its name in `Tests/Fixtures`.
  ///   - folder: The folder of a run, which is made.
  /// - Returns: The path of the copy.
  /// - Throws: An error if it cannot be copied.
  static func copyFixture(_ name: String, to folder: String) throws -> String {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let path = "\(folder)/checkpoint-00000004.h5"
    try FileManager.default.copyItem(atPath: fixture(name), toPath: path)
    return path
  }

  /// The path of a file in `Tests/Fixtures`.
  static func fixture(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fixtures/\(name)").path
  }

  /// Replaces a text in the description of a checkpoint by another one of the same length, and its digest.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - old: The text.
  ///   - new: The other text.
  /// - Throws: An error if the file cannot be read or written.
  static func rewrite(_ path: String, _ old: String, _ new: String) throws {
    let written = try HDF5File.open(path).read("/description", as: UInt8.self)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let place = try #require(bytes.range(of: Data(written)))
    var text = String(decoding: written.dropLast(17), as: UTF8.self)
    try #require(old.utf8.count == new.utf8.count && text.contains(old), "\(old) in \(text)")
    text = text.replacingOccurrences(of: old, with: new)
    let line = Array(text.utf8)
    bytes.replaceSubrange(place, with: line + Array("\n\(Digest.of(line.span))".utf8))
    try bytes.write(to: URL(fileURLWithPath: path))
  }
}
