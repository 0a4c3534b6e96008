import BlockKernels
import ClusterTrees
import OperatorNetworks
import Testing

/// A network to be tested, by name.
struct NetworkCase: Sendable, CustomTestStringConvertible {
  let name: String
  let options: NetworkOptions
  let sources: PointSet
  let receivers: PointSet?

  var testDescription: String { name }

  init(
    _ name: String, _ model: Model, _ sources: PointSet, receivers: PointSet? = nil,
    _ change: (inout NetworkOptions) -> Void = { _ in }
  ) {
    self.name = name
    self.sources = sources
    self.receivers = receivers
    var options = NetworkOptions()
    options.model = model
    options.channels = 3
    change(&options)
    self.options = options
  }

  /// Builds the network, with another function if one is given.
  func network(_ activation: Activation? = nil) throws -> Network {
    var options = options
    if let activation, options.model != .gfmm { options.activation = activation }
    return try Network.build(options, sources: sources, receivers: receivers)
  }

  static let all =
    h2nn + skeletons + mnnH2 + mnnH + unequal + coarse + blocks + transfers + gfmm + plain

  static let h2nn: [NetworkCase] = [
    NetworkCase("h2nn 40", .h2nn, .grid([40])),
    NetworkCase("h2nn 40 linear path", .h2nn, .grid([40])) { $0.linearPath = true },
    NetworkCase("h2nn 40 block function", .h2nn, .grid([40])) { $0.blockActivation = .tanh },
    NetworkCase("h2nn 64 both", .h2nn, .grid([64])) {
      $0.leaf = 4
      $0.linearPath = true
      $0.blockActivation = .relu
    },
    NetworkCase("h2nn 40 one layer", .h2nn, .grid([40])) { $0.layers = 1 },
    NetworkCase("h2nn 40 one layer, linear path", .h2nn, .grid([40])) {
      $0.layers = 1
      $0.linearPath = true
    },
    NetworkCase("h2nn 10 near field only", .h2nn, .grid([10])),
    NetworkCase("h2nn 12x12", .h2nn, .grid([12, 12])) { $0.leaf = 3 },
    NetworkCase("h2nn 4x4x4", .h2nn, .grid([4, 4, 4])) { $0.leaf = 1 },
    NetworkCase("h2nn cloud", .h2nn, cloud(90, dimension: 2, seed: 1)) { $0.linearPath = true },
    NetworkCase("h2nn cloud on a line", .h2nn, cloud(61, dimension: 1, seed: 2)),
    NetworkCase(
      "h2nn two clouds", .h2nn, cloud(70, dimension: 2, seed: 3),
      receivers: cloud(50, dimension: 2, seed: 4)
    ) { $0.linearPath = true },
    NetworkCase(
      "h2nn grid to cloud", .h2nn, .grid([8, 8]), receivers: cloud(45, dimension: 2, seed: 5)
    ) { $0.leaf = 2 },
    NetworkCase(
      "h2nn clouds apart", .h2nn, cloud(30, dimension: 2, seed: 6),
      receivers: cloud(30, dimension: 2, seed: 7, shift: 20)),
  ]

  static let mnnH2: [NetworkCase] = NetworkSharing.allCases.flatMap { sharing in
    Boundary.allCases.flatMap { boundary in
      [
        NetworkCase("mnn-h2 40 \(sharing) \(boundary)", .mnnH2, .grid([40])) {
          $0.sharing = sharing
          $0.boundary = boundary
        },
        NetworkCase("mnn-h2 8x8 \(sharing) \(boundary)", .mnnH2, .grid([8, 8])) {
          $0.sharing = sharing
          $0.boundary = boundary
          $0.leaf = 2
          $0.layers = 2
          $0.linearPath = sharing == .own
        },
      ]
    }
  }

  static let mnnH: [NetworkCase] = NetworkSharing.allCases.flatMap { sharing in
    Boundary.allCases.map { boundary in
      NetworkCase("mnn-h 40 \(sharing) \(boundary)", .mnnH, .grid([40])) {
        $0.sharing = sharing
        $0.boundary = boundary
        $0.linearPath = sharing == .mix
      }
    } + [
      NetworkCase("mnn-h 8x8 \(sharing)", .mnnH, .grid([8, 8])) {
        $0.sharing = sharing
        $0.leaf = 2
        $0.layers = 2
      }
    ]
  }

  /// Grids that are no multiples of 2^L, with leaves of two sizes in one dimension or in all.
  static let unequal: [NetworkCase] =
    [
      NetworkCase("h2nn 21", .h2nn, .grid([21])),
      NetworkCase("h2nn 37 both", .h2nn, .grid([37])) {
        ($0.linearPath, $0.blockActivation) = (true, .tanh)
      },
      NetworkCase("h2nn 11x13", .h2nn, .grid([11, 13])) { $0.levels = 2 },
      NetworkCase("h2nn 8x11 networks", .h2nn, .grid([8, 11])) {
        ($0.levels, $0.blockWidth) = (2, 2)
      },
      NetworkCase("h2nn 5x6x7", .h2nn, .grid([5, 6, 7])) { ($0.levels, $0.layers) = (2, 2) },
    ]
    + [Model.mnnH2, .mnnH].flatMap { model in
      Boundary.allCases.map { boundary in
        NetworkCase("\(model.rawValue) 21 \(boundary)", model, .grid([21])) {
          $0.boundary = boundary
          $0.linearPath = model == .mnnH2
        }
      } + [
        NetworkCase("\(model.rawValue) 11x13", model, .grid([11, 13])) {
          ($0.levels, $0.layers) = (2, 2)
        }
      ]
    } + [
      NetworkCase("mnn-h2 5x6x7", .mnnH2, .grid([5, 6, 7])) {
        ($0.levels, $0.layers, $0.channels) = (2, 1, 2)
      }
    ]

  /// More channels above the leaves.
  static let coarse: [NetworkCase] = [
    NetworkCase("h2nn 40 coarse channels", .h2nn, .grid([40])) { $0.coarseChannels = [5] },
    NetworkCase("mnn-h2 80 coarse channels", .mnnH2, .grid([80])) {
      ($0.coarseChannels, $0.sharing, $0.boundary) = ([4, 7], .offset, .periodic)
    },
    NetworkCase("mnn-h2 16x16 coarse channels", .mnnH2, .grid([16, 16])) {
      ($0.leaf, $0.layers, $0.coarseChannels, $0.sharing) = (2, 2, [2], .mix)
    },
    NetworkCase("mnn-h 40 coarse channels", .mnnH, .grid([40])) { $0.coarseChannels = [5, 9] },
  ]

  /// Small networks in place of blocks.
  static let blocks: [NetworkCase] = [
    NetworkCase("h2nn 40 networks", .h2nn, .grid([40])) { $0.blockWidth = 4 },
    NetworkCase("h2nn 12x12 networks, one layer", .h2nn, .grid([12, 12])) {
      ($0.leaf, $0.blockWidth, $0.layers, $0.linearPath) = (3, 2, 1, true)
    },
    NetworkCase("h2nn cloud networks with functions", .h2nn, cloud(60, dimension: 2, seed: 8)) {
      ($0.blockWidth, $0.blockActivation) = (5, .tanh)
    },
    NetworkCase(
      "h2nn clouds apart networks", .h2nn, cloud(30, dimension: 2, seed: 6),
      receivers: cloud(30, dimension: 2, seed: 7, shift: 20)
    ) { $0.blockWidth = 6 },
    NetworkCase("mnn-h2 40 networks by offset", .mnnH2, .grid([40])) {
      ($0.sharing, $0.blockWidth, $0.boundary) = (.offset, 2, .periodic)
    },
    NetworkCase("mnn-h 40 own networks", .mnnH, .grid([40])) { $0.blockWidth = 2 },
  ]

  /// Transfers with several layers and functions.
  static let transfers: [NetworkCase] = [
    NetworkCase("h2nn 40 curved transfers", .h2nn, .grid([40])) { $0.transferActivation = .tanh },
    NetworkCase("h2nn cloud two-layer transfers", .h2nn, cloud(90, dimension: 2, seed: 1)) {
      ($0.transferLayers, $0.linearPath) = (2, true)
    },
    NetworkCase("mnn-h2 40 curved transfers", .mnnH2, .grid([40])) {
      ($0.sharing, $0.transferActivation) = (.mix, .sigmoid)
    },
    NetworkCase("mnn-h2 8x8 two-layer transfers", .mnnH2, .grid([8, 8])) {
      ($0.leaf, $0.sharing, $0.transferLayers) = (2, .offset, 2)
    },
    NetworkCase("mnn-h 40 three-layer transfers", .mnnH, .grid([40])) { $0.transferLayers = 3 },
  ]

  /// Linear networks without biases.
  static let gfmm: [NetworkCase] = [
    NetworkCase("gfmm 40", .gfmm, .grid([40])),
    NetworkCase("gfmm 37 weak", .gfmm, .grid([37])) {
      ($0.bridges, $0.coarseChannels) = (.weak, [4, 2])
    },
    NetworkCase("gfmm 32 circulant", .gfmm, .grid([32])) {
      ($0.sharing, $0.boundary, $0.bridges) = (.offset, .periodic, .pentadiagonal)
    },
    NetworkCase("gfmm 8x8 upper", .gfmm, .grid([8, 8])) {
      ($0.leaf, $0.bridges) = (2, .strictlyUpper)
    },
    NetworkCase("gfmm 16x16 by offset", .gfmm, .grid([16, 16])) {
      ($0.leaf, $0.sharing) = (2, .offset)
    },
    NetworkCase("gfmm near field only", .gfmm, .grid([8])) {
      ($0.leaf, $0.bridges) = (4, .lowerBidiagonal)
    },
  ]

  static let plain: [NetworkCase] =
    Boundary.allCases.flatMap { boundary in
      [
        NetworkCase("conv 30 \(boundary)", .conv, .grid([30])) {
          $0.boundary = boundary
          $0.leaf = 2
        },
        NetworkCase("conv 6x5 \(boundary)", .conv, .grid([6, 5])) {
          $0.boundary = boundary
          $0.leaf = 1
        },
        NetworkCase("conv 1 \(boundary)", .conv, .grid([1])) { $0.boundary = boundary },
      ]
    } + [
      NetworkCase("dense", .dense, .grid([20])),
      NetworkCase("dense narrow", .dense, .grid([20]), receivers: .grid([7])) { $0.width = 5 },
      NetworkCase("dense linear", .dense, .grid([3, 4])) { $0.layers = 1 },
    ]

  /// Makes a cloud of random points, which always are admissible.
  static func cloud(_ count: Int, dimension: Int, seed: Int, shift: Double = 0) -> PointSet {
    var random = RandomNumbers(seed: seed)
    let coordinates = (0..<count * dimension).map { _ in random.symmetric() + shift }
    return (try? PointSet(coordinates: coordinates, dimension: dimension)) ?? .grid([count])
  }
}
