internal import BlockKernels
import SpecialFunctions

/// The coefficients of a separable field on the lines between all pairs of rows of cells.
///
/// They are multiplied by the weights of the quadrature along a line.
struct LineTable: ~Copyable {
  /// The number of terms of a coefficient vector.
  let termCount: Int
  /// The coefficients, `[i₁ (i₁ + 1) / 2 + j₁][node][term]`.
  let coefficients: AlignedBuffer<Double>
  /// The place of the first function, `[i₁ (i₁ + 1) / 2 + j₁][node]`, where each node has its own functions.
  let firsts: AlignedBuffer<Int32>

  /// Computes the coefficients.
  ///
  /// - Parameters:
  ///   - rows: The number of rows of cells.
  ///   - field: The field.
  init(rows: Int, _ field: some SeparableField) {
    let pairs = rows * (rows + 1) / 2
    termCount = field.termCount
    coefficients = AlignedBuffer(repeating: 0, count: pairs * 5 * termCount)
    firsts = AlignedBuffer(repeating: 0, count: pairs * 5)
    var values = coefficients.mutableSpan
    for i in 0..<rows {
      for j in 0...i {
        for node in 0..<5 {
          let place = (i * (i + 1) / 2 + j) * 5 + node
          let x = (Double(j) + 0.5 + FivePointRule.nodes[node] * Double(i - j)) / Double(rows)
          let first = field.coefficients(at: x, from: place * termCount, into: &values)
          firsts[place] = Int32(node * field.functionCount + first)
          for term in 0..<termCount {
            values[place * termCount + term] *= FivePointRule.weights[node]
          }
        }
      }
    }
  }
}

extension PlaneTransferMatrix {
  /// Computes the functions of a field on the lines from one second coordinate to all others.
  ///
  /// - Parameters:
  ///   - field: The field.
  ///   - k: i₂.
  /// - Returns: The values, `[node][function][j₂]`; zero in the padding.
  func lineFunctions(_ field: some SeparableField, _ k: Int) -> AlignedBuffer<Lanes> {
    let count = field.functionCount
    let result = AlignedBuffer<Lanes>(repeating: .zero, count: 5 * count * chunks)
    var lanes = result.mutableSpan
    var values = [Double](repeating: 0, count: count)
    for node in 0..<5 {
      for column in 0..<shape.1 {
        let offset = FivePointRule.nodes[node] * Double(k - column)
        var span = values.mutableSpan
        field.functions(at: (Double(column) + 0.5 + offset) / Double(shape.1), into: &span)
        let place = node * count * chunks + column / Lanes.scalarCount
        for function in 0..<count {
          lanes[place + function * chunks][column % Lanes.scalarCount] = span[function]
        }
      }
    }
    return result
  }

  /// Computes the entries of the cells with themselves.
  ///
  /// ∫ 1 / |x| over a cell is taken out, and (exp(-|x| ∫ μ_t) - 1) / |x| is left for quadrature. Over the
  /// rectangle of sides a and b at the origin the former is a arsinh(b / a) + b arsinh(a / b).
  func assembleDiagonal(_ scattering: some SeparableField, _ absorption: Double) {
    let (a, b) = (0.5 / Double(shape.0), 0.5 / Double(shape.1))
    let diagonal = (a * a + b * b).squareRoot()
    let logarithms = VectorFunctions.log(
      Lanes(
        lowHalf: .init(repeating: (b + diagonal) / a),
        highHalf: .init(repeating: (a + diagonal) / b)))
    let singular = 4 * (a * logarithms[0] + b * logarithms[7])
    let table = CellTable(self, scattering)
    var row = [Lanes](repeating: .zero, count: chunks)
    for i in 0..<shape.0 {
      for chunk in 0..<chunks { row[chunk] = Lanes(repeating: singular) }
      addSmoothPart(i, table, scattering, absorption, &row)
      for k in 0..<shape.1 {
        let place = block(i, i) + k * chunks + k / Lanes.scalarCount
        entries[place][k % Lanes.scalarCount] =
          row[k / Lanes.scalarCount][k % Lanes.scalarCount] / (2 * Double.pi)
      }
    }
  }

  /// Adds the integrals of (exp(-|x| ∫ μ_t) - 1) / |x| over the cells of a row.
  private func addSmoothPart(
    _ i: Int, _ table: borrowing CellTable, _ field: some SeparableField, _ absorption: Double,
    _ row: inout [Lanes]
  ) {
    let terms = field.termCount
    var coefficients = [Double](repeating: 0, count: 5 * terms)
    for s in 0..<10 {
      let (offset, weight) = CellTable.node(s, side: 1 / Double(shape.0))
      var firsts = [5 of Int](repeating: 0)
      for node in 0..<5 {
        let x = (Double(i) + 0.5) / Double(shape.0) + FivePointRule.nodes[node] * offset
        var span = coefficients.mutableSpan
        firsts[node] = field.coefficients(at: x, from: node * terms, into: &span)
        for term in 0..<terms { span[node * terms + term] *= FivePointRule.weights[node] }
      }
      for t in 0..<10 {
        let (other, otherWeight) = CellTable.node(t, side: 1 / Double(shape.1))
        let length = (offset * offset + other * other).squareRoot()
        for chunk in 0..<chunks {
          var mean = Lanes(repeating: absorption)
          for node in 0..<5 {
            let place = table.place(t, node, firsts[node]) + chunk
            for term in 0..<terms {
              mean += coefficients[node * terms + term] * table.values[place + term * chunks]
            }
          }
          let lost = VectorFunctions.attenuation(Self.admissible(mean * length)).less
          row[chunk] -= weight * otherWeight / length * lost
        }
      }
    }
  }
}

/// The functions of a separable field on the lines from the centres of cells to the nodes inside of them.
struct CellTable: ~Copyable {
  /// The values, `[node of the cell][node of the line][function][i₂]`.
  let values: AlignedBuffer<VectorFunctions.Lanes>
  private let functionCount: Int
  private let chunks: Int

  /// Computes the functions.
  ///
  /// - Parameters:
  ///   - matrix: The matrix, which says where the cells are.
  ///   - field: The field.
  init(_ matrix: borrowing PlaneTransferMatrix, _ field: some SeparableField) {
    let lanes = VectorFunctions.Lanes.scalarCount
    let columns = matrix.shape.1
    chunks = matrix.chunks
    functionCount = field.functionCount
    values = AlignedBuffer(repeating: .zero, count: 50 * functionCount * chunks)
    var numbers = [Double](repeating: 0, count: functionCount)
    for t in 0..<10 {
      for node in 0..<5 {
        let offset = FivePointRule.nodes[node] * Self.node(t, side: 1 / Double(columns)).offset
        for column in 0..<columns {
          var span = numbers.mutableSpan
          field.functions(at: (Double(column) + 0.5) / Double(columns) + offset, into: &span)
          for function in 0..<functionCount {
            let place = ((t * 5 + node) * functionCount + function) * chunks + column / lanes
            values[place][column % lanes] = span[function]
          }
        }
      }
    }
  }

  /// Finds a node of the composite rule on a side of a cell, of which each half has five.
  ///
  /// - Returns: Its place relative to the centre, and its weight.
  static func node(_ index: Int, side: Double) -> (offset: Double, weight: Double) {
    let half = side / 2
    let offset = FivePointRule.nodes[index % 5] * half
    return (index < 5 ? offset : -offset, FivePointRule.weights[index % 5] * half)
  }

  /// Where the values of a function begin.
  func place(_ cellNode: Int, _ lineNode: Int, _ function: Int) -> Int {
    ((cellNode * 5 + lineNode) * functionCount + function) * chunks
  }
}
