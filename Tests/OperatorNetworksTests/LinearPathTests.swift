import BlockKernels
import BlockSparse
import ClusterTrees
import Foundation
import OperatorNetworks
import Testing

@Suite("LinearPath")
struct LinearPathTests {
  private static let cases = (NetworkCase.h2nn + NetworkCase.skeletons).filter {
    $0.options.linearPath
  }
  private static let hierarchies = NetworkCase.all.filter { $0.options.model == .h2nn }
  private static let kept = hierarchies.flatMap(\.linearVariants)

  private func points(_ networkCase: NetworkCase) -> (PointSet, PointSet) {
    (networkCase.sources, networkCase.receivers ?? networkCase.sources)
  }

  /// A matrix of kernel values, outputs × inputs; the diagonal is finite.
  private func matrix(
    _ networkCase: NetworkCase, _ kernel: (Double) -> Double
  ) -> DenseMatrix {
    let (sources, receivers) = points(networkCase)
    func coordinates(_ set: PointSet, _ index: Int) -> [Double] {
      Array(set.coordinates[index * set.dimension..<(index + 1) * set.dimension])
    }
    let elements = (0..<sources.count).flatMap { source in
      (0..<receivers.count).map { receiver in
        kernel(
          SkeletonCase.distance(coordinates(receivers, receiver), coordinates(sources, source)))
      }
    }
    return DenseMatrix(rows: receivers.count, columns: sources.count, elements: elements)
  }

  /// Applies the network to an input, with random numbers where the linear path says nothing.
  private func apply(
    _ networkCase: NetworkCase, _ network: Network, _ chosen: [Double], _ input: [Double]
  ) -> [Double] {
    let drawn = numbers(chosen.count, scale: 0.5, seed: 8)
    var parameters = zip(chosen, drawn).map { $0.isNaN ? $1 : $0 }
    // Biases are drawn as zeros.
    for item in network.layers {
      for place in network.slice(of: item).biases where chosen[place].isNaN {
        parameters[place] = 0
      }
    }
    return NetworkOracle(network: network, parameters: parameters).output(atPoints: input)
  }

  private func error(_ found: [Double], _ expected: [Double]) -> Double {
    let difference = zip(found, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    return (difference / expected.reduce(0) { $0 + $1 * $1 }).squareRoot()
  }

  private func product(_ matrix: DenseMatrix, _ x: [Double]) -> [Double] {
    matrix.times(DenseMatrix(rows: x.count, columns: 1, elements: x)).elements
  }

  /// Options in pairs: what one of them does to the graph must not escape the linear path of another.
  @Test("channels by level, skeletons and networks in blocks keep a matrix", arguments: kept)
  func variants(networkCase: NetworkCase) throws {
    let network = try networkCase.network()
    let matrix = matrix(networkCase) { $0 * $0 }
    let path = try LinearPath(
      network, networkCase.options, sources: networkCase.sources, receivers: networkCase.receivers)
    let chosen = try path.parameters(matrix)
    let input = numbers(matrix.columns, seed: 9)
    let found = error(apply(networkCase, network, chosen, input), product(matrix, input))
    #expect(found < 1e-9, "\(found)")
  }

  @Test("there is no linear path behind curved transfers, or elsewhere", arguments: NetworkCase.all)
  func refused(networkCase: NetworkCase) throws {
    let curved = NetworkCase(
      networkCase.name, networkCase.options.model, networkCase.sources,
      receivers: networkCase.receivers
    ) {
      $0 = networkCase.options
      $0.linearPath = true
      if $0.model == .h2nn { $0.transferLayers = 2 }
    }
    let network = try curved.network()
    #expect(throws: NetworkError.self) {
      try LinearPath(
        network, curved.options, sources: curved.sources, receivers: curved.receivers)
    }
  }

  /// All far blocks of |x − y|² = x·x − 2 x·y + y·y have the rank d + 2 at most.
  @Test("a matrix whose blocks have few ranks is kept, but for rounding", arguments: cases)
  func exact(networkCase: NetworkCase) throws {
    var exact = networkCase
    let dimension = networkCase.sources.dimension
    if networkCase.options.skeleton == nil { exact = networkCase.with(channels: dimension + 2) }
    let network = try exact.network()
    let matrix = matrix(exact) { $0 * $0 }
    let path = try LinearPath(
      network, exact.options, sources: exact.sources, receivers: exact.receivers)
    let chosen = try path.parameters(matrix)
    #expect(chosen.count == network.activeParameterCount)
    let input = numbers(matrix.columns, seed: 9)
    let expected = product(matrix, input)
    // Skeletons have fewer channels in places than this matrix needs.
    let limit = networkCase.options.skeleton == nil ? 1e-11 : 0.3
    let found = error(apply(exact, network, chosen, input), expected)
    #expect(found < limit, "\(found)")
    // The far field counts: without it nothing is right.
    let bridges = network.layers.filter {
      $0.layer.name.hasPrefix("bridge") && $0.layer.name.hasSuffix("linear")
    }
    guard !bridges.isEmpty else { return }
    var without = chosen
    for item in bridges { for place in network.slice(of: item).weights { without[place] = 0 } }
    #expect(error(apply(exact, network, without, input), expected) > 1e3 * limit * found)
  }

  /// The error falls with the channels as the singular values of the blocks do.
  @Test("the error falls with the channels", arguments: [nil, 3])
  func channels(receivers: Int?) throws {
    let networkCase = NetworkCase(
      "line", .h2nn, .grid([80]),
      receivers: receivers.map { NetworkCase.cloud(60, dimension: 1, seed: $0) }
    ) { $0.linearPath = true }
    let matrix = matrix(networkCase) { 1 / (0.02 + $0) }
    let input = numbers(80, seed: 10)
    var errors: [Double] = []
    for channels in [1, 2, 4, 6] {
      let sized = networkCase.with(channels: channels)
      let network = try sized.network()
      let path = try LinearPath(
        network, sized.options, sources: sized.sources, receivers: sized.receivers)
      let chosen = try path.parameters(matrix)
      errors.append(error(apply(sized, network, chosen, input), product(matrix, input)))
    }
    // Of blocks at a distance of their size, each further channel is worth a digit or so.
    #expect(errors[1] < 0.3 * errors[0] && errors[2] < 0.03 * errors[1], "\(errors)")
    #expect(errors[3] < 0.1 * errors[2] && errors[3] < 1e-5, "\(errors)")
  }

  /// Inputs of three dimensions need three channels, whatever the matrix.
  @Test("inputs that span few dimensions need few channels")
  func spread() throws {
    let networkCase = NetworkCase("line", .h2nn, .grid([80])) {
      ($0.linearPath, $0.channels) = (true, 3)
    }
    let network = try networkCase.network()
    let random = DenseMatrix(rows: 80, columns: 80, elements: numbers(6400, seed: 11))
    let spread = DenseMatrix(rows: 80, columns: 3, elements: numbers(240, seed: 12))
    let path = try LinearPath(
      network, networkCase.options, sources: networkCase.sources, receivers: nil)
    let input = product(spread, [0.3, -1, 0.7])
    let expected = product(random, input)
    let known = try path.parameters(random, spread: spread)
    let found = error(apply(networkCase, network, known, input), expected)
    #expect(found < 1e-10, "\(found)")
    let unknown = try path.parameters(random)
    #expect(error(apply(networkCase, network, unknown, input), expected) > 0.1)
  }

  @Test("there is no linear path elsewhere")
  func missing() throws {
    let networkCase = NetworkCase("none", .h2nn, .grid([80]))
    let network = try networkCase.network()
    #expect(throws: NetworkError.self) {
      try LinearPath(network, networkCase.options, sources: .grid([80]), receivers: nil)
    }
  }
}

extension NetworkCase {
  /// The network with a linear path, in all combinations of channels and blocks; with enough channels for matrices
  /// whose blocks have the rank d + 2.
  fileprivate var linearVariants: [NetworkCase] {
    let rank = sources.dimension + 2
    let channels: [(name: String, set: (inout NetworkOptions) -> Void)] = [
      ("equal channels", { $0.channels = rank }),
      ("more channels above", { ($0.channels, $0.coarseChannels) = (rank, [rank + 1, rank + 4]) }),
      (
        "fewer channels above", { ($0.channels, $0.coarseChannels) = (rank + 5, [rank + 2, rank]) }
      ),
      (
        "skeleton",
        {
          $0.skeleton = self.options.skeleton ?? .inverseDistance
          ($0.tolerance, $0.rankLimit) = (1e-10, nil)
        }
      ),
    ]
    return channels.flatMap { item in
      [nil, 3].map { width in
        NetworkCase(
          "\(name), \(item.name), \(width.map { "networks of \($0)" } ?? "matrices")",
          options.model,
          sources, receivers: receivers
        ) {
          $0 = options
          ($0.linearPath, $0.blockWidth) = (true, width)
          ($0.transferLayers, $0.transferActivation) = (nil, nil)
          ($0.skeleton, $0.coarseChannels) = (nil, nil)
          ($0.tolerance, $0.rankLimit) = (nil, nil)
          item.set(&$0)
        }
      }
    }
  }

  /// The same network with other channels.
  func with(channels: Int) -> NetworkCase {
    NetworkCase(name, options.model, sources, receivers: receivers) {
      $0 = options
      $0.channels = channels
    }
  }
}
