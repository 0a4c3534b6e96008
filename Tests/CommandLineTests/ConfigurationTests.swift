import TestSupport
import Testing

@Suite("Configuration files", .serialized, .waiting)
struct ConfigurationTests {
  /// Inspects the network of a configuration.
  private func parameters(_ text: String, _ words: [String] = []) throws -> Int {
    let scratch = try Scratch()
    let path = try scratch.write(text, to: "job.json5")
    return try scratch.summary(of: ["inspect", "--config", path] + words).integer("parameters")
  }

  @Test("comments, trailing commas, single quotes and bare keys are JSON5")
  func json5() throws {
    let text = """
      // The network of a test.
      {
        points: '40', /* a grid */ "model": "mnn-h2",
        channels: 4, layers: +2, leaf: 0x5, linear_path: true, boundary: 'periodic',
      }
      """
    let scratch = try Scratch()
    let words = "inspect --points 40 --model mnn-h2 --channels 4 --layers 2 --leaf 5 --linear-path"
    let expected = try scratch.summary(
      of: words.split(separator: " ").map(String.init) + ["--boundary", "periodic"]
    ).integer("parameters")
    #expect(try parameters(text) == expected)
    // Every setting counts: a change of it changes the number.
    #expect(
      try parameters(text.replacing("linear_path: true", with: "linear_path: false")) < expected)
    #expect(try parameters(text.replacing("0x5", with: "10")) != expected)
    #expect(try parameters(text.replacing("channels: 4", with: "channels: 3")) < expected)
  }

  @Test("the command line wins over the file")
  func commandLineWins() throws {
    let text = "{points: 80, channels: 5, layers: 2}"
    let same = try parameters("{points: 40, channels: 3, layers: 2}")
    #expect(try parameters(text, ["--points", "40", "--channels=3"]) == same)
    #expect(try parameters(text) != same)
  }

  @Test("a switch can be false, and numbers can stand for texts")
  func values() throws {
    #expect(try parameters("{linear_path: false}") == parameters("{}"))
    #expect(try parameters("{points: 40, admissibility: 1.9}") == parameters("{points: 40}"))
  }

  @Test("lists are joined with commas")
  func lists() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let path = try scratch.write("{split: [0.5, 0.25, 0.25], iterations: 1}", to: "job.json5")
    let words = ["train", "--data", data, "--out", scratch.file("run"), "--config", path]
    _ = try scratch.summary(of: words + small)
    let evaluate = ["evaluate", "--checkpoint", scratch.file("run"), "--data", data]
    for (part, count) in [("training", 60), ("validation", 30), ("test", 30)] {
      let summary = try scratch.summary(of: evaluate + ["--part", part])
      #expect(try summary.integer("samples") == count)
    }
  }

  @Test(
    "wrong files are refused",
    arguments: [
      ("{channels: 3", "not a JSON5 file"), ("[1, 2]", "one JSON5 object"), ("", "JSON5"),
      ("{chanels: 3}", "did you mean channels?"),
      ("{'learning-rate': 1, model: 'h2nn'}", "learning-rate"),
      ("{linear_path: 'yes'}", "linear_path"), ("{linear_path: 1}", "linear_path"),
      ("{leaf: 2.5}", "--leaf 2.5"), ("{leaf: null}", "leaf"), ("{leaf: {a: 1}}", "leaf"),
      ("{config: 'other'}", "config"), ("{help: true}", "help"),
    ])
  func wrong(text: String, fragment: String) throws {
    let scratch = try Scratch()
    let path = try scratch.write(text, to: "job.json5")
    try expectFailure(["inspect", "--config", path], status: 64, [fragment], ranks: [nil])
  }

  @Test(
    "the line of a mistake is told",
    arguments: [
      ("{channels: 3,\n layers: [1, 2}", "line 2: } does not close the [ of line 2"),
      ("{\n channels: 3,\n", "line 1: { is not closed"),
      ("{channels: 3,\n model: 'h2nn,\n leaf: 3}", "line 2: the text that begins with '"),
      ("{channels: 3, // r\n leaf: 5\n layers: 2}", "line 2: not an entry"),
      ("/* two\n lines */ {channels: 3,\n\n leaf 5}", "line 4: not an entry"),
      ("{channels: 3,\n leaf: 5,\n\n 'channels': 3}", "line 4: key 'channels' stands on line 1"),
      (
        "{channels: 3, // {leaf: 1,\n leaf: [1, {a: 1,\n b: '\\'{a:1', 'a': 2}]}",
        "line 3: key 'a' stands on line 2"
      ),
      ("{channels: 3}\n}", "line 2: } closes nothing"), ("{}\n/* no end", "line 2: the comment"),
    ])
  func mistakes(text: String, fragment: String) throws {
    let scratch = try Scratch()
    let path = try scratch.write(text, to: "job.json5")
    try expectFailure(["inspect", "--config", path], status: 64, [fragment], ranks: [nil])
  }

  @Test("one message comes from any number of ranks")
  func ranks() throws {
    let scratch = try Scratch()
    let path = try scratch.write("{modle: 'h2nn'}", to: "job.json5")
    let words = ["train", "--data", "d.h5", "--out", "run", "--config"]
    try expectFailure(words + [path], status: 64, [path, "did you mean model?"])
    let missing = scratch.file("none.json5")
    try expectFailure(words + [missing], status: 66, [missing])
  }

  @Test("all settings of a run can stand in a file")
  func train() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let text = """
      {data: '\(data)', out: '\(scratch.file("file"))', channels: 3, layers: 2, batch: 40,
       shard: 16, iterations: 4, learning_rate: 2e-3, schedule: 'constant', seed: 7,
       optimizer: 'nadam', validate_every: 0}
      """
    let path = try scratch.write(text, to: "job.json5")
    let one = try scratch.summary(of: ["train", "--config", path]).text("digest")
    let options = "--iterations 4 --learning-rate 2e-3 --schedule constant --seed 7"
    let words = ["train", "--data", data, "--out", scratch.file("words"), "--optimizer", "nadam"]
    let other = options.split(separator: " ").map(String.init)
    #expect(try scratch.summary(of: words + small + other).text("digest") == one)
  }
}
