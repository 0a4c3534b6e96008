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
}
