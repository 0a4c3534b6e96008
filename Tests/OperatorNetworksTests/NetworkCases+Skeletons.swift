import BlockKernels
import ClusterTrees
import OperatorNetworks

extension NetworkCase {
  /// Boxes of different channels, also of none.
  static let skeletons: [NetworkCase] = [
    NetworkCase("h2nn 80 skeleton", .h2nn, .grid([80])) {
      $0.skeleton = .exponentialIntegral(coefficient: 0.6)
      ($0.tolerance, $0.linearPath) = (1e-4, true)
    },
    NetworkCase("h2nn cloud skeleton", .h2nn, cloud(90, dimension: 2, seed: 1)) {
      ($0.skeleton, $0.linearPath) = (.inverseDistance, true)
    },
    NetworkCase("h2nn cloud in space skeleton", .h2nn, cloud(120, dimension: 3, seed: 9)) {
      ($0.skeleton, $0.leaf, $0.rankLimit) = (.logarithm, 4, 5)
    },
    NetworkCase(
      "h2nn two clouds skeleton", .h2nn, cloud(70, dimension: 2, seed: 3),
      receivers: cloud(50, dimension: 2, seed: 4)
    ) { ($0.skeleton, $0.linearPath) = (.customOperator, true) },
    NetworkCase("h2nn uneven skeleton", .h2nn, uneven) {
      ($0.skeleton, $0.leaf, $0.linearPath) = (.inverseDistance, 8, true)
    },
    NetworkCase(
      "h2nn uneven skeleton to others", .h2nn, uneven,
      receivers: cloud(50, dimension: 1, seed: 4, shift: 12)
    ) { ($0.skeleton, $0.leaf, $0.blockActivation) = (.inverseDistance, 8, .tanh) },
  ]

  /// Four groups of points on a line, of which the third is as wide as it is far from the others: its box
  /// has no far box on level 2, where the others have.
  static let uneven: PointSet = {
    let groups = [(0.0, 0.01), (1.0, 0.01), (2.0, 18.0), (30.0, 0.01)]
    let coordinates = groups.flatMap { start, width in
      (0..<16).map { start + width * Double($0) / 15 }
    }
    return (try? PointSet(coordinates: coordinates, dimension: 1)) ?? .grid([64])
  }()
}
