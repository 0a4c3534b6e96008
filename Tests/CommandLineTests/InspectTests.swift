import Foundation
import TestSupport
import Testing

@Suite("Inspecting networks", .serialized, .waiting)
struct InspectTests {
  private func inspect(_ words: String, _ more: [String] = []) throws -> Summary {
    let scratch = try Scratch()
    return try scratch.summary(
      of: ["inspect"] + words.split(separator: " ").map(String.init) + more)
  }

  /// Counts of the papers' own programs, and counts by hand.
  @Test(
    "parameters are counted as the papers do",
    arguments: [
      // Fan et al.: N = 320, L = 6, K = 5, r = 6 with weights by offset.
      ("--points 320 --model mnn-h2 --sharing offset --boundary periodic --layers 5", 7209, 7209),
      ("--points 320 --model mnn-h --sharing offset --boundary periodic --layers 5", 8535, 8535),
      (
        "--points 80x80 --model mnn-h --sharing offset --boundary periodic --layers 5", 57323, 57323
      ),
      // In two dimensions, where with mix only transfers have own weights.
      ("--points 80x80 --model mnn-h2 --sharing mix --layers 5", 160_656, 160_656),
      // Triangular factors of 256 unknowns, leaves of 32, r = 8.
      ("--points 256 --model gfmm --leaf 32 --channels 8 --bridges weak", 14272, 14272),
      ("--points 256 --model gfmm --leaf 32 --channels 8 --bridges strong", 21248, 21248),
      ("--points 256 --model gfmm --leaf 32 --channels 8 --bridges blog", 21248, 21248),
      // 3 d − 2 blocks of 8, 4 and 2 boxes, 20 of transfers down and as many up.
      ("--points 32 --model gfmm --leaf 4 --channels 4", 16 * (22 + 10 + 4 + 40), 1216),
      // K = 3 layers of 40 · 40 + 40, and with a hidden width of 7.
      ("--points 40 --model dense", 4920, 4920),
      ("--points 40 --model dense --width 7", 40 * 7 + 7 + 49 + 7 + 7 * 40 + 40, 663),
      ("--points 6x5 --model dense", 3 * (30 * 30 + 30), 2790),
      // Windows of 3 × 3 points, and of 11: 1 → 6 → 6 → 1 channels.
      ("--points 6x5 --model conv --leaf 1", 9 * 6 + 6 + 9 * 36 + 6 + 9 * 6 + 1, 445),
      ("--points 40 --model conv", 11 * 6 + 6 + 11 * 36 + 6 + 11 * 6 + 1, 541),
    ])
  func counts(words: String, parameters: Int, active: Int) throws {
    let summary = try inspect(words)
    #expect(try summary.integer("parameters") == parameters)
    #expect(try summary.integer("active_parameters") == active)
  }

  @Test(
    "layers sum up to the network",
    arguments: [
      "--model h2nn", "--model mnn-h2 --channels 4", "--model mnn-h2 --linear-path",
      "--model mnn-h", "--model gfmm", "--model h2nn --block-width 3 --transfer-layers 2",
    ])
  func layers(words: String) throws {
    let summary = try inspect("--points 80 \(words)")
    for key in ["parameters", "active_parameters"] {
      let sum = try summary.objects("layers").reduce(0) { sum, layer in
        sum + (try #require(layer[key] as? Int))
      }
      #expect(try sum == summary.integer(key))
    }
    let names = try summary.objects("layers").map { $0["name"] as? String }
    #expect(Set(names).count == names.count && !names.contains(nil))
    // Blocks over zero padding are counted, and are not there.
    let isPadded = words.contains("mnn-h")
    #expect(
      try (summary.integer("parameters") > summary.integer("active_parameters")) == isPadded)
  }

  @Test("the lists are those of boxes, also with networks in the blocks")
  func lists() throws {
    func lists(_ words: [String]) throws -> Substring {
      let launch = try program(["inspect", "--points", "40", "--lists"] + words)
      let start = try #require(launch.output.range(of: "\nlists\n"))
      let end = try #require(launch.output.range(of: "\nparameters "))
      return launch.output[start.lowerBound..<end.lowerBound]
    }
    let plain = try lists([])
    #expect(plain.contains("22 pairs of boxes") && plain.contains("       0: 0 1\n"))
    #expect(try lists(["--block-width", "3", "--transfer-layers", "2"]) == plain)
    // 8 leaves, 4 boxes and 2: each sees the one before it.
    let words = [
      "--model", "gfmm", "--leaf", "5", "--channels", "3", "--bridges", "strictly-lower",
    ]
    let linear = try lists(words)
    for list in ["diagonal    8", "near        7", "bridge.1    1", "bridge.2    3"] {
      #expect(linear.contains("  \(list) pairs of boxes"), "\(list)")
    }
    #expect(linear.contains("       0: \n       1: 0\n"))
  }

  @Test("the points of a dataset are inspected as a training sees them", arguments: [nil, 25])
  func dataset(receivers: Int?) throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields(cloud: 60, receivers: receivers))
    let words = ["--data", data, "--leaf", "6", "--channels", "3", "--layers", "2"]
    let summary = try scratch.summary(of: ["inspect"] + words)
    let options = ["--out", scratch.file("run"), "--iterations", "1", "--shard", "16"]
    let trained = try scratch.summary(of: ["train", "--batch", "16"] + words + options)
    for key in ["parameters", "active_parameters"] {
      #expect(try summary.integer(key) == trained.integer(key))
    }
  }

  @Test("a missing dataset is an error")
  func missing() throws {
    let scratch = try Scratch()
    let path = scratch.file("none.h5")
    try expectFailure(["inspect", "--data", path], status: 66, [path], ranks: [nil])
  }

  @Test("one of several ranks prints, without MPI")
  func ranks() throws {
    let words = ["inspect", "--points", "40"]
    let alone = try program(words, environment: HelpTests.withoutMPI)
    #expect(alone.status == 0 && alone.output.contains("parameters"))
    #expect(!alone.errors.contains("far field"))
    for network in [["--points", "8"], ["--points", "40", "--admissibility", "9"]] {
      let dense = try program(["inspect"] + network)
      #expect(dense.status == 0 && dense.errors.contains("without a far field"), "\(dense.errors)")
    }
    #expect(try program(words, ranks: 3).output == alone.output)
  }
}
