import Foundation
import ParallelHDF5

/// The first format, which versions before format 2 wrote.
///
/// It has a digest at each dataset, and describes the run in attributes, which have none.
enum FormatOne {
  /// The attribute `format` of its files.
  static let name = "h2nn-dist checkpoint 1"
  /// The state of a digest before the first number.
  static let start: UInt64 = 0xcbf2_9ce4_8422_2325

  /// Continues a digest, FNV-1a over the bytes of an array.
  static func extend<T: BitwiseCopyable>(_ state: UInt64, with values: Span<T>) -> UInt64 {
    var state = state
    let bytes = unsafe values.bytes
    for index in 0..<bytes.byteCount {
      // The index runs over the bytes of the span.
      let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
      state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }
    return state
  }

  /// Translates the attributes of a file into the description of format 2.
  ///
  /// - Parameter file: The file, opened by one process.
  /// - Returns: The description as JSON.
  /// - Throws: An `ExitStatusError` if an attribute is missing or of the wrong kind.
  static func description(of file: borrowing HDF5File) throws -> String {
    func text(_ name: String, on path: String = "/") throws -> String {
      try file.attribute(name, on: path, as: String.self)
    }
    let configuration = try text("configuration")
    let layers = try text("layers", on: "/network").split(separator: "\n").map(String.init)
    var object: [String: Any] = [
      "format": name, "program": try text("program"), "digest": try text("digest"),
      "step": Int(try file.attribute("step", as: Int64.self)),
      "precision": try text("precision"), "arrays": try arrays(of: file),
      "configuration": (try? JSONSerialization.jsonObject(with: Data(configuration.utf8))) ?? "",
      "normalization": [
        "input_scale": try file.attribute("input_scale", on: "/normalization", as: Double.self),
        "output_scale": try file.attribute("output_scale", on: "/normalization", as: Double.self),
      ],
      "network": [
        "output": try text("output", on: "/network"),
        "layers": try layers.map { layer in
          let names = ["source", "addend", "activation", "block_activation"]
          let values = try names.map { try text($0, on: "/network/\(layer)") }
          // A layer without an addend has an empty one.
          let pairs = zip(names, values).filter { !$1.isEmpty }
          return Dictionary(pairs + [("name", layer)]) { $1 }
        },
      ] as [String: Any],
    ]
    object["loss_unit"] = try file.attributeIfPresent("loss_unit", as: Double.self)
    for name in ["points", "output_points"] where try file.exists("/\(name)") {
      let shape = try file.attributeIfPresent("grid_shape", on: "/\(name)", as: [Int64].self)
      object[name] = shape.map { ["grid_shape": $0.map { Int($0) }] } ?? [:]
    }
    if try file.exists("/skeleton") {
      object["skeleton"] = try Dictionary(
        uniqueKeysWithValues: ["sources", "receivers"].map { name in
          let counts = try file.attribute(
            "boxes_of_levels", on: "/skeleton/\(name)", as: [Int64].self)
          return (name, counts.map { Int($0) })
        })
    }
    guard JSONSerialization.isValidJSONObject(object) else {
      throw CheckpointError.damaged(
        path: file.path, object: "", reason: "a number among its attributes is not finite")
    }
    let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])
    return String(decoding: data, as: UTF8.self)
  }

  /// Describes the datasets of a group and of those inside of it.
  private static func arrays(
    of file: borrowing HDF5File, in group: String = ""
  ) throws -> [String: [String: Any]] {
    var result: [String: [String: Any]] = [:]
    for name in try file.names(in: group.isEmpty ? "/" : group) {
      let path = "\(group)/\(name)"
      guard try !file.isGroup(path) else {
        result.merge(try arrays(of: file, in: path)) { $1 }
        continue
      }
      // Datasets without a digest are not from this program.
      guard let digest = try file.attributeIfPresent("digest", on: path, as: String.self) else {
        continue
      }
      guard let kind = try file.scalarKind(of: path) else {
        throw CheckpointError.damaged(
          path: file.path, object: path, reason: "it holds no numbers")
      }
      result[path] = [
        "shape": try file.shape(of: path), "type": ElementType(kind).rawValue, "digest": digest,
      ]
    }
    return result
  }
}
