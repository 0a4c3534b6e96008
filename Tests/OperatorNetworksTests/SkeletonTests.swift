import BlockKernels
import BlockSparse
import ClusterTrees
import Foundation
import OperatorNetworks
import Testing

/// A kernel on points, with the skeleton that is asked for.
struct SkeletonCase: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let kernel: SkeletonKernel
  let function: @Sendable (_ x: [Double], _ y: [Double]) -> Double
  let points: PointSet
  var receivers: PointSet?
  var leaf = 5
  var tolerance = 1e-3
  var admissibility = 1.9

  var options: NetworkOptions {
    var options = NetworkOptions()
    (options.skeleton, options.tolerance, options.leaf) = (kernel, tolerance, leaf)
    (options.layers, options.admissibility) = (1, admissibility)
    return options
  }

  static func distance(_ x: [Double], _ y: [Double]) -> Double {
    zip(x, y).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
  }

  /// E₁ by its power series, for arguments up to some units.
  static func exponentialIntegral(_ x: Double) -> Double {
    var (sum, term) = (-0.577_215_664_901_532_9 - log(x), 1.0)
    for n in 1...60 {
      term *= -x / Double(n)
      sum -= term / Double(n)
    }
    return sum
  }

  static let inverse: @Sendable ([Double], [Double]) -> Double = { 1 / distance($0, $1) }

  static let all: [SkeletonCase] = [
    SkeletonCase(
      testDescription: "inverse distance 160", kernel: .inverseDistance, function: inverse,
      points: .grid([160])),
    SkeletonCase(
      testDescription: "inverse distance 160, neighbours far", kernel: .inverseDistance,
      function: inverse, points: .grid([160]), leaf: 10, tolerance: 1e-6, admissibility: 0.9),
    SkeletonCase(
      testDescription: "inverse distance 16x16", kernel: .inverseDistance, function: inverse,
      points: .grid([16, 16]), leaf: 4, tolerance: 1e-4),
    SkeletonCase(
      testDescription: "inverse distance 12x12x12", kernel: .inverseDistance, function: inverse,
      points: .grid([12, 12, 12]), leaf: 3),
    SkeletonCase(
      testDescription: "log, cloud in 1D", kernel: .logarithm,
      function: { log(distance($0, $1)) },
      points: NetworkCase.cloud(200, dimension: 1, seed: 21), leaf: 8, tolerance: 1e-5),
    SkeletonCase(
      testDescription: "gaussian, cloud in 2D", kernel: .gaussian(length: 0.5),
      function: { exp(-pow(distance($0, $1) / 0.5, 2) / 2) },
      points: NetworkCase.cloud(300, dimension: 2, seed: 22), leaf: 20, tolerance: 1e-4),
    SkeletonCase(
      testDescription: "exponential integral, cloud in 3D",
      kernel: .exponentialIntegral(coefficient: 0.6),
      function: { exponentialIntegral(0.6 * distance($0, $1)) / 2 },
      points: NetworkCase.cloud(500, dimension: 3, seed: 23), leaf: 16),
    SkeletonCase(
      testDescription: "custom operator, two clouds in 2D", kernel: .customOperator,
      function: { x, y in
        pow(distance(x, y.map { -$0 }), 2) / distance(x, y)
      },
      points: NetworkCase.cloud(200, dimension: 2, seed: 24),
      receivers: NetworkCase.cloud(150, dimension: 2, seed: 25), leaf: 10, tolerance: 1e-4),
  ]
}

@Suite("Skeleton")
struct SkeletonTests {
  /// For each box of one tree: its far points in the other tree, on its level or above.
  private func farPoints(
    _ boxes: ClusterTree, _ others: ClusterTree, _ isFar: (Int, Int, Int) -> Bool
  ) -> [[[Int]]] {
    (0...boxes.levels).map { level in
      (0..<boxes.boxCount(level: level)).map { box in
        var (found, ancestor) = ([Int](), box)
        for above in stride(from: level, through: 0, by: -1) {
          for other in 0..<others.boxCount(level: above) where isFar(above, ancestor, other) {
            found += others.order[others.pointRange(level: above, box: other)].map { Int($0) }
          }
          if above > 0 { ancestor = boxes.parent(level: above, box: ancestor) }
        }
        return found
      }
    }
  }

  private func coordinates(_ points: PointSet, _ index: Int) -> [Double] {
    Array(points.coordinates[index * points.dimension..<(index + 1) * points.dimension])
  }

  /// The rank of nested bases on sampled points lies between those of the whole far block at ten times and
  /// at a tenth of the tolerance, by its singular values.
  @Test("ranks are those of the far blocks", arguments: SkeletonCase.all)
  func ranks(skeletonCase: SkeletonCase) throws {
    let (sources, others) = (skeletonCase.points, skeletonCase.receivers)
    let skeleton = try #require(
      try Network.skeleton(skeletonCase.options, sources: sources, receivers: others))
    let trees = try Network.trees(skeletonCase.options, sources: sources, receivers: others)
    let receivers = trees.receivers ?? trees.sources
    let lists = try InteractionLists.admissible(
      receivers: receivers, sources: trees.sources, admissibility: skeletonCase.admissibility)
    func isFar(_ level: Int, _ target: Int, _ source: Int) -> Bool {
      lists.far[level].sources(of: target).contains(Int32(source))
    }
    var compared = 0
    for (tree, other, ranks, far) in [
      (receivers, trees.sources, skeleton.receivers, farPoints(receivers, trees.sources, isFar)),
      (
        trees.sources, receivers, skeleton.sources,
        farPoints(trees.sources, receivers) { isFar($0, $2, $1) }
      ),
    ] {
      #expect(ranks.map(\.count) == (0...tree.levels).map { tree.boxCount(level: $0) })
      // Blocks of a level are alike: some of them are compared.
      for level in 0...tree.levels {
        for box in stride(from: 0, to: ranks[level].count, by: max(1, ranks[level].count / 5)) {
          let points = far[level][box]
          guard !points.isEmpty else {
            #expect(ranks[level][box] == 0)
            continue
          }
          var elements: [Double] = []
          for mine in tree.order[tree.pointRange(level: level, box: box)] {
            let x = coordinates(tree.points, Int(mine))
            elements += points.map { skeletonCase.function(x, coordinates(other.points, $0)) }
          }
          let values = try DenseMatrix(
            rows: points.count, columns: elements.count / points.count, elements: elements
          ).singularValues()
          let bounds = [10, 0.1].map { factor in
            values.count { $0 > factor * skeletonCase.tolerance * values[0] }
          }
          #expect(
            max(bounds[0], 1) <= ranks[level][box] && ranks[level][box] <= bounds[1],
            "level \(level), box \(box): \(ranks[level][box]), of the block \(bounds)")
          compared += 1
        }
      }
    }
    #expect(compared > 10)
  }

  /// Numbers of the notes for the kernel ½ E₁(0.6 ρ) on 320 points in leaves of 10.
  @Test(
    "ranks for radiative transfer are the known ones",
    arguments: [(1.9, 1e-3, 2...3), (1.9, 1e-6, 4...5), (0.9, 1e-3, 3...6), (0.9, 1e-6, 6...15)])
  func radiativeTransfer(admissibility: Double, tolerance: Double, known: ClosedRange<Int>) throws {
    var options = NetworkOptions()
    options.skeleton = .exponentialIntegral(coefficient: 0.6)
    (options.tolerance, options.admissibility, options.leaf) = (tolerance, admissibility, 10)
    let skeleton = try #require(try Network.skeleton(options, sources: .grid([320])))
    let ranks = Set(skeleton.sources.joined()).subtracting([0])
    #expect(ranks.min().map(known.contains) == true && ranks.max().map(known.contains) == true)
    #expect(skeleton.sources == skeleton.receivers)
    // One rank more, one limit less.
    options.rankLimit = (ranks.max() ?? 1) - 1
    let limited = try #require(try Network.skeleton(options, sources: .grid([320])))
    #expect(limited.sources.joined().max() == options.rankLimit)
  }

  @Test("a box with no far box at or above it has no channels")
  func emptyBoxes() throws {
    let networkCase = try #require(
      NetworkCase.skeletons.first { $0.name == "h2nn uneven skeleton" })
    let network = try networkCase.network()
    let skeleton = try #require(network.skeleton)
    #expect(skeleton.sources[2].map { $0 > 0 } == [true, true, false, true])
    let leaf = try #require(network.layers.first { $0.layer.name == "interpolation.leaf" })
    #expect(leaf.layer.source.starts.last == skeleton.receivers[3].reduce(0, +))
    for item in network.layers {
      for entry in item.layer.pattern.sources {
        #expect(item.layer.source.channels(of: Int(entry)) > 0)
      }
    }
  }

  @Test("given ranks are taken, and those of another tree refused")
  func given() throws {
    let networkCase = try #require(NetworkCase.skeletons.first)
    let (options, points) = (networkCase.options, networkCase.sources)
    let skeleton = try #require(try Network.skeleton(options, sources: points))
    let more = Skeleton(
      sources: skeleton.sources.map { $0.map { $0 == 0 ? 0 : $0 + 1 } },
      receivers: skeleton.receivers)
    #expect(try Network.build(options, sources: points, skeleton: more).skeleton == more)
    for wrong in [
      Skeleton(sources: skeleton.sources.dropLast(), receivers: skeleton.receivers),
      Skeleton(sources: skeleton.sources, receivers: skeleton.receivers.map { $0.dropLast() }),
      Skeleton(sources: skeleton.sources.map { $0.map { _ in 1 } }, receivers: skeleton.receivers),
      Skeleton(sources: skeleton.sources, receivers: skeleton.receivers.map { $0.map { _ in 0 } }),
    ] {
      #expect(throws: NetworkError.self) {
        try Network.build(options, sources: points, skeleton: wrong)
      }
    }
  }

  @Test("kernels are read as they are written")
  func names() {
    for name in SkeletonKernel.names {
      #expect(SkeletonKernel(rawValue: name)?.rawValue == name)
    }
    #expect(SkeletonKernel(rawValue: "gaussian") == .gaussian(length: 0.2))
    #expect(SkeletonKernel(rawValue: "gaussian:3") == .gaussian(length: 3))
    for wrong in ["", "gauss", "gaussian:", "gaussian:-1", "gaussian:0", "log:2", "gaussian:nan"] {
      #expect(SkeletonKernel(rawValue: wrong) == nil, "\(wrong)")
    }
  }
}
