import BlockKernels
import Foundation
import MessagePassing
import SparseMatrices
import Testing

@Suite struct ModelMatrixTests {
  /// A matrix with its condition number in the 2-norm, computed with NumPy.
  struct Case: CustomTestStringConvertible, Sendable {
    let matrix: ModelMatrix
    let shape: [Int]
    var options = MatrixOptions()
    let condition: Double
    /// Half a unit of the last digit of the condition number.
    let tolerance: Double
    var testDescription: String { "\(matrix.rawValue) \(shape) \(options)" }
  }

  static let conditions = [
    Case(matrix: .laplacian1D, shape: [256], condition: 26767.98, tolerance: 0.005),
    Case(matrix: .convectionDiffusion1D, shape: [256], condition: 391149.8, tolerance: 0.05),
    Case(matrix: .biharmonic1D, shape: [256], condition: 1.41612e8, tolerance: 500),
    Case(matrix: .laplacian2D, shape: [16, 16], condition: 116.4612, tolerance: 5e-5),
    Case(matrix: .laplacian2D, shape: [32, 32], condition: 440.6886, tolerance: 5e-5),
    Case(matrix: .convectionDiffusion2D, shape: [16, 16], condition: 44.4767, tolerance: 5e-5),
    Case(matrix: .convectionDiffusion2D, shape: [32, 32], condition: 128.0801, tolerance: 5e-5),
    Case(matrix: .biharmonic2D, shape: [16, 16], condition: 13563.21, tolerance: 0.005),
    Case(matrix: .biharmonic2D, shape: [32, 32], condition: 194206.4, tolerance: 0.05),
    Case(matrix: .rbf, shape: [256], condition: 6146.62, tolerance: 0.005),
    Case(
      matrix: .rbf, shape: [256], options: MatrixOptions(nugget: 1e-4), condition: 614563,
      tolerance: 0.5),
    Case(
      matrix: .rbf, shape: [256], options: MatrixOptions(nugget: 1e-6), condition: 6.14562e7,
      tolerance: 50),
    Case(
      matrix: .rbf, shape: [256], options: MatrixOptions(length: 0.2), condition: 11240.9,
      tolerance: 0.05),
    Case(
      matrix: .rbf, shape: [256], options: MatrixOptions(length: 0.2, nugget: 1e-4),
      condition: 1_123_992, tolerance: 0.5),
    Case(matrix: .exponential, shape: [256], condition: 96352.3, tolerance: 0.05),
  ]

  @Test(arguments: conditions)
  func conditionNumbersAreThoseOfNumPy(_ item: Case) throws {
    let matrix = try item.matrix.matrix(shape: item.shape, options: item.options)
    let values = try matrix.dense().singularValues()
    let condition = try #require(values.first) / #require(values.last)
    #expect(abs(condition - item.condition) <= item.tolerance, "\(condition)")
  }

  /// Builds −ε Δ + c ∂ from products of one-dimensional matrices.
  private func sum(
    _ shape: [Int], _ entry: @escaping (_ difference: Int) -> Double
  ) -> (_ i: Int, _ j: Int) -> Double {
    let strides = shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
    return { i, j in
      let differences = shape.indices.map {
        i / strides[$0] % shape[$0] - j / strides[$0] % shape[$0]
      }
      // I ⊗ … ⊗ T ⊗ … ⊗ I
      return shape.indices.reduce(0) { sum, axis in
        let others = shape.indices.allSatisfy { $0 == axis || differences[$0] == 0 }
        return others ? sum + entry(differences[axis]) : sum
      }
    }
  }

  private func expect(
    _ matrix: SparseMatrix, _ entry: (Int, Int) -> Double, tolerance: Double = 0,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for i in 0..<matrix.rowCount {
      for j in 0..<matrix.columnCount {
        let isEqual = abs(matrix.entry(i, j) - entry(i, j)) <= tolerance
        #expect(isEqual, "(\(i), \(j))", sourceLocation: sourceLocation)
      }
    }
  }

  @Test(arguments: [[1], [2], [7], [1, 1], [3, 5], [5, 1], [1, 4], [2, 3, 4], [3, 1, 2]])
  func laplaciansAreKroneckerSums(shape: [Int]) throws {
    let matrices: [ModelMatrix] = [.laplacian1D, .laplacian2D, .laplacian3D]
    let matrix = try matrices[shape.count - 1].matrix(shape: shape)
    expect(matrix, sum(shape) { $0 == 0 ? 2 : abs($0) == 1 ? -1 : 0 })
    #expect(matrix.isSymmetric && !matrix.values.contains(0))
  }

  @Test(arguments: [[1, 1], [4, 4], [3, 5], [6, 2]], [50, -3.5, 0])
  func convectionIsUpwind(shape: [Int], convection: Double) throws {
    let options = MatrixOptions(diffusion: 0.5, convection: convection)
    let matrix = try ModelMatrix.convectionDiffusion2D.matrix(shape: shape, options: options)
    let h = 1 / Double((shape.max() ?? 0) + 1)
    let entry = sum(shape) { difference in
      switch difference {
      case 0: 2 * 0.5 + h * abs(convection)
      // The point before the row's is where the flow comes from if c > 0.
      case 1: -0.5 - h * max(convection, 0)
      case -1: -0.5 + h * min(convection, 0)
      default: 0
      }
    }
    expect(matrix, entry, tolerance: 1e-14)
    #expect(matrix.isSymmetric == (convection == 0 || shape == [1, 1]))
  }

  @Test(arguments: [1, 2, 3, 9], [1, -2.0])
  func lineOfConvectionHasBoundaryRows(count: Int, convection: Double) throws {
    let options = MatrixOptions(diffusion: 0.25, convection: convection)
    let matrix = try ModelMatrix.convectionDiffusion1D.matrix(shape: [count], options: options)
    let h = 1 / Double(max(count - 1, 1))
    // Row i applied to a function; constants and, for upwind differences, linear functions are exact.
    let (ones, line) = ([Double](repeating: 1, count: count), (0..<count).map { Double($0) * h })
    for (x, slope) in [(ones, 0.0), (line, 1.0)] {
      var y = [Double](repeating: 0, count: count)
      var span = y.mutableSpan
      matrix.multiply(x.span, into: &span)
      for i in 0..<count {
        let expected = i == 0 || i == count - 1 ? x[i] : convection * slope
        #expect(abs(y[i] - expected) <= 1e-12)
      }
    }
    for i in 1..<max(count - 1, 1) {
      #expect((matrix.entry(i, i - 1) < matrix.entry(i, i + 1)) == (convection > 0))
    }
  }

  @Test(arguments: [[1, 1], [1, 5], [2, 2], [4, 3], [6, 7]])
  func biharmonicIsTheSquareOfTheLaplacian(shape: [Int]) throws {
    let dense = try ModelMatrix.laplacian2D.matrix(shape: shape).dense()
    let matrix = try ModelMatrix.biharmonic2D.matrix(shape: shape)
    // Small integers: all sums are exact.
    #expect(try matrix.dense() == dense.times(dense))
    #expect(!matrix.values.contains(0))
  }

  @Test(arguments: [1, 2, 3, 8])
  func biharmonicLineIsCut(count: Int) throws {
    let matrix = try ModelMatrix.biharmonic1D.matrix(shape: [count])
    expect(matrix) { i, j in [6, -4, 1, 0, 0, 0, 0, 0][abs(i - j)] }
  }

  @Test(arguments: [ModelMatrix.rbf, .exponential], [[1], [9], [4, 3], [1, 6], [2, 3, 4]])
  func kernelsAreFunctionsOfDistances(matrix: ModelMatrix, shape: [Int]) throws {
    let options = MatrixOptions(length: 0.3, nugget: 0.125)
    let found = try matrix.matrix(shape: shape, options: options)
    let h = 1 / Double(max((shape.max() ?? 1) - 1, 1))
    let strides = shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
    expect(
      found,
      { i, j in
        let square = shape.indices.reduce(0.0) { sum, axis in
          let difference = Double(i / strides[axis] % shape[axis] - j / strides[axis] % shape[axis])
          return sum + difference * difference * h * h
        }
        let exponent = matrix == .rbf ? square / (2 * 0.3 * 0.3) : square.squareRoot() / 0.3
        return exp(-exponent) + (i == j ? 0.125 : 0)
      }, tolerance: 1e-15)
    #expect(found.entryCount == found.rowCount * found.rowCount && found.isSymmetric)
  }

  @Test func kernelsOfExtremeLengthsAreFinite() throws {
    for matrix in [ModelMatrix.rbf, .exponential] {
      let thin = try matrix.matrix(
        shape: [4], options: MatrixOptions(length: .leastNonzeroMagnitude, nugget: 0))
      expect(thin) { $0 == $1 ? 1 : 0 }
      let wide = try matrix.matrix(shape: [4], options: MatrixOptions(length: 1e300, nugget: 0))
      expect(wide) { _, _ in 1 }
    }
  }

  @Test(
    arguments: [
      (ModelMatrix.laplacian1D, [4, 4], MatrixOptions(), "1 dimensions, not 4x4"),
      (.laplacian3D, [4], MatrixOptions(), "3 dimensions"),
      (.rbf, [2, 2, 2, 2], MatrixOptions(), "1 to 3"), (.rbf, [], MatrixOptions(), "1 to 3"),
      (.laplacian2D, [0, 3], MatrixOptions(), "no points"),
      (.laplacian2D, [1 << 20, 1 << 20], MatrixOptions(), "more than"),
      (.rbf, [1 << 30], MatrixOptions(), "MiB"),
      (.laplacian1D, [4], MatrixOptions(length: 1), "no `length`"),
      (.exponential, [4], MatrixOptions(convection: 1), "`length` and `nugget`"),
      (.rbf, [4], MatrixOptions(length: 0), "above 0"),
      (.rbf, [4], MatrixOptions(nugget: -1), "at least 0"),
      (.convectionDiffusion2D, [4, 4], MatrixOptions(diffusion: -1), "above 0"),
      (.convectionDiffusion1D, [4], MatrixOptions(convection: .infinity), "finite"),
      (.convectionDiffusion1D, [4], MatrixOptions(diffusion: 1e308), "too large"),
    ] as [(ModelMatrix, [Int], MatrixOptions, String)])
  func whatDoesNotFitIsRefused(
    matrix: ModelMatrix, shape: [Int], options: MatrixOptions, text: String
  ) throws {
    let error = try #require(throws: RunError.self) {
      try matrix.matrix(shape: shape, options: options)
    }
    #expect(error.exitStatus == 64)
    #expect(error.message.contains(text), "\(error.message)")
  }
}
