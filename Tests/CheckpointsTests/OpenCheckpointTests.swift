import Foundation
import MessagePassing
import ParallelHDF5
import Testing

@testable import Checkpoints

/// Each test runs in a process of its own, which can initialize MPI.
@Suite("OpenCheckpoint")
struct OpenCheckpointTests {
  @Test("a whole file opens, with the same description and arrays in both formats")
  func whole() async {
    await #expect(processExitsWith: .success) {
      try MPIEnvironment.run { world in
        let one = try OpenCheckpoint(Fixture.path("format-1.h5"), on: world)
        let two = try OpenCheckpoint(Fixture.path("format-2.h5"), on: world)
        func keys(_ text: String) throws -> Set<String> {
          let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
          return Set(try #require(object).keys)
        }
        // The older file has no unit of the loss.
        try #require(
          try keys(two.description) == keys(one.description).union(["loss_unit"]))
        try #require(Set(one.arrays.keys) == Set(two.arrays.keys) && one.arrays.count > 50)
        for (name, array) in one.arrays {
          try #require(two.arrays[name]?.type == array.type, "\(name)")
          // The lines of metrics hold times.
          guard name != "/metrics" else { continue }
          try #require(two.arrays[name]?.shape == array.shape, "\(name)")
          // The moments are in units of the loss.
          guard !name.hasPrefix("/optimizer") else { continue }
          let values = try Values(HDF5File.open(one.path), name).bytes
          try #require(try Values(HDF5File.open(two.path), name).bytes == values, "\(name)")
        }
      }
    }
  }

  @Test("one changed byte in any dataset is noticed", arguments: ["format-1.h5", "format-2.h5"])
  func changedBytes(name: String) async {
    await #expect(processExitsWith: .success) { [name] in
      let scratch = try ScratchFolder()
      let path = Fixture.path(name)
      let original = try Data(contentsOf: URL(fileURLWithPath: path))
      let changed = "\(scratch.path)/checkpoint-00000004.h5"
      try MPIEnvironment.run { world in
        let file = try HDF5File.open(path)
        for dataset in try datasets(file) {
          let pattern = try Values(file, dataset).bytes
          // Zeros stand in many places.
          guard pattern.contains(where: { $0 != 0 }), let found = original.range(of: pattern)
          else { continue }
          // The first and the last number, and many places of the description.
          let step = dataset == "/description" ? 97 : max(1, pattern.count - 1)
          for place in stride(from: found.lowerBound, to: found.upperBound, by: step) {
            var bytes = original
            bytes[place] ^= 0x10
            try bytes.write(to: URL(fileURLWithPath: changed))
            let found = failure(changed, on: world)
            let failure = try #require(found, "\(dataset), byte \(place)")
            try #require(failure.status == 65 && failure.text.contains("damaged"), "\(failure)")
            try #require(failure.text.contains(changed))
          }
        }
      }
    }
  }

  @Test("a file that is cut anywhere is refused", arguments: ["format-1.h5", "format-2.h5"])
  func cut(name: String) async {
    await #expect(processExitsWith: .success) { [name] in
      let scratch = try ScratchFolder()
      let original = try Data(contentsOf: URL(fileURLWithPath: Fixture.path(name)))
      let path = "\(scratch.path)/checkpoint-00000004.h5"
      try MPIEnvironment.run { world in
        for part in 0..<16 {
          try original.prefix(original.count * part / 16).write(to: URL(fileURLWithPath: path))
          let found = failure(path, on: world)
          let failure = try #require(found, "\(part)")
          try #require(failure.status == 65, "\(failure)")
        }
      }
    }
  }

  /// Expects that a file is refused with a reason.
  private static func refuse(
    _ path: String, _ fragment: String, on world: borrowing Communicator
  ) throws {
    let found = failure(path, on: world)
    let failure = try #require(found, "\(fragment)")
    try #require(failure.status == 65 && failure.text.contains(fragment), "\(failure)")
  }

  /// Expects that a file opens.
  private static func accept(_ path: String, on world: borrowing Communicator) throws {
    let found = failure(path, on: world)
    try #require(found == nil, "\(String(describing: found))")
  }

  @Test("a missing dataset, another shape and another type are refused; one more is not")
  func structure() async {
    await #expect(processExitsWith: .success) {
      let scratch = try ScratchFolder()
      let (path, name) = (Fixture.path("format-2.h5"), "/optimizer/first_moment/near.1/weights")
      let changed = "\(scratch.path)/checkpoint-00000004.h5"
      let changes: [(Values, [Int]) -> (Values, [Int])?] = [
        { _, _ in nil }, { ($0, $1 + [1]) },
        { values, shape in
          guard case .float32(let numbers) = values else { return nil }
          return (.float32(numbers + [0]), [shape[0] + 1])
        },
        { values, shape in
          guard case .float32(let numbers) = values else { return nil }
          return (.float64(numbers.map { Double($0) }), shape)
        },
      ]
      try MPIEnvironment.run { world in
        try copy(path, to: changed) { ($1, $2) }
        try Self.accept(changed, on: world)
        for change in changes {
          try copy(path, to: changed) { $0 == name ? change($1, $2) : ($1, $2) }
          try Self.refuse(changed, name, on: world)
        }
        // Notes of users are none of ours.
        try copy(path, to: changed, adding: "/parameters/notes") { ($1, $2) }
        try Self.accept(changed, on: world)
      }
    }
  }

  /// Writes a file with a description.
  private static func write(
    _ path: String, _ format: String, _ bytes: [UInt8]?, shape: [Int]? = nil
  ) throws {
    let file = try HDF5File.create(path)
    if let bytes { try file.write("/description", bytes, shape: shape ?? [bytes.count]) }
    try file.setAttribute("format", format)
    try file.close()
  }

  @Test("a description of any length and a format of the future are refused")
  func descriptions() async {
    await #expect(processExitsWith: .success) {
      let scratch = try ScratchFolder()
      let path = "\(scratch.path)/checkpoint-00000004.h5"
      let (format, line) = (Checkpoint.format, Array("{}".utf8))
      let whole = line + Digest.line(Digest.of(line.span))
      let cases: [(String, [UInt8]?, [Int]?, String)] = [
        (format, nil, nil, "/description"), (format, [], nil, "damaged"),
        (format, Array("{}\n0000000000000000".utf8), nil, "damaged"),
        (format, Array("0123456789abcdef".utf8), [2, 8], "damaged"),
        // Whole, but it says nothing.
        (format, whole, nil, "/description"),
        ("h2nn-dist checkpoint 3", whole, nil, "h2nn-dist checkpoint 3"),
        ("something else", whole, nil, "not a checkpoint"),
      ]
      try MPIEnvironment.run { world in
        for (format, bytes, shape, fragment) in cases {
          try Self.write(path, format, bytes, shape: shape)
          try Self.refuse(path, fragment, on: world)
        }
      }
    }
  }
}
