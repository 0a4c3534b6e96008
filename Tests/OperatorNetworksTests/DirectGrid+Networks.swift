import BlockKernels
import BlockSparse
import OperatorNetworks

extension DirectGrid {
  private var function: Activation { options.transferActivation ?? .identity }
  private var ownTransfers: Bool { options.sharing != .offset }

  /// A transfer up: the restriction, then layers of single cells.
  private func up(_ name: String, _ field: Field, steps: Int, bits: Int, isLeaf: Bool) -> Field {
    let (count, r) = (options.transferLayers ?? 1, options.channels)
    func activation(_ k: Int) -> Activation { isLeaf && k == count ? .identity : function }
    var value = restrict(
      count == 1 ? name : "\(name).1", field, outputs: r, steps: steps, isOwn: ownTransfers,
      bits: bits, activation(1))
    for k in 1..<count {
      value = window(
        "\(name).\(k + 1)", value, outputs: { _ in r }, width: 0, isOwn: ownTransfers, bits: bits,
        activation(k + 1))
    }
    return value
  }

  /// A transfer down: layers of single cells, then the interpolation.
  private func down(
    _ name: String, _ field: Field, outputs: Outputs, steps: Int, bits: Int, isLeaf: Bool
  ) -> Field {
    let (count, r) = (options.transferLayers ?? 1, options.channels)
    var value = field
    for k in 1..<count {
      value = window(
        "\(name).\(k)", value, outputs: { _ in r }, width: 0, isOwn: ownTransfers, bits: bits,
        function)
    }
    return interpolate(
      count == 1 ? name : "\(name).\(count)", value, outputs: outputs, steps: steps,
      isOwn: ownTransfers, bits: bits, isLeaf ? .identity : function)
  }

  private func bridge(_ level: Int, _ field: Field) -> Field {
    (1...options.layers).reduce(field) { value, k in
      window(
        "bridge.\(level).\(k)", value, outputs: { _ in options.channels },
        width: level == 2 ? 2 : 3,
        isOwn: options.sharing == .own, bits: level, options.activation)
    }
  }

  /// Computes the output of an input at the points, row-major.
  func output(_ input: [Double]) -> [Double] {
    let points = Field(shape: shape, cells: input.map { [$0] })
    let leaves = [Int](repeating: 1 << levels, count: dimension)
    // Leaf c of N points begins at point floor(c·N/2^L).
    let v = Field(
      shape: leaves,
      cells: Field.indices(leaves).map { cell in
        inside(cell).map { place in points[zip(corner(cell), place).map { $0 + $1 }][0] }
      })
    let m: Outputs = { v[$0].count }

    var sum = v
    for k in 1...options.layers {
      let isLast = k == options.layers
      let isOwn =
        options.sharing == .own || (options.sharing == .mix && isLast && dimension == 1)
      sum = window(
        "near.\(k)", sum, outputs: m, width: 1, isOwn: isOwn, bits: levels,
        isLast ? .identity : options.activation)
    }
    let far = options.model == .mnnH ? separate(v, m) : [nested(v, m)]
    sum = far.reduce(sum, add)

    var output = [Double](repeating: .nan, count: input.count)
    for cell in Field.indices(leaves) {
      for (local, place) in inside(cell).enumerated() {
        let point = zip(corner(cell), place).map { $0 + $1 }
        output[zip(shape, point).reduce(0) { $0 * $1.0 + $1.1 }] = sum[cell][local]
      }
    }
    return output
  }

  /// The first point of a leaf.
  private func corner(_ cell: [Int]) -> [Int] { zip(cell, shape).map { $0 * $1 / (1 << levels) } }

  /// The places of the points of a leaf, row-major.
  private func inside(_ cell: [Int]) -> [[Int]] {
    Field.indices(zip(corner(cell.map { $0 + 1 }), corner(cell)).map { $0 - $1 })
  }

  /// MNN-H: each level from the points and back to them.
  private func separate(_ v: Field, _ m: @escaping Outputs) -> [Field] {
    (2...levels).map { level in
      let steps = levels - level
      let xi = up("restriction.\(level)", v, steps: steps, bits: level, isLeaf: true)
      return down(
        "interpolation.\(level)", bridge(level, xi), outputs: m, steps: steps, bits: level,
        isLeaf: true)
    }
  }

  /// MNN-H²: from level to level.
  private func nested(_ v: Field, _ m: Outputs) -> Field {
    var xi = [levels: up("restriction.leaf", v, steps: 0, bits: levels, isLeaf: true)]
    for level in stride(from: levels - 1, through: 2, by: -1) {
      guard let below = xi[level + 1] else { continue }
      xi[level] = up("restriction.\(level)", below, steps: 1, bits: level, isLeaf: false)
    }
    var chi = bridge(2, xi[2] ?? v)
    for level in stride(from: 2, to: levels, by: 1) {
      let lower = down(
        "interpolation.\(level)", chi, outputs: { _ in options.channels }, steps: 1, bits: level,
        isLeaf: false)
      chi = add(lower, bridge(level + 1, xi[level + 1] ?? v))
    }
    return down("interpolation.leaf", chi, outputs: m, steps: 0, bits: levels, isLeaf: true)
  }

  /// Plain convolutions over the points.
  func convolved(_ input: [Double], leaf: Int) -> [Double] {
    var value = Field(shape: shape, cells: input.map { [$0] })
    for k in 1...options.layers {
      let isLast = k == options.layers
      value = window(
        "convolution.\(k)", value, outputs: { _ in isLast ? 1 : options.channels }, width: leaf,
        isOwn: false, bits: 0, isLast ? .identity : options.activation)
    }
    return value.cells.map { $0[0] }
  }
}
