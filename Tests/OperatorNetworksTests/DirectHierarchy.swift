import BlockKernels
import BlockSparse
import OperatorNetworks

/// The algorithms of MNN-H² and of FMM-NET in one dimension, with plain arrays for one sample.
///
/// Only the names of the layers and where their parameters begin are taken from the network.
struct DirectHierarchy {
  let network: Network
  let parameters: [Double]
  let options: NetworkOptions
  let levels: Int

  private var isPeriodic: Bool { options.boundary == .periodic }

  /// Computes one layer over `[box][channel]`.
  ///
  /// The rows name the sources of each target, nil for a place over zero padding: shared weights
  /// exist for all places, own weights not for padding.
  private func map(
    _ name: String, _ x: [[Double]], outputs: [Int], rows: [[Int?]], groups: [Int],
    isShared: Bool, _ activation: Activation = .identity
  ) -> [[Double]] {
    let start = network.slices.first { $0.name == name }?.start ?? -1
    // What stands over padding has as many channels as all boxes that share weights.
    let stacked = rows.map { row in
      row.map { $0.map { x[$0].count } ?? (isShared ? x[0].count : 0) }
    }
    var sizes = [Int: (inputs: Int, outputs: Int)]()
    for row in rows.indices { sizes[groups[row]] = (stacked[row].reduce(0, +), outputs[row]) }
    let all = (0..<sizes.count).map { sizes[$0] ?? (0, 0) }
    let weightStarts = all.reduce(into: [start]) {
      $0.append($0[$0.count - 1] + $1.inputs * $1.outputs)
    }
    let biasStarts = all.reduce(into: [weightStarts[all.count]]) {
      $0.append($0[$0.count - 1] + $1.outputs)
    }
    return rows.indices.map { row in
      let group = groups[row]
      return (0..<outputs[row]).map { output in
        var sum = parameters[biasStarts[group] + output]
        var place = weightStarts[group] + output * all[group].inputs
        for (source, count) in zip(rows[row], stacked[row]) {
          if let source {
            for channel in 0..<count { sum += parameters[place + channel] * x[source][channel] }
          }
          place += count
        }
        return apply(activation, sum)
      }
    }
  }

  /// The window of b boxes to each side.
  private func window(_ boxes: Int, _ b: Int) -> [[Int?]] {
    (0..<boxes).map { box in
      (-b...b).map { offset in
        let place = box + offset
        if isPeriodic { return (place + 10 * boxes) % boxes }
        return (0..<boxes).contains(place) ? place : nil
      }
    }
  }

  private func sum(_ x: [[Double]], _ y: [[Double]]) -> [[Double]] {
    zip(x, y).map { zip($0, $1).map { $0 + $1 } }
  }

  /// Computes the output of an input; leaf c of N points begins at point floor(c·N/2^L).
  func output(_ input: [Double]) -> [Double] {
    let isMNN = options.model == .mnnH2
    let leaves = 1 << levels
    let v = (0..<leaves).map { leaf in
      Array(input[leaf * input.count / leaves..<(leaf + 1) * input.count / leaves])
    }
    let m = v.map(\.count)
    func r(_ boxes: Int) -> [Int] { [Int](repeating: options.channels, count: boxes) }
    let transferShared = isMNN && options.sharing == .offset
    let bridgeShared = isMNN && options.sharing != .own
    func ids(_ count: Int, _ shared: Bool) -> [Int] { (0..<count).map { shared ? 0 : $0 } }

    // Near field: windows of 3; all but the last layer have an activation.
    var near = v
    for k in 1...options.layers {
      let isLast = k == options.layers
      let shared = bridgeShared && !(isLast && options.sharing == .mix)
      let neighbours =
        isMNN
        ? window(leaves, 1)
        : (0..<leaves).map { i in (0..<leaves).filter { abs(i - $0) <= 1 }.map { $0 as Int? } }
      near = map(
        "near.\(k)", near, outputs: m, rows: neighbours, groups: ids(leaves, shared),
        isShared: shared, isLast ? .identity : options.activation)
    }

    // Restrictions, linear: of level L the leaf map, then pairs of children.
    var xi = [
      levels: map(
        "restriction.leaf", v, outputs: r(leaves), rows: (0..<leaves).map { [$0] },
        groups: ids(leaves, transferShared), isShared: transferShared)
    ]
    for level in stride(from: levels - 1, through: 2, by: -1) {
      let boxes = 1 << level
      xi[level] = map(
        "restriction.\(level)", xi[level + 1] ?? [], outputs: r(boxes),
        rows: (0..<boxes).map { [2 * $0, 2 * $0 + 1] }, groups: ids(boxes, transferShared),
        isShared: transferShared)
    }

    // Bridges of each level, and interpolations on the way down.
    var chi: [[Double]] = []
    for level in 2...levels {
      let boxes = 1 << level
      var zeta = xi[level] ?? []
      for k in 1...options.layers {
        let rows: [[Int?]] =
          isMNN
          ? window(boxes, level == 2 ? 2 : 3)
          : (0..<boxes).map { i in
            (0..<boxes).filter { abs(i / 2 - $0 / 2) <= 1 && abs(i - $0) > 1 }.map { $0 as Int? }
          }
        let isLinear = !isMNN && k == options.layers
        zeta = map(
          "bridge.\(level).\(k)", zeta, outputs: r(boxes), rows: rows,
          groups: ids(boxes, bridgeShared), isShared: bridgeShared,
          isLinear ? .identity : options.activation)
      }
      if level == 2 {
        chi = zeta
      } else {
        // Shared: one map r → 2r of each parent, whose first r outputs are the left child.
        let down = map(
          "interpolation.\(level - 1)", chi, outputs: r(boxes), rows: (0..<boxes).map { [$0 / 2] },
          groups: (0..<boxes).map { transferShared ? $0 % 2 : $0 }, isShared: transferShared)
        chi = sum(down, zeta)
      }
    }
    let far = map(
      "interpolation.leaf", chi, outputs: m, rows: (0..<leaves).map { [$0] },
      groups: ids(leaves, transferShared), isShared: transferShared)
    return sum(far, near).flatMap { $0 }
  }
}
