import TestSupport
import Testing

@Suite("The same bits for any number of ranks", .serialized, .waiting)
struct DigestTests {
  /// Seven shards of sixteen samples, the last of four: neither divides evenly among 2, 3 or 5 ranks.
  static let options =
    ["--channels", "3", "--layers", "2", "--batch", "100", "--shard", "16", "--iterations", "5"]

  @Test(
    "a training does not depend on the ranks",
    arguments: [
      ["--model", "h2nn"], ["--model", "h2nn", "--precision", "double"],
      ["--model", "mnn-h2"], ["--model", "mnn-h2", "--sharing", "mix", "--boundary", "periodic"],
      // Its gradient is sent in several messages.
      ["--model", "dense", "--width", "900"],
    ])
  func digests(network: [String]) throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    func train(_ ranks: Int?, _ more: [String] = []) throws -> Summary {
      let out = ["--out", scratch.file("run-\(ranks ?? 0)-\(more.count)")]
      let words = ["train", "--data", data] + out + Self.options + network
      return try scratch.summary(of: words + more, ranks: ranks)
    }
    let alone = try train(nil)
    let digest = try alone.text("digest")
    for ranks in [1, 2, 5] {
      let summary = try train(ranks)
      #expect(try summary.text("digest") == digest, "\(ranks) ranks")
      for key in ["train_error", "validation_error", "test_error", "mean_predictor_error"] {
        #expect(try summary.number(key) == alone.number(key), "\(key), \(ranks) ranks")
      }
      #expect(try summary.integer("flops_per_step") == alone.integer("flops_per_step"))
    }
    // The digest tells networks apart.
    #expect(try train(nil, ["--seed", "2"]).text("digest") != digest)
  }

  @Test("evaluations and predictions do not depend on the ranks")
  func evaluation() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let run = ["--checkpoint", scratch.file("run"), "--data", data]
    _ = try scratch.summary(
      of: ["train", "--data", data, "--out", scratch.file("run")] + Self.options)
    let alone = try scratch.summary(of: ["evaluate"] + run)
    _ = try scratch.summary(of: ["predict", "--out", scratch.file("1.h5")] + run)
    for ranks in [2, 5] {
      let summary = try scratch.summary(of: ["evaluate"] + run, ranks: ranks)
      for key in alone.keys.subtracting(["notes"]) {
        #expect(try summary.number(key) == alone.number(key), "\(key)")
      }
      let out = scratch.file("\(ranks).h5")
      _ = try scratch.summary(of: ["predict", "--out", out] + run, ranks: ranks)
      #expect(try read(out, "/Output") == read(scratch.file("1.h5"), "/Output"))
    }
  }

  @Test("errors do not depend on the ranks, whatever the size of the shards", arguments: [80, 144])
  func oddShards(shard: Int) throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields(samples: 500))
    let words = ["train", "--data", data, "--batch", "80", "--shard", "\(shard)"]
    let summaries = try [1, 2, 3].map { ranks in
      let options = ["--iterations", "2", "--out", scratch.file("run-\(ranks)")]
      return try scratch.summary(of: words + options, ranks: ranks)
    }
    for key in ["train_error", "validation_error", "test_error"] {
      let values = try summaries.map { try $0.number(key) }
      #expect(Set(values).count == 1, "\(key): \(values)")
    }
  }

  @Test("the size of the shards changes nothing but the rounding")
  func shards() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let words = ["train", "--data", data, "--channels", "3", "--layers", "2", "--batch", "40"]
    let summaries = try ["16", "32", "64"].map { shard in
      let options = ["--shard", shard, "--iterations", "5", "--precision", "double"]
      return try scratch.summary(of: words + options + ["--out", scratch.file("run-\(shard)")])
    }
    let error = try summaries[0].number("train_error")
    for other in summaries.dropFirst() {
      // Five steps of Adam from sums in another order.
      #expect(abs(try other.number("train_error") - error) < 1e-10 * error)
      #expect(try other.text("digest") != summaries[0].text("digest"))
    }
  }

  @Test("more ranks than shards and samples are idle, not wrong")
  func idle() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields(samples: 4))
    let words = ["train", "--data", data, "--channels", "2", "--layers", "1", "--iterations", "2"]
    let options = ["--batch", "2", "--shard", "16", "--split", "0.5,0.25,0.25"]
    let digests = try [nil, 5].map { ranks in
      let out = ["--out", scratch.file("run-\(ranks ?? 1)")]
      return try scratch.summary(of: words + options + out, ranks: ranks).text("digest")
    }
    #expect(digests[0] == digests[1])
  }
}
