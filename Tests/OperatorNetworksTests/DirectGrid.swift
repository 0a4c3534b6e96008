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
  struct Field {
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
  func window(
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
  func restrict(
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
  func interpolate(
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

  func add(_ a: Field, _ b: Field) -> Field {
    Field(shape: a.shape, cells: zip(a.cells, b.cells).map { zip($0, $1).map(+) })
  }
}
