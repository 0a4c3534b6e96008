internal import BlockKernels
import SpecialFunctions

/// The matrix of the operator of radiative transfer in the unit square, for constant sources in cells.
///
/// K_ij = ∫ exp(-|x_i - y| ∫₀¹ μ_t) / (2π |x_i - y|) dy over cell j (Fan et al., MNN-H², eq. 4.7 in two
/// dimensions), where the integral over a cell is the midpoint rule for i ≠ j and the integral along
/// the line the Gauss–Legendre rule with five nodes. The singularity at i = j is integrated in closed
/// form, and what is left by the same rule in each quarter of the cell. The matrix is symmetric: one half
/// is stored.
struct PlaneTransferMatrix: ~Copyable {
  typealias Lanes = VectorFunctions.Lanes

  /// The numbers of cells.
  let shape: (Int, Int)
  /// The vectors of eight that a row of cells takes, the last one padded.
  let chunks: Int
  /// The blocks of the rows i₁ ≥ j₁ of cells, `[i₁ (i₁ + 1) / 2 + j₁][i₂][j₂]`.
  let entries: AlignedBuffer<Lanes>
  /// The vector that is multiplied, padded.
  private let source: AlignedBuffer<Lanes>
  /// What the upper half adds to the product, padded.
  private let upper: AlignedBuffer<Lanes>

  /// Allocates the memory.
  ///
  /// - Parameter shape: The numbers of cells, positive.
  init(shape: (Int, Int)) {
    let lanes = Lanes.scalarCount
    self.shape = shape
    chunks = (shape.1 + lanes - 1) / lanes
    let blocks = shape.0 * (shape.0 + 1) / 2
    entries = AlignedBuffer(repeating: .zero, count: blocks * shape.1 * chunks)
    source = AlignedBuffer(repeating: .zero, count: shape.0 * chunks)
    upper = AlignedBuffer(repeating: .zero, count: shape.0 * chunks)
  }

  /// Where the block of two rows of cells begins.
  func block(_ i: Int, _ j: Int) -> Int { (i * (i + 1) / 2 + j) * shape.1 * chunks }

  /// Multiplies a vector.
  ///
  /// - Parameters:
  ///   - vector: One value per cell.
  ///   - product: Becomes the product.
  /// - Complexity: 2 N² operations, while N² / 2 numbers are read; no allocation.
  func multiply(_ vector: Span<Double>, into product: inout MutableSpan<Double>) {
    let (rows, columns) = shape
    pad(vector)
    upper.fill(.zero)
    for i in 0..<rows * columns { product[i] = 0 }
    for i in 0..<rows {
      for j in 0..<i { multiplyBlock(i, j, vector, &product) }
      multiplyDiagonalBlock(i, &product)
    }
    for i in 0..<rows {
      for k in 0..<columns {
        product[i * columns + k] += upper[i * chunks + k / Lanes.scalarCount][k % Lanes.scalarCount]
      }
    }
  }

  /// Copies a vector into rows of whole lanes.
  private func pad(_ vector: Span<Double>) {
    var padded = source.mutableSpan
    for i in 0..<shape.0 {
      for k in 0..<shape.1 {
        padded[i * chunks + k / Lanes.scalarCount][k % Lanes.scalarCount] = vector[i * shape.1 + k]
      }
    }
  }

  /// Adds the products of a block and of its transpose.
  private func multiplyBlock(
    _ i: Int, _ j: Int, _ vector: Span<Double>, _ product: inout MutableSpan<Double>
  ) {
    let entries = entries.span
    let source = source.span
    var upper = upper.mutableSpan
    var place = block(i, j)
    for k in 0..<shape.1 {
      let factor = vector[i * shape.1 + k]
      var sum = Lanes.zero
      for chunk in 0..<chunks {
        let entry = entries[place + chunk]
        sum += entry * source[j * chunks + chunk]
        upper[j * chunks + chunk] += entry * factor
      }
      product[i * shape.1 + k] += VectorFunctions.sum(sum)
      place += chunks
    }
  }

  /// Adds the product of a symmetric block.
  private func multiplyDiagonalBlock(_ i: Int, _ product: inout MutableSpan<Double>) {
    let entries = entries.span
    let source = source.span
    var place = block(i, i)
    for k in 0..<shape.1 {
      var sum = Lanes.zero
      for chunk in 0..<chunks { sum += entries[place + chunk] * source[i * chunks + chunk] }
      product[i * shape.1 + k] += VectorFunctions.sum(sum)
      place += chunks
    }
  }
}
