import BlockKernels
import BlockSparse
import OperatorNetworks

/// MNN-H² and MNN-H on grids in any dimension as their authors compute them: cells in row-major order,
/// arrays that are padded axis by axis, dense windows over them.
///
/// Only the names of the layers and where their parameters begin are taken from the network.
struct DirectGrid {
  let network: Network
  let parameters: [Double]
  let options: NetworkOptions
  let dimension: Int
  /// The points of a leaf in each dimension.
  let leaf: Int
  let levels: Int

  /// Channels of the cells of a box of any shape, row-major.
  private struct Field {
    var shape: [Int]
    var cells: [[Double]]

    /// The cells' indices, row-major.
    static func indices(_ shape: [Int]) -> [[Int]] {
      shape.reduce([[]]) { heads, size in heads.flatMap { head in (0..<size).map { head + [$0] } } }
    }

    subscript(_ index: [Int]) -> [Double] {
      cells[zip(shape, index).reduce(0) { $0 * $1.0 + $1.1 }]
    }
  }

  /// The number of a cell in Z-order, of 2^bits cells in each dimension.
  private func zOrder(_ cell: [Int], bits: Int) -> Int {
    var number = 0
    for bit in (0..<bits).reversed() {
      for coordinate in cell { number = 2 * number + (coordinate >> bit) % 2 }
    }
    return number
  }

  private func power(_ base: Int) -> Int {
    (0..<dimension).reduce(1) { product, _ in product * base }
  }

  /// Adds b cells at both ends of an axis: those of the other end, or zeros.
  private func padded(_ field: Field, axis: Int, by b: Int) -> Field {
    var shape = field.shape
    let size = shape[axis]
    shape[axis] += 2 * b
    let zeros = [Double](repeating: 0, count: field.cells[0].count)
    return Field(
      shape: shape,
      cells: Field.indices(shape).map { index in
        var inner = index
        inner[axis] -= b
        if options.boundary == .zero && !(0..<size).contains(inner[axis]) { return zeros }
        inner[axis] = (inner[axis] + b * size) % size
        return field[inner]
      })
  }

  private func start(_ name: String) -> Int {
    network.layers.first { $0.layer.name == name }?.parameterStart ?? -1
  }

  /// A convolution, or a locally connected layer, with a window of 2b + 1 cells in each dimension.
  private func window(
    _ name: String, _ field: Field, outputs: Int, width b: Int, isOwn: Bool, bits: Int,
    _ activation: Activation
  ) -> Field {
    let whole = (0..<dimension).reduce(field) { padded($0, axis: $1, by: b) }
    let offsets = Field.indices([Int](repeating: 2 * b + 1, count: dimension))
    let inputs = field.cells[0].count
    let cells = Field.indices(field.shape)
    /// Own weights over zero padding do not exist.
    func isThere(_ cell: [Int], _ offset: [Int]) -> Bool {
      !isOwn || options.boundary == .periodic
        || zip(zip(cell, offset), field.shape).allSatisfy { (0..<$1).contains($0.0 + $0.1 - b) }
    }
    // Own weights stand box after box in Z-order.
    var counts = [Int](repeating: 0, count: isOwn ? cells.count : 1)
    for cell in cells {
      counts[isOwn ? zOrder(cell, bits: bits) : 0] = offsets.count { isThere(cell, $0) }
    }
    let weightStarts = counts.reduce(into: [start(name)]) {
      $0.append($0[$0.count - 1] + $1 * inputs * outputs)
    }
    let biasStart = weightStarts[counts.count]
    return Field(
      shape: field.shape,
      cells: cells.map { cell in
        let group = isOwn ? zOrder(cell, bits: bits) : 0
        let seen = offsets.filter { isThere(cell, $0) }
        return (0..<outputs).map { output in
          var sum = parameters[biasStart + group * outputs + output]
          let row = weightStarts[group] + output * counts[group] * inputs
          for (place, offset) in seen.enumerated() {
            let x = whole[zip(cell, offset).map { $0 + $1 }]
            for channel in 0..<inputs {
              sum += parameters[row + place * inputs + channel] * x[channel]
            }
          }
          return apply(activation, sum)
        }
      })
  }

  /// A restriction of 2^steps cells in each dimension to one.
  private func restrict(
    _ name: String, _ field: Field, outputs: Int, steps: Int, isOwn: Bool, bits: Int,
    _ activation: Activation
  ) -> Field {
    let inputs = field.cells[0].count
    let parts = Field.indices([Int](repeating: 1 << steps, count: dimension))
    let shape = field.shape.map { $0 >> steps }
    let cells = Field.indices(shape)
    let size = parts.count * inputs
    let biasStart = start(name) + (isOwn ? cells.count : 1) * size * outputs
    return Field(
      shape: shape,
      cells: cells.map { cell in
        let group = isOwn ? zOrder(cell, bits: bits) : 0
        return (0..<outputs).map { output in
          var sum = parameters[biasStart + group * outputs + output]
          for part in parts {
            let x = field[zip(cell, part).map { $0 << steps + $1 }]
            let first =
              start(name) + (group * outputs + output) * size + zOrder(part, bits: steps) * inputs
            for channel in 0..<inputs { sum += parameters[first + channel] * x[channel] }
          }
          return apply(activation, sum)
        }
      })
  }

  /// An interpolation of one cell to 2^steps in each dimension; the function stands on the product.
  private func interpolate(
    _ name: String, _ field: Field, outputs: Int, steps: Int, isOwn: Bool, bits: Int,
    _ blockActivation: Activation
  ) -> Field {
    let inputs = field.cells[0].count
    let shape = field.shape.map { $0 << steps }
    let cells = Field.indices(shape)
    let groups = isOwn ? cells.count : power(1 << steps)
    let biasStart = start(name) + groups * inputs * outputs
    return Field(
      shape: shape,
      cells: cells.map { cell in
        let part = cell.map { $0 % (1 << steps) }
        let group = isOwn ? zOrder(cell, bits: bits + steps) : zOrder(part, bits: steps)
        let x = field[cell.map { $0 >> steps }]
        return (0..<outputs).map { output in
          let row = start(name) + (group * outputs + output) * inputs
          let product = (0..<inputs).reduce(0) { $0 + parameters[row + $1] * x[$1] }
          return apply(blockActivation, product) + parameters[biasStart + group * outputs + output]
        }
      })
  }

  private func add(_ a: Field, _ b: Field) -> Field {
    Field(shape: a.shape, cells: zip(a.cells, b.cells).map { zip($0, $1).map(+) })
  }

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
        "\(name).\(k + 1)", value, outputs: r, width: 0, isOwn: ownTransfers, bits: bits,
        activation(k + 1))
    }
    return value
  }

  /// A transfer down: layers of single cells, then the interpolation.
  private func down(
    _ name: String, _ field: Field, outputs: Int, steps: Int, bits: Int, isLeaf: Bool
  ) -> Field {
    let (count, r) = (options.transferLayers ?? 1, options.channels)
    var value = field
    for k in 1..<count {
      value = window(
        "\(name).\(k)", value, outputs: r, width: 0, isOwn: ownTransfers, bits: bits, function)
    }
    return interpolate(
      count == 1 ? name : "\(name).\(count)", value, outputs: outputs, steps: steps,
      isOwn: ownTransfers, bits: bits, isLeaf ? .identity : function)
  }

  private func bridge(_ level: Int, _ field: Field) -> Field {
    (1...options.layers).reduce(field) { value, k in
      window(
        "bridge.\(level).\(k)", value, outputs: options.channels, width: level == 2 ? 2 : 3,
        isOwn: options.sharing == .own, bits: level, options.activation)
    }
  }

  /// Computes the output of an input at the points, row-major.
  func output(_ input: [Double]) -> [Double] {
    let side = leaf << levels
    let points = Field(
      shape: [Int](repeating: side, count: dimension), cells: input.map { [$0] })
    let inside = Field.indices([Int](repeating: leaf, count: dimension))
    let leaves = [Int](repeating: 1 << levels, count: dimension)
    let v = Field(
      shape: leaves,
      cells: Field.indices(leaves).map { cell in
        inside.map { place in points[zip(cell, place).map { $0 * leaf + $1 }][0] }
      })
    let m = inside.count

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

    let cells = Field.indices(points.shape)
    return cells.map { point in
      let local = point.map { $0 % leaf }.reduce(0) { $0 * leaf + $1 }
      return sum[point.map { $0 / leaf }][local]
    }
  }

  /// MNN-H: each level from the points and back to them.
  private func separate(_ v: Field, _ m: Int) -> [Field] {
    (2...levels).map { level in
      let steps = levels - level
      let xi = up("restriction.\(level)", v, steps: steps, bits: level, isLeaf: true)
      return down(
        "interpolation.\(level)", bridge(level, xi), outputs: m, steps: steps, bits: level,
        isLeaf: true)
    }
  }

  /// MNN-H²: from level to level.
  private func nested(_ v: Field, _ m: Int) -> Field {
    var xi = [levels: up("restriction.leaf", v, steps: 0, bits: levels, isLeaf: true)]
    for level in stride(from: levels - 1, through: 2, by: -1) {
      guard let below = xi[level + 1] else { continue }
      xi[level] = up("restriction.\(level)", below, steps: 1, bits: level, isLeaf: false)
    }
    var chi = bridge(2, xi[2] ?? v)
    for level in stride(from: 2, to: levels, by: 1) {
      let lower = down(
        "interpolation.\(level)", chi, outputs: options.channels, steps: 1, bits: level,
        isLeaf: false)
      chi = add(lower, bridge(level + 1, xi[level + 1] ?? v))
    }
    return down("interpolation.leaf", chi, outputs: m, steps: 0, bits: levels, isLeaf: true)
  }
}
