import Foundation

/// A new folder that is removed with its variable.
struct ScratchFolder: ~Copyable {
  private let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/hdf5-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// The path of a file in the folder.
  func file(_ name: String = "file.h5") -> String { "\(path)/\(name)" }
}
