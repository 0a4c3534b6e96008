import Foundation
import TestSupport
import Testing

@Suite("Help", .serialized, .waiting)
struct HelpTests {
  static let shared = "config summary help"
  /// What all verbs have that run on ranks: all but one.
  static let onRanks = "stall-timeout"
  static let layout = "input-name output-name samples-last"
  static let planning = "grid replicate-below wave scaling machine"
  static let network = """
    model sharing bridges channels coarse-channels skeleton tolerance rank-limit layers leaf levels admissibility boundary \
    linear-path activation block-activation block-width transfer-layers transfer-activation width
    """
  static let training = """
    data out restart repeat stop-after grid replicate-below wave machine report-every validate-every \
    checkpoint-every sample-memory loss optimizer learning-rate schedule warmup \
    step-every step-factor plateau-every plateau-patience plateau-threshold drop-at batch-growth beta1 beta2 epsilon nadam-momentum initializer initialize batch shard iterations epochs split precision seed input-shift input-scale \
    output-shift output-scale
    """
  static let gaussians = "gaussians amplitude centres gap variance"
  /// Each problem lists its own options, with its own defaults.
  static let problems = """
    \(gaussians) absorption \(gaussians) absorption scaling \(gaussians) diagonal \
    dimension receivers charges \(nonlinear) \(nonlinear) \(wells) \(wells)
    """
  static let nonlinear = "gaussians amplitude gap variance beta"
  static let wells = "wells amplitude sigma gap electrons length"
  static let matrix = "matrix object points length nugget diffusion convection"
  static let samples = "points samples seed inputs out force precision"

  /// The options of each verb.
  static let verbs = [
    ("generate", "\(samples) \(problems) \(layout)"), ("train", "\(training) \(network) \(layout)"),
    ("evaluate", "checkpoint data part grid replicate-below wave \(layout)"),
    ("predict", "checkpoint data out force grid replicate-below wave \(layout)"),
    ("compare", "run data part \(layout)"),
    (
      "inspect",
      "points data lists \(planning) batch shard precision \(network) \(layout)"
    ),
    ("bench", "out points batch shard precision repeat grid replicate-below wave json \(network)"),
    ("plot", "run data sample out force \(layout)"),
    ("study", "out data-directory report only set commit"),
    (
      "baseline",
      "data method split part out force regularization kernel length-scale samples-limit "
        + "search-samples \(layout)"
    ),
    (
      "factor",
      "\(matrix) pattern order leaf levels channels coarse-channels form start factor-memory refine loss probes steps "
        + "inner-iterations inner-tolerance learning-rate transpose-loss block-wise seed out restart "
        + "stop-after checkpoint-every tree-ranks"
    ),
    (
      "solve",
      "factors rhs out force \(matrix) method preconditioner tolerance iteration-limit restart "
        + "refinement-steps vectors seed"
    ),
    (
      "pinn",
      "width depth function conditions condition-weight boundary-points optimizer steps points-per-step round solve "
        + "adam-steps adam-points adam-round first-rate last-rate pool-factor validation-points shard groups seed out "
        + "restart stop-after time-limit checkpoint-every"
    ),
  ]

  /// An environment in which MPI cannot start.
  static let withoutMPI = ["OMPI_MCA_pml": "none-such", "OMPI_MCA_btl": "none-such"]

  @Test("every verb lists all its options, without MPI", arguments: verbs)
  func lists(verb: String, options: String) throws {
    for request in ["--help", "-h"] {
      let launch = try program([verb, request], environment: Self.withoutMPI)
      #expect(launch.status == 0, "\(launch.errors)")
      #expect(launch.errors.isEmpty)
      let listed = launch.output.split(separator: "\n").compactMap { line -> String? in
        guard line.hasPrefix("  --") else { return nil }
        return line.dropFirst(4).split(separator: " ").first.map(String.init)
      }
      let onRanks = verb == "inspect" ? "" : Self.onRanks
      let known = "\(options) \(Self.shared) \(onRanks)".split(separator: " ").map(String.init)
      #expect(listed.sorted() == known.sorted())
      #expect(launch.output.contains("Usage: h2nn-dist \(verb)"))
    }
  }

  @Test("the patterns of bridges are named, with the one that is taken")
  func bridges() throws {
    let help = try program(["inspect", "--help"], environment: Self.withoutMPI).output
    let start = try #require(help.range(of: "  --bridges "))
    let text = help[start.lowerBound...].split(separator: "\n  --")[0]
    for name in ["weak", "strong", "blog", "strictly-upper", "lower-bidiagonal", "pentadiagonal"] {
      #expect(text.contains(name), "\(name)")
    }
    #expect(text.contains("(tridiagonal)") || text.contains("default: tridiagonal"), "\(text)")
  }

  @Test("the options of a problem stand together, with the points it has by default")
  func groups() throws {
    let help = try program(["generate", "--help"], environment: Self.withoutMPI).output
    let groups = help.components(separatedBy: "\n\n")
    for (problem, points, option) in [
      ("rte-1d", "320", "--absorption μ"), ("rte-2d", "80x80", "--scaling NAME"),
      ("custom-operator", "320", "--diagonal d"), ("n-body", "1000", "--receivers n"),
      ("nlse-1d", "320", "--beta β"), ("nlse-2d", "80x80", "--beta β"),
      ("kohn-sham-1d", "320", "--electrons n"), ("kohn-sham-2d", "64x64", "--sigma a,b"),
    ] {
      let group = try #require(groups.first { $0.hasPrefix("\(problem): ") })
      #expect(group.split(separator: "\n").first?.hasSuffix("(--points \(points)):") == true)
      #expect(group.contains("  \(option) "))
    }
  }

  @Test("help wins over everything else on the line")
  func helpWins() throws {
    let launch = try program(["train", "--no-such", "--help"], environment: Self.withoutMPI)
    #expect(launch.status == 0)
    #expect(launch.output.contains("Usage: h2nn-dist train"))
  }

  @Test("the program lists its verbs and its exit statuses", arguments: ["--help", "-h", "help"])
  func listsVerbs(word: String) throws {
    let launch = try program([word], environment: Self.withoutMPI)
    #expect(launch.status == 0)
    for (verb, _) in Self.verbs { #expect(launch.output.contains("\n  \(verb) ")) }
    for status in [64, 65, 66, 70, 73, 74, 75] { #expect(launch.output.contains("\(status)")) }
  }

  @Test("usage errors need no MPI, and verbs do")
  func needsNoMPI() throws {
    let wrong = try program(["train", "--no-such"], environment: Self.withoutMPI)
    #expect(wrong.status == 64)
    // This is what makes the other tests of this suite able to fail.
    let scratch = try Scratch()
    let words = ["generate", "rte-1d", "--points", "8", "--samples", "1"]
    let launch = try program(
      words + ["--out", scratch.file("d.h5")], environment: Self.withoutMPI)
    #expect(launch.status != 0 && launch.status != 64)
  }

  @Test("the version is told")
  func version() throws {
    let launch = try program(["--version"], environment: Self.withoutMPI)
    #expect(launch.status == 0)
    #expect(launch.output.hasPrefix("h2nn-dist "))
  }

  @Test("one of several ranks prints the help")
  func oneRankPrints() throws {
    let launch = try program(["inspect", "--help"], ranks: 3)
    #expect(launch.status == 0)
    #expect(launch.output.components(separatedBy: "Usage:").count == 2)
  }
}
