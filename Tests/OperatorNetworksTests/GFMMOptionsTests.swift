import BlockKernels
import ClusterTrees
import OperatorNetworks
import Testing

/// What does not go together with `model` gfmm.
struct GFMMRefusal: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let points: PointSet
  let change: @Sendable (inout NetworkOptions) -> Void

  init(
    _ fragment: String, _ points: PointSet = .grid([40]),
    _ change: @escaping @Sendable (inout NetworkOptions) -> Void
  ) {
    (testDescription, self.points, self.change) = (fragment, points, change)
  }
}

@Suite("Options of GFMM")
struct GFMMOptionsTests {
  static let refusals = [
    GFMMRefusal("`bridges` blog", .grid([16, 16])) { $0.bridges = .blog },
    GFMMRefusal("`sharing` mix") { $0.sharing = .mix },
    GFMMRefusal("`bridges` strong has no weights by offset") {
      ($0.bridges, $0.sharing) = (.strong, .offset)
    },
    GFMMRefusal("`bridges` strictly-lower is triangular") {
      ($0.bridges, $0.boundary, $0.sharing) = (.strictlyLower, .periodic, .offset)
    },
    GFMMRefusal("`bridges` weak is triangular") {
      ($0.bridges, $0.boundary) = (.weak, .periodic)
    },
    GFMMRefusal("`bridges` strictly-upper in 2 dimensions", .grid([16, 16])) {
      ($0.bridges, $0.sharing) = (.strictlyUpper, .offset)
    },
    GFMMRefusal("`bridges` lower-bidiagonal in 2 dimensions", .grid([16, 16])) {
      ($0.bridges, $0.boundary) = (.lowerBidiagonal, .periodic)
    },
    GFMMRefusal("`channels` 6: leaves of 5") { $0.leaf = 5 },
    GFMMRefusal("`channels` 6: leaves of 4", .grid([37])) {
      ($0.levels, $0.bridges) = (3, .weak)
    },
    GFMMRefusal("`channels` 6: a grid of 5 points", .grid([5])) { _ in },
    GFMMRefusal("`activation` with") { $0.activation = .relu },
    GFMMRefusal("`blockActivation` with") { $0.blockActivation = .tanh },
    GFMMRefusal("`blockWidth` with") { $0.blockWidth = 3 },
    GFMMRefusal("`transferLayers` with") { $0.transferLayers = 2 },
    GFMMRefusal("`transferActivation` with") { $0.transferActivation = .tanh },
    GFMMRefusal("`skeleton` needs") { $0.skeleton = .logarithm },
    GFMMRefusal("`sharing` offset needs equal leaves", .grid([37])) { $0.sharing = .offset },
    GFMMRefusal("`sharing` offset needs equal leaves", .grid([37])) {
      ($0.sharing, $0.levels) = (.offset, 2)
    },
    GFMMRefusal("uniform grid", NetworkCase.cloud(40, dimension: 2, seed: 1)) { _ in },
  ]

  @Test("what has no meaning is refused by its name", arguments: refusals)
  func refused(refusal: GFMMRefusal) throws {
    var options = NetworkOptions()
    options.model = .gfmm
    refusal.change(&options)
    let error = #expect(throws: NetworkError.self) {
      try Network.build(options, sources: refusal.points)
    }
    #expect(
      error?.description.contains(refusal.testDescription) == true, "\(error?.description ?? "")")
  }

  @Test("what has a meaning is built")
  func built() throws {
    for boundary in Boundary.allCases {
      for bridges in [BridgePattern.lowerBidiagonal, .tridiagonal, .pentadiagonal] {
        for sharing in [NetworkSharing.own, .offset] {
          var options = NetworkOptions()
          (options.model, options.bridges, options.boundary) = (.gfmm, bridges, boundary)
          (options.sharing, options.activation) = (sharing, .identity)
          #expect(try Network.build(options, sources: .grid([64])).layers.count > 4)
        }
      }
    }
  }

  @Test("what is not used is said")
  func unused() {
    var options = NetworkOptions()
    options.model = .gfmm
    #expect(options.unused.isEmpty)
    (options.layers, options.linearPath, options.bridges) = (2, true, .weak)
    (options.sharing, options.boundary) = (.offset, .periodic)
    #expect(options.unused == ["layers", "linearPath"])
    options.model = .h2nn
    #expect(options.unused == ["sharing", "bridges", "boundary"])
  }
}
