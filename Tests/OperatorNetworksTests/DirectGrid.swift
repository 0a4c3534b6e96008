import BlockKernels
import BlockSparse
import OperatorNetworks

/// MNN-H² and MNN-H on grids in any dimension as their authors compute them: cells in row-major order,
/// arrays that are padded axis by axis, dense windows over them.
///
/// Only the names of the layers and where their parameters begin are taken from the network. Cells may have
/// different channels if their weights are own.
struct DirectGrid {
  let network: Network
  let parameters: [Double]
  let options: NetworkOptions
  /// The points of the grid in each dimension.
  let shape: [Int]
  let levels: Int

  var dimension: Int { shape.count }

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
    network.slices.first { $0.name == name }?.start ?? -1
  }

  /// The number of outputs of a cell.
  typealias Outputs = ([Int]) -> Int

  /// Where the weights and the biases of each group begin.
  private func starts(
    _ name: String, stacked: [Int], outputs: [Int]
  ) -> (weights: [Int], biases: [Int]) {
    let weights = zip(stacked, outputs).reduce(into: [start(name)]) {
      $0.append($0[$0.count - 1] + $1.0 * $1.1)
    }
    return (
      weights, outputs.reduce(into: [weights[stacked.count]]) { $0.append($0[$0.count - 1] + $1) }
    )
  }

  /// A convolution, or a locally connected layer, with a window of 2b + 1 cells in each dimension.
  func window(
    _ name: String, _ field: Field, outputs: Outputs, width b: Int, isOwn: Bool, bits: Int,
    _ activation: Activation
  ) -> Field {
    let whole = (0..<dimension).reduce(field) { padded($0, axis: $1, by: b) }
    let offsets = Field.indices([Int](repeating: 2 * b + 1, count: dimension))
    let cells = Field.indices(field.shape)
    /// Own weights over zero padding do not exist.
    func isThere(_ cell: [Int], _ offset: [Int]) -> Bool {
      !isOwn || options.boundary == .periodic
        || zip(zip(cell, offset), field.shape).allSatisfy { (0..<$1).contains($0.0 + $0.1 - b) }
    }
    func window(_ cell: [Int]) -> [[Double]] {
      offsets.filter { isThere(cell, $0) }.map { whole[zip(cell, $0).map { $0 + $1 }] }
    }
    // Own weights stand box after box in Z-order.
    var (stacked, sizes) = ([Int](repeating: 0, count: isOwn ? cells.count : 1), [Int]())
    sizes = stacked
    for cell in cells {
      let group = isOwn ? zOrder(cell, bits: bits) : 0
      stacked[group] = window(cell).reduce(0) { $0 + $1.count }
      sizes[group] = outputs(cell)
    }
    let starts = starts(name, stacked: stacked, outputs: sizes)
    return Field(
      shape: field.shape,
      cells: cells.map { cell in
        let group = isOwn ? zOrder(cell, bits: bits) : 0
        let seen = window(cell).flatMap { $0 }
        return (0..<sizes[group]).map { output in
          let row = starts.weights[group] + output * stacked[group]
          let sum = seen.indices.reduce(parameters[starts.biases[group] + output]) {
            $0 + parameters[row + $1] * seen[$1]
          }
          return apply(activation, sum)
        }
      })
  }

  /// A restriction of 2^steps cells in each dimension to one.
  func restrict(
    _ name: String, _ field: Field, outputs r: Int, steps: Int, isOwn: Bool, bits: Int,
    _ activation: Activation
  ) -> Field {
    let parts = Field.indices([Int](repeating: 1 << steps, count: dimension))
      .sorted { zOrder($0, bits: steps) < zOrder($1, bits: steps) }
    let shape = field.shape.map { $0 >> steps }
    let cells = Field.indices(shape)
    func children(_ cell: [Int]) -> [Double] {
      parts.flatMap { part in field[zip(cell, part).map { $0 << steps + $1 }] }
    }
    var stacked = [Int](repeating: 0, count: isOwn ? cells.count : 1)
    for cell in cells { stacked[isOwn ? zOrder(cell, bits: bits) : 0] = children(cell).count }
    let starts = starts(name, stacked: stacked, outputs: stacked.map { _ in r })
    return Field(
      shape: shape,
      cells: cells.map { cell in
        let group = isOwn ? zOrder(cell, bits: bits) : 0
        let x = children(cell)
        return (0..<r).map { output in
          let row = starts.weights[group] + output * stacked[group]
          let sum = x.indices.reduce(parameters[starts.biases[group] + output]) {
            $0 + parameters[row + $1] * x[$1]
          }
          return apply(activation, sum)
        }
      })
  }

  /// An interpolation of one cell to 2^steps in each dimension; the function stands on the product.
  func interpolate(
    _ name: String, _ field: Field, outputs: Outputs, steps: Int, isOwn: Bool, bits: Int,
    _ blockActivation: Activation
  ) -> Field {
    let inputs = field.cells[0].count
    let shape = field.shape.map { $0 << steps }
    let cells = Field.indices(shape)
    func group(_ cell: [Int]) -> Int {
      isOwn
        ? zOrder(cell, bits: bits + steps) : zOrder(cell.map { $0 % (1 << steps) }, bits: steps)
    }
    var sizes = [Int](repeating: 0, count: isOwn ? cells.count : power(1 << steps))
    for cell in cells { sizes[group(cell)] = outputs(cell) }
    let starts = starts(name, stacked: sizes.map { _ in inputs }, outputs: sizes)
    return Field(
      shape: shape,
      cells: cells.map { cell in
        let group = group(cell)
        let x = field[cell.map { $0 >> steps }]
        return (0..<sizes[group]).map { output in
          let row = starts.weights[group] + output * inputs
          let product = (0..<inputs).reduce(0) { $0 + parameters[row + $1] * x[$1] }
          return apply(blockActivation, product) + parameters[starts.biases[group] + output]
        }
      })
  }

  func add(_ a: Field, _ b: Field) -> Field {
    Field(shape: a.shape, cells: zip(a.cells, b.cells).map { zip($0, $1).map(+) })
  }
}
