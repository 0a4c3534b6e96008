import Foundation
import TestSupport
import Testing

/// A way to spoil a dataset.
struct Damage: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let fragments: [String]
  let names: (String, String)
  let change: @Sendable (inout Fields) -> Void

  init(
    _ testDescription: String, _ fragments: [String],
    names: (String, String) = ("/Input", "/Output"),
    _ change: @escaping @Sendable (inout Fields) -> Void = { _ in }
  ) {
    self.testDescription = testDescription
    self.fragments = fragments
    self.names = names
    self.change = change
  }
}

@Suite("Wrong files", .serialized, .waiting)
struct DataErrorTests {
  static let damages = [
    Damage(
      "no inputs", ["no dataset /Input", "the file holds /Output", "--input-name"],
      names: ("", "/Output")),
    Damage(
      "no outputs", ["no dataset /Output", "the file holds /Input", "--output-name"],
      names: ("/Input", "")),
    Damage("fewer outputs than inputs", ["/Output", "120", "119"]) { fields in
      fields.outputSamples = 119
      fields.outputs.removeLast(40)
    },
    Damage("samples only", ["/Input", "[120]", "samples × points"]) { fields in
      fields.shape = []
      fields.inputs.removeLast(120 * 39)
    },
    Damage("not a number in an input", ["/Input", "nan", "sample 7", "point 5"]) {
      $0.inputs[7 * 40 + 5] = .nan
    },
    Damage("infinity in an output", ["/Output", "inf", "sample 119", "point 39"]) {
      $0.outputs[119 * 40 + 39] = -.infinity
    },
    Damage("other output points without coordinates", ["/Output", "/OutputPoints"]) { fields in
      fields.outputShape = [20]
      fields.outputs.removeLast(120 * 20)
    },
    Damage("points that do not fit the inputs", ["/Points", "39", "/Input"]) {
      $0.points = (0..<39).map { [noise($0), 0] }
    },
    Damage("points that are not numbers", ["/Points", "nan"]) {
      $0.points = (0..<40).map { [$0 == 3 ? .nan : noise($0), 0] }
    },
    Damage("a zero output under the relative loss", ["sample 5", "zero", "--loss mse"]) {
      for point in 0..<40 { $0.outputs[5 * 40 + point] = 0 }
    },
    Damage("outputs that are too large", ["outputs", "too large", "squared", "scale"]) { fields in
      for place in fields.outputs.indices { fields.outputs[place] *= 1e200 }
    },
    Damage("outputs that are too small", ["outputs", "too small", "squared", "scale"]) { fields in
      for place in fields.outputs.indices { fields.outputs[place] *= 1e-200 }
    },
    Damage("a test output that is too small", ["sample 100", "too small", "squared"]) { fields in
      for place in 100 * 40..<101 * 40 { fields.outputs[place] *= 1e-200 }
    },
  ]

  private func train(_ data: String, _ scratch: borrowing Scratch) -> [String] {
    ["train", "--data", data, "--out", scratch.file("run"), "--iterations", "2"] + small
  }

  @Test("a dataset with wrong content is refused", arguments: damages)
  func content(damage: Damage) throws {
    let scratch = try Scratch()
    let data = scratch.file("data.h5")
    var fields = Fields()
    damage.change(&fields)
    try fields.write(to: data, names: damage.names)
    try expectFailure(train(data, scratch), status: 65, [data] + damage.fragments)
    #expect(Checkpoints.list(scratch.file("run")).isEmpty)
  }

  @Test("a missing dataset is refused")
  func missing() throws {
    let scratch = try Scratch()
    let data = scratch.file("none.h5")
    try expectFailure(train(data, scratch), status: 66, [data, "no such file"])
  }

  @Test("a file that is not HDF5, or cut off, is refused", arguments: ["empty", "text", "cut"])
  func broken(kind: String) throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let whole = try Data(contentsOf: URL(fileURLWithPath: data))
    let bytes =
      switch kind {
      case "empty": Data()
      case "text": Data("These are no fields.\n".utf8)
      default: whole.prefix(whole.count / 2)
      }
    try bytes.write(to: URL(fileURLWithPath: data))
    let fragment = kind == "cut" ? "truncated" : "not an HDF5 file"
    try expectFailure(train(data, scratch), status: 65, [data, fragment])
  }

  @Test("a network that does not fit the dataset is refused")
  func misfit() throws {
    let scratch = try Scratch()
    let words = train(try scratch.write(Fields()), scratch)
    try expectFailure(words + ["--leaf", "7"], status: 64, ["40 points", "a leaf of 5"])
    try expectFailure(
      words + ["--model", "mnn-h2", "--leaf", "20"], status: 64, ["2 levels", "--leaf"])
    let cloud = try scratch.write(Fields(samples: 20, cloud: 30), to: "cloud.h5")
    for model in ["mnn-h2", "conv"] {
      let words = train(cloud, scratch) + ["--model", model]
      try expectFailure(words, status: 64, [model, "grid", "h2nn"], ranks: [nil])
    }
  }

  @Test("an empty training part is refused")
  func emptyPart() throws {
    let scratch = try Scratch()
    let words = train(try scratch.write(Fields()), scratch) + ["--split", "0.001,0.5,0.4"]
    try expectFailure(words, status: 64, ["--split", "120"])
  }

  @Test("what exists is not overwritten without --force")
  func existing() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let before = try Data(contentsOf: URL(fileURLWithPath: data))
    let words = ["generate", "rte-1d", "--points", "8", "--samples", "5", "--out", data]
    try expectFailure(words, status: 73, [data, "exists", "--force"])
    #expect(try Data(contentsOf: URL(fileURLWithPath: data)) == before)
    #expect(try program(words + ["--force"]).status == 0)
    #expect(try read(data, "/Input").count == 40)
  }

  @Test("folders that cannot be written are named")
  func unwritable() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let inside = scratch.file("none/out.h5")
    let generate = ["generate", "rte-1d", "--points", "8", "--samples", "5", "--out", inside]
    try expectFailure(generate, status: 73, [inside])
    // A file stands where the folder should be; that stops also a superuser.
    let train = ["train", "--data", data, "--iterations", "1"] + small
    try expectFailure(train + ["--out", "\(data)/run"], status: 73, ["\(data)/run"])
    try expectFailure(train + ["--out", data], status: 73, [data])
  }

  @Test("a summary that cannot be written is an error")
  func summary() throws {
    let scratch = try Scratch()
    let place = scratch.file("none/summary.json")
    let words = ["generate", "rte-1d", "--points", "8", "--samples", "5"]
    for ranks in [nil, 3] {
      let out = scratch.file("\(ranks ?? 1).h5")
      let launch = try program(words + ["--out", out, "--summary", place], ranks: ranks)
      #expect(launch.status == 73, "\(launch.errors)")
      #expect(launch.messages.count == 1 && launch.errors.contains(place), "\(launch.errors)")
    }
  }

  @Test("a training that diverges ends with status 70 and no later checkpoint")
  func divergence() throws {
    let scratch = try Scratch()
    let words = train(try scratch.write(Fields()), scratch) + ["--learning-rate", "1e30"]
    try expectFailure(
      words + ["--checkpoint-every", "1"], status: 70, ["loss", "step 1", "--learning-rate"])
    #expect(Checkpoints.list(scratch.file("run")).isEmpty)
    // Without a checkpoint in between it is the next loss that tells; at the end, the outputs.
    try expectFailure(words, status: 70, ["loss", "step 2"])
    var once = words
    let place = try #require(words.firstIndex(of: "--iterations"))
    once[place + 1] = "1"
    try expectFailure(once, status: 70, ["loss", "step 1"])
  }
}
