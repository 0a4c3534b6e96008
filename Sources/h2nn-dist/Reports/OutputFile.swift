import Foundation
import MessagePassing
import Training

#if canImport(Glibc)
import Glibc
#endif

/// A file that a verb writes: it replaces an existing file only with `--force`, and is complete when it gets its name.
struct OutputFile {
  let path: String
  let mayOverwrite: Bool

  /// Takes the file from `--out` and `--force`.
  init(_ arguments: Arguments) throws(RunError) {
    path = try arguments.required("out")
    mayOverwrite = arguments.has("force")
    if mayOverwrite { try Self.checkApart("out", arguments) }
  }

  /// Refuses an output that would replace a file that the same call reads.
  ///
  /// - Parameters:
  ///   - option: The option of the output.
  ///   - arguments: The call.
  ///   - usual: The output where the option is not given; nil for none.
  /// - Throws: `RunError` (64) if it is one.
  static func checkApart(
    _ option: String, _ arguments: Arguments, usual: String? = nil
  ) throws(RunError) {
    guard let path = arguments.text(option) ?? usual else { return }
    func place(_ path: String) -> String {
      URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
    }
    let inputs = ["data", "inputs", "config", "checkpoint", "machine"].map { name in
      (name: "--\(name)", path: arguments.text(name))
    }
    for input in inputs + [(name: "the call", path: arguments.positional)] {
      guard let other = input.path, place(other) == place(path) else { continue }
      throw .usage(
        "--\(option) \(path) would replace what \(input.name) reads; choose another file")
    }
  }

  /// Refuses to replace a file of another kind: what is there must begin as text does that this program writes.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - start: The first character of such files; nil for any text.
  /// - Throws: `RunError` (73) if it is something else.
  static func checkKind(_ path: String, start: Character?) throws(RunError) {
    guard let file = FileHandle(forReadingAtPath: path) else { return }
    defer { try? file.close() }
    let bytes = (try? file.read(upToCount: 512)) ?? Data()
    guard !bytes.isEmpty else { return }
    let isText = !bytes.contains(0) && bytes.first != 0x89
    let begins = start.map { $0.asciiValue == bytes.first { $0 > 32 } } ?? true
    guard !isText || !begins else { return }
    throw RunError(
      exitStatus: ExitStatus.cannotCreate,
      "\(path) is a file of another kind, which is not replaced; choose another one")
  }

  /// Returns whether a path names a directory, or a link to one.
  static func isDirectory(_ path: String) -> Bool {
    let place = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    let type = try? FileManager.default.attributesOfItem(atPath: place)[.type]
    return (type as? FileAttributeType) == .typeDirectory
  }

  /// The name under which the file is written before it is whole.
  var temporary: String { path + ".writing" }

  /// Throws if the file exists and must not be overwritten.
  ///
  /// Collective.
  func check(on world: borrowing Communicator) throws {
    try world.agree {
      guard world.rank == 0, FileManager.default.fileExists(atPath: path) else { return }
      guard !Self.isDirectory(path) else {
        throw RunError(
          exitStatus: ExitStatus.cannotCreate, "\(path) is a directory; choose another --out")
      }
      guard !mayOverwrite else { return }
      throw RunError(
        exitStatus: ExitStatus.cannotCreate,
        "\(path) exists; choose another --out, or overwrite it with --force")
    }
  }

  /// Runs a body that writes under the temporary name, and then gives the file its name.
  ///
  /// Collective.
  func write(on world: borrowing Communicator, _ body: (_ temporary: String) throws -> Void) throws
  {
    do {
      try body(temporary)
    } catch {
      if world.rank == 0 { try? FileManager.default.removeItem(atPath: temporary) }
      throw error
    }
    try world.agree {
      guard world.rank == 0, unsafe rename(temporary, path) != 0 else { return }
      let reason = unsafe String(cString: strerror(errno))
      try? FileManager.default.removeItem(atPath: temporary)
      throw RunError(
        exitStatus: ExitStatus.cannotCreate, "\(path): cannot be written: \(reason)")
    }
  }
}
