/// Matrices of difference quotients on uniform grids, points in row-major order.
enum GridStencil {
  /// Adds three-point formulas of all dimensions.
  ///
  /// - Parameters:
  ///   - shape: The points in each dimension.
  ///   - before: The coefficient of the point before, in each dimension.
  ///   - centre: What each dimension adds to the coefficient of the point itself.
  ///   - behind: The coefficient of the point behind.
  /// - Returns: The matrix; points outside of the grid are left out.
  static func neighbours(
    _ shape: [Int], before: Double, centre: Double, behind: Double
  ) -> SparseMatrix {
    let strides = strides(shape)
    return rows(shape, perRow: 2 * shape.count + 1) { point, row, builder in
      for axis in shape.indices where point[axis] > 0 {
        builder.append(before, at: Int32(row - strides[axis]))
      }
      builder.append(centre * Double(shape.count), at: Int32(row))
      for axis in shape.indices.reversed() where point[axis] < shape[axis] - 1 {
        builder.append(behind, at: Int32(row + strides[axis]))
      }
    }
  }

  /// Builds −ε Δu + c (u_x + u_y) by upwind differences, times h², h = 1/(n + 1).
  static func upwind(_ shape: [Int], _ diffusion: Double, _ convection: Double) -> SparseMatrix {
    let h = 1 / (Double(shape.max() ?? 1) + 1)
    return neighbours(
      shape, before: -diffusion - h * max(convection, 0),
      centre: 2 * diffusion + h * abs(convection), behind: -diffusion - h * max(-convection, 0))
  }

  /// Builds −ε u″ + c u′ by upwind differences, h = 1/(n − 1); the first and last row are those of the identity.
  static func lineWithBoundary(
    _ count: Int, diffusion: Double, convection: Double
  ) -> SparseMatrix {
    let h = 1 / (Double(count) - 1)
    let (second, first) = (diffusion / (h * h), convection / h)
    return rows([count], perRow: 3) { _, row, builder in
      guard row > 0, row < count - 1 else { return builder.append(1, at: Int32(row)) }
      builder.append(-second - max(first, 0), at: Int32(row - 1))
      builder.append(2 * second + abs(first), at: Int32(row))
      builder.append(-second - max(-first, 0), at: Int32(row + 1))
    }
  }

  /// Builds rows 1, −4, 6, −4, 1.
  static func fourthDifferences(_ count: Int) -> SparseMatrix {
    let coefficients: [Double] = [1, -4, 6, -4, 1]
    return rows([count], perRow: 5) { _, row, builder in
      for (offset, value) in coefficients.enumerated() {
        let column = row + offset - 2
        if column >= 0, column < count { builder.append(value, at: Int32(column)) }
      }
    }
  }

  /// Builds the square of the five-point Laplacian.
  ///
  /// With A = 4 − N, N the neighbours, it is 16 − 8 N + N²: N² counts the paths of two steps.
  static func squaredLaplacian(_ shape: [Int]) -> SparseMatrix {
    // Offsets in row-major order, with the coefficient; that of the point itself is 16 and its paths back.
    let offsets: [(Int, Int, Double)] = [
      (-2, 0, 1), (-1, -1, 2), (-1, 0, -8), (-1, 1, 2), (0, -2, 1), (0, -1, -8), (0, 0, 16),
      (0, 1, -8), (0, 2, 1), (1, -1, 2), (1, 0, -8), (1, 1, 2), (2, 0, 1),
    ]
    return rows(shape, perRow: 13) { point, row, builder in
      func isInside(_ offset: (Int, Int, Double)) -> Bool {
        (0..<shape[0]).contains(point[0] + offset.0) && (0..<shape[1]).contains(point[1] + offset.1)
      }
      let degree = offsets.count { $0.2 == -8 && isInside($0) }
      for offset in offsets where isInside(offset) {
        let paths = offset.2 == 16 ? Double(degree) : 0
        builder.append(offset.2 + paths, at: Int32(row + offset.0 * shape[1] + offset.1))
      }
    }
  }

  /// How far neighbours in each dimension are apart in the order.
  private static func strides(_ shape: [Int]) -> [Int] {
    shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
  }

  /// Builds a matrix of rows for the points of a grid.
  private static func rows(
    _ shape: [Int], perRow: Int, _ body: ([Int], Int, inout RowBuilder) -> Void
  ) -> SparseMatrix {
    let count = shape.reduce(1, *)
    var builder = RowBuilder(rowCount: count, entryCount: count * perRow)
    var point = [Int](repeating: 0, count: shape.count)
    for row in 0..<count {
      body(point, row, &builder)
      builder.endRow()
      for axis in shape.indices.reversed() {
        point[axis] += 1
        if point[axis] < shape[axis] { break }
        point[axis] = 0
      }
    }
    return builder.finish(columnCount: count)
  }
}
