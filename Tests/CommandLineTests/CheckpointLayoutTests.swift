import TestSupport
import Testing

/// The checkpoint's layout, read by a program that knows nothing but its description.
@Suite(
  "Checkpoints outside of this program", .serialized, .waiting,
  .enabled(if: Peer.isThere, "python3 with numpy and h5py is not installed"))
struct CheckpointLayoutTests {
  static let networks = [
    "h2nn", "h2nn --linear-path", "h2nn --block-activation tanh --admissibility 1.2",
    "h2nn --skeleton gaussian --linear-path", "mnn-h2", "mnn-h2 --boundary periodic",
    "mnn-h2 --sharing offset --activation elu",
    "mnn-h2 --sharing offset --boundary periodic --linear-path",
    "mnn-h2 --sharing mix --activation sigmoid", "mnn-h2 --sharing mix --boundary periodic",
    "mnn-h", "mnn-h --sharing mix --transfer-layers 2 --boundary periodic",
    "mnn-h2 --transfer-activation tanh", "mnn-h2 --sharing offset --transfer-layers 3",
    "h2nn --block-width 3 --block-activation tanh --transfer-layers 2",
    "gfmm", "gfmm --bridges strictly-lower", "gfmm --sharing offset --boundary periodic",
    "gfmm --bridges weak --coarse-channels 4",
    "conv --leaf 3", "conv --leaf 3 --boundary periodic", "dense --width 13 --activation tanh",
  ]

  /// Trains, predicts and compares; the precisions have tolerances of their own.
  private func compare(_ fields: Fields, _ words: String, precision: String) throws {
    let scratch = try Scratch()
    let data = try scratch.write(fields)
    let network = "--model \(words)".split(separator: " ").map(String.init)
    let training = ["--iterations", "8", "--precision", precision, "--learning-rate", "0.02"]
    let run = ["train", "--data", data, "--out", scratch.file("run")]
    _ = try scratch.summary(of: run + small + network + training)
    let checkpoint = try #require(Checkpoints.list(scratch.file("run")).last)
    let predictions = scratch.file("predictions.h5")
    let options = ["--checkpoint", checkpoint, "--data", data]
    _ = try scratch.summary(of: ["predict", "--out", predictions] + options)
    let error = try scratch.summary(of: ["evaluate"] + options).number("error_mean")
    let compared = [checkpoint, data, "--compare", predictions]
    let peer = try Peer.run("run_checkpoint.py", compared)
    #expect(peer.status == 0, "\(peer.text)")
    let words = peer.text.split { $0 == " " || $0 == "\n" }
    let told = try #require(words.compactMap { Double($0) }.first)
    #expect(abs(told - error) < (precision == "double" ? 1e-11 : 1e-5) * error)
    // The comparison can fail: the truth is not what the network says. One wrong number shows.
    if precision == "float" {
      #expect(
        try Peer.run("run_checkpoint.py", [checkpoint, data, "--compare", data]).status == 1)
      try Checkpoints.damage(checkpoint, "/parameters/near.1/weights")
      let damaged = try Peer.run("run_checkpoint.py", compared)
      #expect(damaged.status == 1 && damaged.text.contains("/parameters/near.1/weights is damaged"))
    }
  }

  @Test("numpy computes the same outputs on a grid", arguments: networks)
  func grid(network: String) throws {
    try compare(Fields(samples: 60), network, precision: "double")
  }

  @Test(
    "numpy computes the same outputs, to rounding, and notices damage",
    arguments: [
      "h2nn", "mnn-h2 --sharing mix", "mnn-h2 --sharing offset --boundary periodic",
    ])
  func singlePrecision(network: String) throws {
    try compare(Fields(samples: 60), network, precision: "float")
  }

  @Test(
    "numpy computes the same outputs on clouds", arguments: zip([nil, 40], ["float", "double"]))
  func cloud(receivers: Int?, precision: String) throws {
    let fields = Fields(samples: 60, cloud: 70, receivers: receivers)
    try compare(fields, "h2nn --leaf 6", precision: precision)
  }

  @Test(
    "numpy computes the same outputs on grids with leaves of two sizes",
    arguments: [
      "h2nn --linear-path", "h2nn --skeleton gaussian", "mnn-h2", "mnn-h2 --boundary periodic",
      "mnn-h --transfer-layers 2",
    ], [[37], [13, 18]])
  func unequalLeaves(network: String, shape: [Int]) throws {
    let levels = shape.count == 1 ? "" : " --levels 2"
    try compare(Fields(samples: 60, grid: shape), network + levels, precision: "double")
  }

  @Test(
    "numpy computes the same outputs on a grid in two dimensions",
    arguments: [
      "h2nn --leaf 2", "mnn-h2 --leaf 2 --sharing mix", "conv --leaf 1 --boundary periodic",
      "mnn-h --leaf 2 --sharing offset --boundary periodic", "dense --width 7",
      "gfmm --leaf 2 --bridges strong", "gfmm --leaf 2 --bridges pentadiagonal --sharing offset",
    ])
  func plane(network: String) throws {
    try compare(Fields(samples: 60, grid: [8, 8]), network, precision: "double")
  }
}
