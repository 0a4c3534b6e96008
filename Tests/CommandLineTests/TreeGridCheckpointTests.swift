import Foundation
import ParallelHDF5
import TestSupport
import Testing

@Suite("Checkpoints of tree ranks", .serialized, .waiting)
struct TreeGridCheckpointTests {
  private func words(
    _ scratch: borrowing Scratch, _ run: String, _ more: [String] = []
  ) throws -> [String] {
    let data = scratch.file("data.h5")
    if !FileManager.default.fileExists(atPath: data) { try Fields().write(to: data) }
    let options = ["--iterations", "6", "--checkpoint-every", "3"]
    return ["train", "--data", data, "--out", scratch.file(run)] + small + options + more
  }

  /// What a file says under the path of each of its objects.
  private func content(_ path: String, _ group: String = "") throws -> [String: String] {
    let file = try HDF5File.open(path)
    var result: [String: String] = [:]
    for name in try file.names(in: group.isEmpty ? "/" : group) {
      let object = "\(group)/\(name)"
      // What is no group cannot be listed.
      guard let inside = try? content(path, object) else {
        let (kind, shape) = (try file.elementKind(of: object), try file.shape(of: object))
        let values = try file.read(object, as: Double.self).map { "\($0)" }
        result[object] = "\(kind) \(shape) \(values.joined(separator: " "))"
        continue
      }
      result[object] = "group"
      result.merge(inside) { $1 }
    }
    guard group.isEmpty else { return result }
    // The metrics hold times, of which the description has the digest.
    let lines = String(decoding: try file.read("/description", as: UInt8.self), as: UTF8.self)
      .split(separator: "\n")
    #expect(lines.count == 2)
    var object = try #require(
      try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: Any])
    var arrays = try #require(object["arrays"] as? [String: Any])
    let (known, found) = (Set(arrays.keys), Set(result.filter { $1 != "group" }.keys))
    #expect(known == found.subtracting(["/description"]))
    arrays["/metrics"] = nil
    object["arrays"] = arrays
    result["/metrics"] = nil
    result["/description"] = String(
      decoding: try JSONSerialization.data(withJSONObject: object, options: .sortedKeys),
      as: UTF8.self)
    result["/"] = try file.attribute("format", as: String.self)
    return result
  }

  @Test(
    "a file has the same content whichever grid wrote it",
    arguments: [
      ["--model", "h2nn"], ["--model", "mnn-h2", "--sharing", "mix", "--precision", "double"],
    ])
  func files(network: [String]) throws {
    let scratch = try Scratch()
    func train(_ run: String, _ grid: String, ranks: Int?) throws -> [String: String] {
      let words = try words(scratch, run, network + ["--grid", grid])
      _ = try scratch.summary(of: words, ranks: ranks)
      return try content(try #require(Checkpoints.list(scratch.file(run)).last))
    }
    let alone = try train("1", "1x1", ranks: nil)
    #expect(alone.keys.contains("/optimizer/second_moment/near.1/weights"))
    #expect(alone.keys.contains("/normalization/mean_output") && alone.count > 100)
    for (grid, ranks) in [("1x3", 3), ("2x2", 4)] {
      let found = try train(grid, grid, ranks: ranks)
      #expect(Set(found.keys) == Set(alone.keys))
      for (name, text) in alone { #expect(found[name] == text, "\(name) on \(grid)") }
    }
  }

  @Test("a checkpoint that has no older one is refused if it is damaged", arguments: [0, 30, -1])
  func damaged(place: Int) throws {
    let scratch = try Scratch()
    let words = try words(scratch, "run", ["--grid", "1x3"])
    _ = try scratch.summary(of: words + ["--stop-after", "1"], ranks: 3, status: 75)
    let newest = try #require(Checkpoints.list(scratch.file("run")).last)
    let name = "/\(place < 0 ? "optimizer/second_moment" : "parameters")/near.1/weights"
    try Checkpoints.damage(newest, name, at: place)
    let launch = try program(words, ranks: 3)
    #expect(launch.status == 65, "\(launch.errors)")
    #expect(launch.messages.allSatisfy { $0.contains(newest) && $0.contains(name) })
    #expect(!launch.messages.isEmpty && launch.errors.contains("damaged"), "\(launch.errors)")
  }

  @Test("a run on a grid goes on from the newest checkpoint that is whole")
  func walksBack() throws {
    let scratch = try Scratch()
    let whole = try scratch.summary(of: try words(scratch, "whole")).text("digest")
    let words = try words(scratch, "run")
    let stop = ["--stop-after", "5", "--grid", "2x1"]
    _ = try scratch.summary(of: words + stop, ranks: 2, status: 75)
    let newest = try #require(Checkpoints.list(scratch.file("run")).last)
    // The last number belongs to the last tree rank.
    try Checkpoints.damage(newest, "/parameters/near.2/weights", at: -1)
    let launch = try program(words + ["--grid", "1x3"], ranks: 3)
    #expect(launch.status == 0, "\(launch.errors)")
    #expect(launch.errors.contains(newest) && launch.errors.contains("/parameters/near.2/weights"))
    #expect(launch.output.contains(whole))
  }
}
