import TestSupport
import Testing

/// Outputs and gradients, compared with those of other frameworks at the same parameters.
@Suite(
  "Twins in PyTorch and JAX", .serialized, .waiting,
  .enabled(
    if: !Peer.frameworks.isEmpty, "python3 with numpy, h5py and torch or jax is not installed"))
struct TwinTests {
  /// Trains one step further than a checkpoint with the whole training part as batch, and compares.
  ///
  /// With β₁ = 0 the first moment after a step is its gradient, at the parameters before.
  private func compare(_ fields: Fields, _ words: String, precision: String) throws {
    let scratch = try Scratch()
    let data = try scratch.write(fields)
    let batch = ["--split", "1,0,0", "--batch", "\(fields.samples)", "--shard", "16"]
    let recipe = ["--beta1", "0", "--learning-rate", "0.004", "--iterations", "9"]
    let train = ["train", "--data", data, "--out", scratch.file("run"), "--precision", precision]
    let network = "--model \(words)".split(separator: " ").map(String.init)
    for step in ["4", "5"] {
      _ = try scratch.summary(
        of: train + network + batch + recipe + ["--stop-after", step], status: 75)
    }
    let checkpoints = Checkpoints.list(scratch.file("run"))
    try #require(checkpoints.count == 2)
    let (before, after) = (checkpoints[0], checkpoints[1])
    let predictions = scratch.file("predictions.h5")
    _ = try scratch.summary(
      of: ["predict", "--checkpoint", before, "--data", data, "--out", predictions])
    let compared = [before, after, data, predictions, "--framework"]
    let twins = try Peer.run("twins.py", compared + [Peer.frameworks.joined(separator: ",")])
    #expect(twins.status == 0, "\(twins.text)")
    // The comparison can fail: one wrong number of the gradient shows.
    if precision == "float" && words == "h2nn" {
      try Checkpoints.damage(after, "/optimizer/first_moment/near.1/weights")
      #expect(try Peer.run("twins.py", compared + [Peer.frameworks[0]]).status == 1)
    }
  }

  @Test(
    "outputs and gradients are the same",
    arguments: [
      "h2nn", "mnn-h2", "mnn-h2 --sharing offset", "mnn-h2 --sharing mix", "mnn-h",
      "mnn-h --sharing offset --boundary periodic", "h2nn --block-width 4",
      "mnn-h --transfer-layers 2", "conv",
    ],
    ["float", "double"])
  func line(network: String, precision: String) throws {
    try compare(Fields(samples: 60, points: 80), network, precision: precision)
  }

  @Test(
    "outputs and gradients are the same with other options, and in two dimensions",
    arguments: [
      "h2nn --leaf 2 --linear-path", "mnn-h2 --leaf 2 --sharing mix --boundary periodic",
      "mnn-h --leaf 2 --sharing mix", "conv --leaf 1 --activation tanh",
    ])
  func plane(network: String) throws {
    var fields = Fields(samples: 40, points: 256)
    fields.shape = [16, 16]
    fields.outputShape = [16, 16]
    try compare(fields, network, precision: "double")
  }
}
