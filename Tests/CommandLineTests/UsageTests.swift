import Foundation
import TestSupport
import Testing

/// A command line that is refused, and what the message must name.
struct Refusal: Sendable, CustomTestStringConvertible {
  let words: [String]
  let fragments: [String]

  init(_ words: String, _ fragments: String...) {
    self.words = words.split(separator: " ").map(String.init)
    self.fragments = fragments
  }

  var testDescription: String { words.joined(separator: " ") }
}

@Suite("Wrong command lines", .serialized, .waiting)
struct UsageTests {
  static let unknownWords = [
    Refusal("trian --data d.h5", "trian", "did you mean train?"),
    Refusal("xyzzyxyzzy", "xyzzyxyzzy", "--help"),
    Refusal("train --data d.h5 --out run --modle h2nn", "--modle", "did you mean --model?"),
    Refusal("train --data d.h5 --out run --learning_rate 1", "did you mean --learning-rate?"),
    Refusal("evaluate --checkpiont run --data d.h5", "did you mean --checkpoint?"),
    Refusal("generate rte1d --out d.h5", "rte1d", "did you mean rte-1d?"),
    Refusal("train --data d.h5 --out run --model h2n", "--model h2n", "did you mean h2nn?"),
    Refusal("train --data d.h5 --out run --schedule cosin", "--schedule", "did you mean cosine?"),
    Refusal("train --data d.h5 --out run extra", "unexpected argument 'extra'", "train --help"),
    Refusal("train --data d.h5 --out run --lr 1", "did you mean --learning-rate?"),
    Refusal("train --data d.h5 --out run --iter 1", "did you mean --iterations?"),
  ]

  static let missingWords = [
    Refusal("train --out run", "--data is needed"),
    Refusal("train --data d.h5", "--out is needed"),
    Refusal("evaluate --data d.h5", "--checkpoint is needed"),
    Refusal("predict --checkpoint run --data d.h5", "--out is needed"),
    Refusal("generate rte-1d", "--out is needed"),
    Refusal("generate --out d.h5", "rte-1d", "custom-operator"),
    Refusal("plot --out p.svg", "--run is needed"),
    Refusal("train --data", "--data needs a value"),
    Refusal("train --data d.h5 --out run --seed 1 --seed 2", "--seed is given twice"),
    Refusal("train --data d.h5 --out run --linear-path=yes", "--linear-path is a switch"),
  ]

  static let wrongValues = [
    Refusal("train --data d.h5 --out run --batch 0", "--batch 0", "from 1 to"),
    Refusal("train --data d.h5 --out run --batch 1.5", "--batch 1.5", "integer"),
    Refusal("train --data d.h5 --out run --epochs 9223372036854775807", "--epochs", "from 1 to"),
    Refusal("inspect --points 100000x100000x100000", "--points", "at most"),
    Refusal("inspect --points 2147483647", "--points 2147483647", "GB", "this machine has"),
    Refusal("inspect --points 46340x46340 --model mnn-h2", "--points 46340x46340", "GB"),
    Refusal("inspect --points 2147483647 --model conv", "--points 2147483647", "GB"),
    Refusal("train --data d.h5 --out run --iterations -3", "--iterations -3"),
    Refusal("train --data d.h5 --out run --learning-rate fast", "--learning-rate fast", "number"),
    Refusal("train --data d.h5 --out run --learning-rate nan", "--learning-rate nan"),
    Refusal("train --data d.h5 --out run --learning-rate inf", "--learning-rate inf"),
    Refusal("train --data d.h5 --out run --learning-rate -1", "--learning-rate -1"),
    Refusal("train --data d.h5 --out run --learning-rate 0", "--learning-rate 0", "positive"),
    Refusal("train --data d.h5 --out run --beta1 1", "--beta1 1"),
    Refusal("train --data d.h5 --out run --shard 20", "--shard 20", "multiple of 16"),
    Refusal("train --data d.h5 --out run --split 0.6,0.5,0.3", "--split 0.6,0.5,0.3", "sum"),
    Refusal("train --data d.h5 --out run --split 0.6,0.4", "--split 0.6,0.4", "three"),
    Refusal("train --data d.h5 --out run --seed 1e3", "--seed 1e3", "integer of 64 bits"),
    Refusal("train --data d.h5 --out run --output-scale 0", "--output-scale 0", "positive"),
    Refusal("train --data d.h5 --out run --input-shift x", "--input-shift x", "pointwise"),
    Refusal("train --data d.h5 --out run --epochs 2 --iterations 9", "--epochs", "--iterations"),
    Refusal("evaluate --checkpoint r --data d.h5 --part all", "--part all", "validation"),
    Refusal("generate rte-1d --out d.h5 --points 8x8", "--points 8x8", "one dimension"),
    Refusal("generate rte-1d --out d.h5 --points 0", "--points 0"),
    Refusal("generate rte-1d --out d.h5 --amplitude 3,1", "--amplitude 3,1", "a ≤ b"),
    Refusal("generate rte-1d --out d.h5 --inputs x.h5 --points 8", "--points", "--inputs"),
    Refusal("generate rte-1d --out d.h5 --diagonal 1", "--diagonal", "rte-1d", "--absorption"),
    Refusal(
      "generate custom-operator --out d.h5 --absorption 1", "--absorption", "custom-operator"),
    Refusal("generate n-body --out d.h5 --gap 0.1", "--gap", "n-body", "--receivers"),
    Refusal("generate rte-1d --out d.h5 --scaling rows", "--scaling", "rte-1d"),
    Refusal("generate rte-2d --out d.h5 --scaling both", "--scaling both", "columns, rows"),
    Refusal("generate rte-2d --out d.h5 --points 80", "--points 80", "two dimensions", "80x80"),
    Refusal("generate rte-2d --out d.h5 --points 300x300", "points", "16384"),
    Refusal("generate n-body --out d.h5 --points 8x8", "--points 8x8", "one dimension"),
    Refusal("generate n-body --out d.h5 --dimension 4", "--dimension 4", "1, 2 or 3"),
    Refusal("generate n-body --out d.h5 --receivers 0", "--receivers 0"),
    Refusal("generate n-body --out d.h5 --inputs x.h5 --receivers 2", "--receivers", "--inputs"),
    Refusal("generate rte-1d --out d.h5 --inputs x.h5 --gap 0", "--gap", "--inputs"),
    Refusal("generate rte-1d --out d.h5 --samples-last", "--samples-last", "--inputs"),
    Refusal("inspect --points 10x10x10x10", "--points 10x10x10x10"),
    Refusal("inspect --channels 2147483647", "--channels", "65536"),
    Refusal("inspect --coarse-channels 2147483647", "--coarse-channels", "65536"),
    Refusal("bench --coarse-channels 4611686018427387904", "--coarse-channels", "65536"),
    Refusal("inspect --block-width 2147483647", "--block-width", "65536"),
    Refusal("inspect --layers 2147483647", "--layers", "1000"),
    Refusal("bench --transfer-layers 100000", "--transfer-layers", "1000"),
    Refusal("bench --batch 1000000000", "--batch", "GB"),
    Refusal("generate n-body --out d.h5 --receivers 1000000000", "--receivers", "16777216"),
    Refusal("generate n-body --out d.h5 --points 1000000000", "--points", "16777216"),
    Refusal("train --data d.h5 --out run --iterations 1e4.5", "--iterations 1e4.5", "integer"),
    Refusal("train --data d.h5 --out run --iterations 1.5e0", "--iterations 1.5e0", "integer"),
  ]

  static let misfits = [
    Refusal("inspect --points 320 --leaf 7", "320 points", "leaves of 7", "a leaf of 5"),
    Refusal("inspect --points 40 --model mnn-h2 --leaf 20", "2 levels", "smaller --leaf"),
    Refusal("inspect --points 40 --model mnn-h2 --leaf 40", "2 levels", "smaller --leaf"),
    Refusal("inspect --points 40 --leaf 5 --levels 2", "--leaf", "--levels"),
    Refusal("inspect --points 40 --model mnn-h --leaf 20", "mnn-h", "2 levels"),
    Refusal("inspect --points 40 --model conv --block-width 3", "--block-width", "conv"),
    Refusal("inspect --points 40 --model dense --transfer-layers 2", "--transfer-layers", "h2nn"),
    Refusal(
      "inspect --points 40 --model mnn-h --transfer-activation relu", "--transfer-activation",
      "--transfer-layers"),
    Refusal(
      "inspect --points 16x16 --model gfmm --bridges blog", "--bridges blog", "strictly-lower"),
    Refusal("inspect --points 40 --model gfmm --leaf 5", "--channels 6", "leaves of 5", "--leaf"),
    Refusal("inspect --points 40 --model gfmm --activation relu", "--activation", "linear"),
    Refusal("inspect --points 40 --model gfmm --activation elu", "--activation elu", "linear"),
    Refusal("inspect --points 40 --model gfmm --bridges tri", "--bridges tri", "tridiagonal"),
    Refusal(
      "inspect --points 64 --model gfmm --bridges strictly-lower --boundary periodic",
      "--bridges strictly-lower", "--boundary"),
    Refusal(
      "inspect --points 16x16 --model gfmm --bridges upper-bidiagonal --sharing offset",
      "--bridges upper-bidiagonal", "--sharing own"),
  ]

  @Test("unknown words are refused with the nearest known one", arguments: unknownWords)
  func unknown(refusal: Refusal) throws {
    try expectFailure(refusal.words, status: 64, refusal.fragments, ranks: [nil])
  }

  @Test("missing and repeated words are named", arguments: missingWords)
  func missing(refusal: Refusal) throws {
    try expectFailure(refusal.words, status: 64, refusal.fragments, ranks: [nil])
  }

  @Test("wrong values are named, and what is needed instead", arguments: wrongValues)
  func wrong(refusal: Refusal) throws {
    try expectFailure(refusal.words, status: 64, refusal.fragments, ranks: [nil])
  }

  @Test("a network that does not fit the points says what would", arguments: misfits)
  func misfit(refusal: Refusal) throws {
    try expectFailure(refusal.words, status: 64, refusal.fragments, ranks: [nil])
  }

  @Test("a whole number may be written with an exponent")
  func exponent() throws {
    let scratch = try Scratch()
    let summary = try scratch.summary(of: ["inspect", "--points", "80", "--channels", "1.2e1"])
    let plain = try scratch.summary(of: ["inspect", "--points", "80", "--channels", "12"])
    #expect(try summary.integer("parameters") == plain.integer("parameters"))
  }

  @Test("parameters that no machine holds are refused before they are made")
  func memory() throws {
    let words = ["bench", "--points", "320", "--model", "h2nn", "--channels", "60000"]
    try expectFailure(words, status: 64, ["parameters", "GB", "--channels"], ranks: [nil, 2])
  }

  @Test("one of several ranks says what is wrong")
  func ranks() throws {
    let words = ["train", "--data", "d.h5", "--out", "run", "--modle", "h2nn"]
    try expectFailure(words, status: 64, ["did you mean --model?"], ranks: [2, 5])
  }

  @Test("no words at all print the help and are wrong")
  func nothing() throws {
    let launch = try program([])
    #expect(launch.status == 64)
    #expect(launch.output.contains("Usage: h2nn-dist VERB"))
  }

  @Test("a process grid must fit the ranks", arguments: ["2x1", "1x3", "0x1", "x", "3"])
  func grid(text: String) throws {
    let scratch = try Scratch()
    let words = ["train", "--data", try scratch.write(Fields()), "--out", scratch.file("run")]
    try expectFailure(words + ["--grid", text], status: 64, ["--grid \(text)"], ranks: [nil])
    #expect(!FileManager.default.fileExists(atPath: scratch.file("run")))
  }

  @Test("a process grid that fits is used", arguments: [1, 2])
  func fittingGrid(ranks: Int) throws {
    let scratch = try Scratch()
    let words = ["train", "--data", try scratch.write(Fields()), "--out", scratch.file("run")]
    let options = small + ["--iterations", "1", "--grid", "\(ranks)x1"]
    #expect(try program(words + options, ranks: ranks).status == 0)
  }
}
