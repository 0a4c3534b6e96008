import BlockKernels

/// The lower triangle of JᵀJ in panels of columns, and Jᵀr behind it: one vector, which is summed over groups.
struct NormalMatrix {
  /// The columns of a panel.
  private static let panel = 192

  /// The order.
  let order: Int
  /// The numbers of all panels and of Jᵀr.
  let count: Int
  private let starts: [Int]

  init(order: Int) {
    self.order = order
    starts = stride(from: 0, to: order, by: Self.panel).reduce(into: [0]) {
      let rows = order - $1
      $0.append(($0.last ?? 0) + rows * min(Self.panel, rows))
    }
    count = (starts.last ?? 0) + order
  }

  /// Where Jᵀr begins.
  var gradientStart: Int { count - order }

  /// Computes the products of a block of rows.
  ///
  /// - Parameters:
  ///   - jacobian: J, `[parameter][row]`.
  ///   - transposed: Scratch of the same size.
  ///   - rows: Its rows.
  ///   - residuals: All residuals.
  ///   - first: The place of the block's first residual.
  ///   - result: The vector, replaced.
  ///   - products: What multiplies.
  func write(
    _ jacobian: AlignedBuffer<Double>, transposed: AlignedBuffer<Double>, rows: Int,
    _ residuals: AlignedBuffer<Double>, from first: Int, into result: AlignedBuffer<Double>,
    _ products: TiledProduct
  ) {
    let j = jacobian.span
    do {
      var target = transposed.mutableSpan
      Elementwise.transpose(j, channels: order, samples: rows, stride: order, into: &target)
    }
    for (index, column) in stride(from: 0, to: order, by: Self.panel).enumerated() {
      products.multiply(
        Placed(transposed, at: column, leading: order),
        Placed(jacobian, at: column * rows, leading: rows),
        into: Placed(result, at: starts[index], leading: order - column), m: order - column,
        n: min(Self.panel, order - column), k: rows, accumulates: false)
    }
    let r = residuals.span.extracting(first..<first + rows)
    var target = result.mutableSpan
    BLAS.multiply(
      j, transposed: true, r, ldb: rows, into: &target, ldc: order, m: order, n: 1, k: rows,
      cStart: gradientStart)
  }

  /// Writes the lower triangle of JᵀJ + λ I as a whole matrix.
  ///
  /// - Parameters:
  ///   - vector: The panels.
  ///   - matrix: Gets the matrix, column-major.
  ///   - shift: λ.
  func unpack(_ vector: AlignedBuffer<Double>, into matrix: AlignedBuffer<Double>, shift: Double) {
    for (index, first) in stride(from: 0, to: order, by: Self.panel).enumerated() {
      let below = order - first
      for column in first..<min(first + Self.panel, order) {
        matrix.copy(
          from: vector, at: starts[index] + (column - first) * below + column - first,
          to: column * order + column..<(column + 1) * order)
        matrix[column * order + column] += shift
      }
    }
  }

  /// The mean of the diagonal of JᵀJ.
  func meanDiagonal(_ vector: AlignedBuffer<Double>) -> Double {
    var sum = 0.0
    for (index, first) in stride(from: 0, to: order, by: Self.panel).enumerated() {
      for column in 0..<min(Self.panel, order - first) {
        sum += vector[starts[index] + column * (order - first) + column]
      }
    }
    return sum / Double(order)
  }
}
