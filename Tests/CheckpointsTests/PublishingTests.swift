import Foundation
import MessagePassing
import Testing

@testable import Checkpoints

@Suite("Publishing of checkpoints")
struct PublishingTests {
  /// A description that says what the writer says, or something else of the arrays.
  private struct Description: Encodable {
    let note: String
    var arrays: [String: ArrayDescription]?
  }

  @Test("a system call that a signal interrupts is made again, one that fails is not")
  func interrupted() {
    var answers: [(Int32, Int32)] = [(-1, EINTR), (-1, EINTR), (3, 0), (-1, EIO), (9, 0)]
    func call() -> Int32 {
      let (answer, code) = answers.removeFirst()
      errno = code
      return answer
    }
    #expect(FileSystem.repeated(call) == 3)
    #expect(FileSystem.repeated(call) == -1 && errno == EIO)
    #expect(answers.count == 1)
  }

  @Test("what is written can be read, and the last ones are kept")
  func keeps() async {
    await #expect(processExitsWith: .success) {
      let scratch = try ScratchFolder()
      try MPIEnvironment.run { world in
        for step in [3, 5, 8] {
          try Checkpoint.publish(step: step, in: scratch.path, keeping: 2, on: world) { writer in
            try writer.write("/group/numbers", [1.5, 2.5, Double(step)])
            return Description(note: "a/b \u{e9}")
          }
        }
        let found = try Checkpoint.candidates(scratch.path, on: world)
        try #require(found == [8, 5].map { Checkpoint.path(step: $0, in: scratch.path) })
        let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path)
        try #require(names.count == 2)
        let file = try OpenCheckpoint(found[0], on: world)
        try #require(try file.read("/group/numbers", as: Double.self) == [1.5, 2.5, 8])
        try #require(file.description.contains("\"note\":\"a/b \u{e9}\""))
        try #require(file.program?.hasPrefix("h2nn-dist ") == true)
      }
    }
  }

  @Test("what is not on the disk as it was written is not published")
  func verifies() async {
    await #expect(processExitsWith: .success) {
      let scratch = try ScratchFolder()
      try MPIEnvironment.run { world in
        try Checkpoint.publish(step: 1, in: scratch.path, keeping: 1, on: world) { writer in
          try writer.write("/numbers", [1.5])
          return Description(note: "whole")
        }
        do {
          try Checkpoint.publish(step: 2, in: scratch.path, keeping: 1, on: world) { writer in
            try writer.write("/numbers", [1.5])
            // As if a bit of the numbers had changed on the way to the disk.
            let other = Digest.of([2.5].span)
            return Description(
              note: "damaged",
              arrays: ["/numbers": ArrayDescription(shape: [1], type: .float64, digest: other)])
          }
          try #require(Bool(false), "published")
        } catch let error as CheckpointError {
          try #require(error.exitStatus == 74 && error.message.contains("/numbers"), "\(error)")
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path)
        try #require(names == ["checkpoint-00000001.h5"], "\(names)")
      }
    }
  }

  @Test("a failure while writing leaves nothing behind")
  func failures() async {
    await #expect(processExitsWith: .success) {
      struct Failure: Error {}
      let scratch = try ScratchFolder()
      try MPIEnvironment.run { world in
        do {
          try Checkpoint.publish(
            step: 2, in: scratch.path, keeping: 1, on: world
          ) { writer -> Description in
            try writer.write("/numbers", [1.5])
            throw Failure()
          }
          try #require(Bool(false), "published")
        } catch is Failure {}
        try #require(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty)
      }
    }
  }

  @Test("leftovers of killed runs are removed, those that may be in use are not")
  func leftovers() throws {
    let scratch = try ScratchFolder()
    let ended = Process()
    ended.executableURL = URL(fileURLWithPath: "/bin/true")
    try ended.run()
    ended.waitUntilExit()
    let (host, base) = (FileSystem.hostName, "checkpoint-00000002.h5")
    #expect(
      Checkpoint.owner(of: "\(base).a-b.c-17.writing").map { "\($0)" }
        == "(host: \"a-b.c\", process: 17)")
    #expect(Checkpoint.owner(of: "\(base).writing") == nil)
    // The name, whether nobody has changed the file for long, and whether it stays.
    let files: [(String, Bool, Bool)] = [
      ("\(base).\(host)-\(ended.processIdentifier).writing", false, false),
      (Checkpoint.temporary(base), false, false), ("\(base).\(host)-1.writing", false, true),
      ("\(base).elsewhere-\(ended.processIdentifier).writing", false, true),
      ("\(base).elsewhere-1.writing", true, false), ("\(base).writing", false, true),
      ("checkpoint-00000001.h5.writing", true, false), (".dat.nosync1a2b.x", true, false),
      ("\(base).writing.locktest.0", true, false), (base, true, true),
      ("metrics.jsonl", true, true), ("notes.writing", true, true),
    ]
    for (name, isOld, _) in files {
      let path = "\(scratch.path)/\(name)"
      try Data("x".utf8).write(to: URL(fileURLWithPath: path))
      guard isOld else { continue }
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -7 * 3600)], ofItemAtPath: path)
    }
    func isThere(_ name: String) -> Bool {
      FileManager.default.fileExists(atPath: "\(scratch.path)/\(name)")
    }
    Checkpoint.removeLeftovers(in: scratch.path, isExclusive: false)
    for (name, _, stays) in files { #expect(isThere(name) == stays, "\(name)") }
    // Nobody else can be writing: only what is no temporary file stays.
    Checkpoint.removeLeftovers(in: scratch.path, isExclusive: true)
    let left = files.map(\.0).filter(isThere)
    #expect(left == [base, "metrics.jsonl", "notes.writing"])
  }

  @Test("names of checkpoints are read as they are written")
  func names() {
    #expect(Checkpoint.step(of: Checkpoint.path(step: 7, in: "run")) == 7)
    #expect(Checkpoint.step(of: Checkpoint.path(step: 123_456_789, in: "/a")) == 123_456_789)
    for name in ["checkpoint-7.h5", "checkpoint-0000000x.h5", "checkpoint-00000007.h5.writing"] {
      #expect(Checkpoint.step(of: name) == nil, "\(name)")
    }
  }
}
