import Foundation
import TestSupport
import Testing

/// Full disks, second signals, and runs that want the same directory.
@Suite("Faults", .serialized, .waiting)
struct FaultTests {
  // MARK: Full disks

  /// A small disk, which is there as long as the variable.
  private struct Disk: ~Copyable {
    let path: String

    init(_ path: String, kilobytes: Int) throws {
      self.path = path
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      let mount = ["mount", "-t", "tmpfs", "-o", "size=\(kilobytes)k", "none", path]
      #expect(try execute(mount).status == 0)
    }

    deinit { _ = try? execute(["umount", "-l", path]) }
  }

  /// Whether this user may mount a disk.
  static let mayMount: Bool = {
    let folder = FileManager.default.temporaryDirectory.path + "/mount-\(UUID().uuidString)"
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let status = try? execute(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder]).status
    if status == 0 { _ = try? execute(["umount", folder]) }
    return status == 0
  }()

  @Test(
    "a full disk ends a verb with status 74 and its reason",
    .enabled(if: mayMount, "no permission to mount a small disk"), arguments: [nil, 3])
  func fullDisk(ranks: Int?) throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields(samples: 400, points: 80))
    let words = ["train", "--data", data, "--leaf", "10", "--channels", "3", "--batch", "64"]
    let train = words + ["--iterations", "6", "--checkpoint-every", "2", "--validate-every", "0"]
    let run = scratch.file("run")
    _ = try scratch.summary(of: train + ["--out", run])
    let full = scratch.file("full")
    let predict = ["predict", "--checkpoint", run, "--data", data, "--out", "\(full)/p.h5"]
    let generate = ["generate", "custom-operator", "--points", "80", "--samples", "500"]
    for (kilobytes, words) in [
      (100, train + ["--out", "\(full)/run"]), (400, train + ["--out", "\(full)/run"]),
      (100, predict), (100, generate + ["--out", "\(full)/d.h5"]),
    ] {
      let disk = try Disk(full, kilobytes: kilobytes)
      let launch = try program(words, ranks: ranks)
      #expect(launch.status == 74, "\(words[0]): \(launch.errors)")
      #expect(launch.messages.count == 1, "\(launch.errors)")
      #expect(launch.errors.contains("No space left on device"), "\(launch.errors)")
      let files = try FileManager.default.subpathsOfDirectory(atPath: disk.path)
      #expect(!files.contains { $0.hasSuffix(".writing") || $0.hasSuffix(".lock") }, "\(files)")
    }
  }

  // MARK: Signals

  @Test("the second Ctrl-C ends a run that is still reading")
  func secondInterrupt() throws {
    let scratch = try Scratch()
    // Nobody writes into the pipe, so that its reader waits for ever.
    #expect(try execute(["mkfifo", scratch.file("pipe")]).status == 0)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let program = ["--default-signal=INT", try locate("h2nn-dist").path]
    let words = ["train", "--data", scratch.file("pipe"), "--out", scratch.file("run")]
    process.arguments = program + words
    process.standardError = FileHandle.nullDevice
    let limit = try process.run(within: TimeLimits(idle: 30)) {
      // Before that the first signal would end it.
      while process.isRunning, !catches(SIGINT, process.processIdentifier) { usleep(10_000) }
      kill(process.processIdentifier, SIGINT)
      usleep(500_000)
      #expect(process.isRunning, "the first one ends nothing")
      kill(process.processIdentifier, SIGINT)
    }
    #expect(limit == nil)
    #expect(process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGINT)
  }

  /// Whether a process has a handler for a signal.
  private func catches(_ signal: Int32, _ process: Int32) -> Bool {
    let text = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("SigCgt:") } ?? ""
    let mask = UInt64(line.dropFirst(7).filter { !$0.isWhitespace }, radix: 16) ?? 0
    return mask >> (UInt64(signal) - 1) & 1 == 1
  }

  // MARK: Two runs

  @Test("a second run is refused as long as the first one lives, and then takes over")
  func secondRun() throws {
    let scratch = try Scratch()
    let (data, run) = (try scratch.write(Fields()), scratch.file("run"))
    let words = ["train", "--data", data, "--out", run, "--leaf", "10", "--iterations"]
    let endless = words + ["10000000", "--checkpoint-every", "10"]
    let process = Process()
    process.executableURL = try locate("h2nn-dist")
    process.arguments = endless
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let limit = try process.run(within: .standard) {
      while process.isRunning, Checkpoints.list(run).isEmpty { usleep(10_000) }
      let owner = "process \(process.processIdentifier) on "
      try expectFailure(endless, status: 73, [run, owner, "--out"])
      // It cannot clean up.
      kill(process.processIdentifier, SIGKILL)
    }
    #expect(limit == nil)
    let newest = try #require(Checkpoints.list(run).last)
    let launch = try program(endless + ["--stop-after", "1"])
    // Its lock is no hindrance, and its checkpoints are there.
    #expect(launch.status == 75, "\(launch.errors)")
    #expect(Checkpoints.list(run).contains(newest))
    #expect(!FileManager.default.fileExists(atPath: "\(run)/.lock"))
  }

  // MARK: Places that only the first rank needs

  @Test("all ranks end with the status of a summary that the first one cannot write")
  func summaryPlace() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let words = ["baseline", "--data", data, "--method", "mean", "--summary"]
    try expectFailure(words + [scratch.file("no/s.json")], status: 73, ["--summary"])
    // Each rank says how it ended.
    let script = "\"$@\"; echo status $?"
    let command = ["sh", "-c", script, "sh", try locate("h2nn-dist").path] + words
    let ranks = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "3"]
    let launch = try execute(ranks + command + [scratch.file("no/s.json")])
    let statuses = launch.output.split(separator: "\n").filter { $0.hasPrefix("status") }
    #expect(statuses == ["status 73", "status 73", "status 73"], "\(launch.output)")
  }
}
