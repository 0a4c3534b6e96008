import Foundation
import ParallelHDF5
import TestSupport
import Testing

/// Units of a ReLU network that die: their moments shrink for ever and must not become subnormal.
@Suite("Subnormal numbers", .serialized, .waiting)
struct SubnormalTests {
  /// The numbers of the optimizer in a checkpoint.
  private func moments(_ checkpoint: String) throws -> [Float] {
    let file = try HDF5File.open(checkpoint)
    var (groups, numbers) = (["/optimizer"], [Float]())
    while let group = groups.popLast() {
      for name in try file.names(in: group).map({ "\(group)/\($0)" }) {
        // What holds no names holds numbers.
        if (try? file.names(in: name)) != nil {
          groups.append(name)
        } else {
          numbers += try file.read(name, as: Float.self)
        }
      }
    }
    return numbers
  }

  @Test("no moment of a long training is subnormal", arguments: [nil, 2])
  func moments(ranks: Int?) throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields(samples: 200))
    let words = [
      "train", "--data", data, "--out", scratch.file("run"), "--model", "mnn-h2", "--leaf", "5",
      "--activation", "relu", "--batch", "32", "--shard", "32", "--iterations", "400",
      // Moments shrink fast; 0.6 of the smallest number is rounded to that number.
      "--beta1", "0.6", "--beta2", "0.6", "--learning-rate", "0.02", "--validate-every", "0",
      "--sample-memory", ranks == nil ? "1" : "0",
    ]
    _ = try scratch.summary(of: words, ranks: ranks)
    let checkpoint = try #require(Checkpoints.list(scratch.file("run")).last)
    let moments = try moments(checkpoint)
    // There are moments, and of dead units.
    #expect(moments.count > 15_000)
    #expect(moments.count { $0 == 0 } > 300)
    #expect(moments.count { $0.isSubnormal } == 0)
  }
}
