import BlockKernels
import ClusterTrees
import MessagePassing
import OperatorNetworks

/// A leaf of a factor that cannot be computed with.
struct FactorFailure: Error, Comparable {
  let leaf: Int
  /// Whether its diagonal block is singular; else parameters are not finite.
  let isSingular: Bool

  /// A number by which ranks find the first failure.
  var code: Int { 2 * leaf + (isSingular ? 1 : 0) }

  init(leaf: Int, isSingular: Bool) { (self.leaf, self.isSingular) = (leaf, isSingular) }

  init(code: Int) { self.init(leaf: code / 2, isSingular: code % 2 == 1) }

  static func < (a: FactorFailure, b: FactorFailure) -> Bool { a.code < b.code }

  /// The error to tell, the same on any number of ranks.
  func error(_ blocks: FactorBlocks) -> RunError {
    let tree = blocks.structure.tree
    let first = tree.order[tree.pointRange(level: tree.levels, box: leaf).lowerBound]
    let factor = blocks.networks.prefix.isEmpty ? "lower" : "upper"
    return .data(
      isSingular
        ? "the \(factor) factor cannot be solved with: the diagonal block of the leaf that begins with unknown \(first) "
          + "is numerically singular"
        : "the \(factor) factor has parameters that are not finite in the leaf that begins with unknown \(first)"
    )
  }
}

extension FactorBlocks {
  /// Inverts the diagonal block of a leaf.
  ///
  /// - Parameters:
  ///   - leaf: The leaf.
  ///   - parameters: The parameters.
  /// - Returns: The inverse; nil if the block is the identity.
  /// - Throws: ``FactorFailure`` if the block is singular or not finite.
  func inverseDiagonal(
    _ leaf: Int, _ parameters: AlignedBuffer<Double>
  ) throws(FactorFailure) -> DenseMatrix? {
    let block = diagonal.block(leaf, 0, parameters.span)
    let size = block.rows
    var (isIdentity, isTriangular) = (true, true)
    for column in 0..<size {
      for row in 0..<size {
        let element = block.elements[column * size + row]
        guard element.isFinite else { throw FactorFailure(leaf: leaf, isSingular: false) }
        if element != (row == column ? 1 : 0) { isIdentity = false }
        if row < column, element != 0 { isTriangular = false }
      }
    }
    if isIdentity { return nil }
    let inverse: DenseMatrix
    if isTriangular {
      inverse = Self.invertTriangle(block)
    } else {
      do throws(LAPACKError) {
        inverse = try block.inverse()
      } catch {
        throw FactorFailure(leaf: leaf, isSingular: true)
      }
    }
    guard inverse.elements.allSatisfy(\.isFinite) else {
      throw FactorFailure(leaf: leaf, isSingular: true)
    }
    return inverse
  }

  /// Inverts a lower triangular matrix by substitution; what stands above the diagonal is exactly zero.
  private static func invertTriangle(_ block: DenseMatrix) -> DenseMatrix {
    let size = block.rows
    var result = DenseMatrix(rows: size, columns: size)
    let read = block.elements.span
    var write = result.elements.mutableSpan
    for column in 0..<size {
      write[column * size + column] = 1
      for k in column..<size {
        let value = write[column * size + k] / read[k * size + k]
        write[column * size + k] = value
        for row in k + 1..<max(size, k + 1) {
          write[column * size + row] -= read[k * size + row] * value
        }
      }
    }
    return result
  }
}

extension FactorFailure {
  /// Fails on all ranks if a rank failed, with the error of the first leaf.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Allreduce`.
  ///
  /// - Parameters:
  ///   - own: The first failure of this rank, if there is one.
  ///   - blocks: The factor.
  ///   - ranks: The ranks.
  /// - Throws: `RunError`, the same on all ranks; `MPIError` if the library fails.
  static func share(
    _ own: FactorFailure?, _ blocks: FactorBlocks, on ranks: borrowing Communicator
  ) throws {
    let first = try ranks.allReduce(.min, own?.code ?? Int.max)
    if first < Int.max { throw FactorFailure(code: first).error(blocks) }
  }
}
