import BlockKernels
import Foundation
import MessagePassing
import SparseMatrices

/// How far L U is from A.
public struct FactorError: Sendable {
  /// The most unknowns for which all columns of A − L U are formed.
  public static let denseLimit = 2048
  /// The random vectors by which ‖A − L U‖_F is estimated otherwise.
  static let probes = 64
  /// The iterations of the power method.
  static let powerSteps = 40

  /// ‖A − L U‖_F / ‖A‖_F.
  public let relativeFrobenius: Double
  /// ‖A − L U‖₂ / ‖A‖₂, by the power method.
  public let relativeSpectral: Double
  /// Whether the Frobenius norm is that of random products, E‖(A − L U) z‖² = ‖A − L U‖_F².
  public let isEstimate: Bool
  /// The largest |A − L U| in each block of leaves, or of boxes where there are many, row by row; nil for large matrices.
  public let blocks: (count: Int, values: [Double])?

  /// Measures.
  ///
  /// Collective.
  init(
    _ factors: SerialFactors, _ ordered: OrderedMatrix, on ranks: borrowing Communicator
  ) throws {
    ranks.stallWatch.phase = .init("errors of the factors")
    let (matrix, count) = (ordered.matrix, ordered.count)
    isEstimate = count > Self.denseLimit
    let columns = isEstimate ? Self.probes : count
    let cells = isEstimate ? 0 : min(count, Self.cells)
    var largest = [Int](repeating: 0, count: cells * cells)
    var sums = DealtColumns(columns)
    let width = SerialFactors.width
    let block = AlignedBuffer<Double>(repeating: 0, count: count * width)
    let product = AlignedBuffer<Double>(repeating: 0, count: count * width)
    for dealt in sums.blocks(of: ranks.rank, among: ranks.size) {
      for place in 0..<block.count { block[place] = 0 }
      for (vector, column) in dealt.enumerated() {
        if isEstimate {
          let values = NormalVectors.block(
            seed: Self.seed, columns: column..<column + 1, unknowns: ordered.order)
          for row in 0..<count { block[row * width + vector] = values[row] }
        } else {
          block[column * width + vector] = 1
        }
      }
      Self.subtract(factors, matrix, block, product)
      for (vector, column) in dealt.enumerated() {
        var sum = 0.0
        for row in 0..<count {
          let value = product[row * width + vector]
          sum += value * value
          guard cells > 0 else { continue }
          let cell = row * cells / count * cells + column * cells / count
          // Not negative: their bits are in the order of the numbers.
          largest[cell] = max(largest[cell], Int(bitPattern: UInt(abs(value).bitPattern)))
        }
        sums.set(column, sum)
      }
    }
    let total = try sums.collect(on: ranks).reduce(0, +)
    relativeFrobenius =
      (isEstimate ? total / Double(columns) : total).squareRoot() / matrix.frobeniusNorm
    if cells > 0 {
      var span = largest.mutableSpan
      try ranks.allReduce(.max, &span)
      blocks = (cells, largest.map { Double(bitPattern: UInt64(UInt(bitPattern: $0))) })
    } else {
      blocks = nil
    }
    relativeSpectral = try Self.spectral(factors, ordered, block, product, on: ranks)
  }

  private static let seed = 7
  /// The rows and columns of the picture of A − L U at most.
  private static let cells = 64

  /// Sets the product to (A − L U) X; X is destroyed.
  private static func subtract(
    _ factors: SerialFactors, _ matrix: SparseMatrix, _ x: AlignedBuffer<Double>,
    _ product: AlignedBuffer<Double>, transposed: Bool = false
  ) {
    var span = product.mutableSpan
    matrix.multiply(x.span, vectors: SerialFactors.width, into: &span)
    factors.multiply(x, transposed: transposed)
    for place in span.indices { span[place] -= x[place] }
  }

  /// Returns ‖A − L U‖₂/‖A‖₂: the largest of 16 independent runs of the power method, on the first rank for all.
  private static func spectral(
    _ factors: SerialFactors, _ ordered: OrderedMatrix, _ x: AlignedBuffer<Double>,
    _ y: AlignedBuffer<Double>, on ranks: borrowing Communicator
  ) throws -> Double {
    var ratios = [0.0]
    if ranks.rank == 0 {
      let (matrix, other) = (ordered.matrix, ordered.matrix.transposed)
      func start() {
        let values = NormalVectors.block(
          seed: seed, columns: 0..<SerialFactors.width, unknowns: ordered.order)
        for vector in 0..<SerialFactors.width {
          for row in 0..<ordered.count {
            x[row * SerialFactors.width + vector] = values[vector * ordered.count + row]
          }
        }
      }
      func norm(_ step: () -> Void) -> Double {
        start()
        var found = 0.0
        for _ in 0..<powerSteps {
          normalize(x)
          step()
          found = normalize(x).max() ?? 0
        }
        // Of the product with the transpose.
        return found.squareRoot()
      }
      let difference = norm {
        subtract(factors, matrix, x, y)
        copy(y, to: x)
        subtract(factors, other, x, y, transposed: true)
        copy(y, to: x)
      }
      let whole = norm {
        var span = y.mutableSpan
        matrix.multiply(x.span, vectors: SerialFactors.width, into: &span)
        span = x.mutableSpan
        other.multiply(y.span, vectors: SerialFactors.width, into: &span)
      }
      ratios[0] = difference / whole
    }
    var span = ratios.mutableSpan
    try ranks.broadcast(&span, from: 0)
    return ratios[0]
  }

  private static func copy(_ source: AlignedBuffer<Double>, to target: AlignedBuffer<Double>) {
    var span = target.mutableSpan
    for place in span.indices { span[place] = source[place] }
  }

  /// Divides each vector by its norm, and returns the norms.
  @discardableResult
  private static func normalize(_ block: AlignedBuffer<Double>) -> [Double] {
    let width = SerialFactors.width
    var squares = [Double](repeating: 0, count: width)
    for place in 0..<block.count { squares[place % width] += block[place] * block[place] }
    let norms = squares.map { $0.squareRoot() }
    for place in 0..<block.count {
      let norm = norms[place % width]
      block[place] = norm > 0 ? block[place] / norm : 0
    }
    return norms
  }
}
