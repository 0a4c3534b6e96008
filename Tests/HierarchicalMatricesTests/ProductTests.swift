import BlockKernels
import Foundation
import HierarchicalMatrices
import Testing

@Suite struct ProductTests {
  /// Matrices in natural and in found order, of all kinds of blocks, wide and tall.
  private static func examples() throws -> [(HierarchicalMatrix, DenseMatrix)] {
    let log = TestMatrices.logarithm(150)
    let wide = log.block(0..<40, 0..<150)
    let shuffled = TestMatrices.shuffled(log, seed: 9)
    var result: [(HierarchicalMatrix, DenseMatrix)] = []
    for matrix in [log, wide, wide.transposed, shuffled, TestMatrices.normal(20, 30, seed: 1)] {
      for options in [CompressionOptions(.relative(1e-5)), CompressionOptions(.numbers(500))] {
        let spectra = try BlockSpectra.recovering(matrix, leaf: 16, for: options)
        result.append((try spectra.compressed(options), matrix))
      }
    }
    return result
  }

  @Test(arguments: [0, 1, 5])
  func productsAreThoseOfTheDenseMatrix(count: Int) throws {
    for (matrix, original) in try Self.examples() {
      let dense = matrix.expanded()
      #expect(abs(distance(dense, original) - matrix.certificate) <= 1e-13 * matrix.norm)
      let right = TestMatrices.normal(matrix.columns, count, seed: 11)
      let left = TestMatrices.normal(matrix.rows, count, seed: 12)
      // Sums of at most 200 products.
      let rounding = 200 * Double.ulpOfOne * frobeniusNorm(dense)
      #expect(
        distance(matrix.times(right), dense.times(right)) <= rounding * frobeniusNorm(right))
      let transposed = matrix.times(left, isTransposed: true)
      #expect(
        distance(transposed, dense.times(left, transposesLeft: true))
          <= rounding * frobeniusNorm(left))
      if count == 1 { #expect(matrix.times(right.elements) == matrix.times(right).elements) }
    }
  }

  @Test func descriptionsGiveTheSameMatrix() throws {
    for (matrix, _) in try Self.examples() {
      let data = try JSONEncoder().encode(HierarchicalDescription(matrix))
      let description = try JSONDecoder().decode(HierarchicalDescription.self, from: data)
      #expect(try HierarchicalMatrix(description) == matrix)
    }
  }

  @Test func faultsOfDescriptionsAreFound() throws {
    let matrix = try HierarchicalMatrix(
      compressing: TestMatrices.logarithm(60),
      partition: .ordered(rows: 60, columns: 60, leaf: 10), CompressionOptions(.relative(1e-4)))
    let good = HierarchicalDescription(matrix)
    let dense = matrix.blocks.firstIndex { $0.rank == nil } ?? 0
    let truncated = matrix.blocks.firstIndex { $0.rank != nil } ?? 0
    let faults: [(inout HierarchicalDescription) -> Void] = [
      { $0.rowOrder[3] = 4 }, { $0.columnOrder[0] = 60 }, { $0.rowOrder = [] },
      { $0.structure.removeLast() }, { $0.structure[0] += 1 }, { $0.structure[1] += 1 },
      { $0.structure[3] = -1 }, { $0.structure[5 * truncated + 4] += 1 },
      { $0.structure[5 * truncated + 4] = 1000 }, { $0.structure[5 * dense + 4] = -2 },
      { $0.values.removeLast() }, { $0.values.append(0) }, { $0.values[7] = .nan },
      { $0.squaredErrors[truncated] += 1 }, { $0.squaredErrors[dense] = 1e-30 },
      { $0.squaredErrors[truncated] = -1 }, { $0.steps[0] *= 0.5 }, { $0.steps = [] },
      { $0.steps[0] *= 2 }, { $0.norm = .infinity },
      {
        $0.structure += [0, 10, 0, 10, 0]; $0.squaredErrors.append(0)
      },
      { $0.rowOrder.append(60) }, { $0.columnOrder.append(60) },
    ]
    for (place, fault) in faults.enumerated() {
      var bad = good
      fault(&bad)
      let error = #expect(throws: HierarchicalMatrixError.self, "fault \(place)") {
        try HierarchicalMatrix(bad)
      }
      #expect(error?.kind == .description)
    }
    #expect(try HierarchicalMatrix(good) == matrix)
  }

  /// Every element is covered once: with blocks of ones every element is one.
  @Test func blocksCoverEveryElementOnce() throws {
    for (matrix, _) in try Self.examples() {
      var counts = [Int](repeating: 0, count: matrix.rows * matrix.columns)
      for block in matrix.blocks {
        for column in block.columns {
          for row in block.rows { counts[column * matrix.rows + row] += 1 }
        }
      }
      #expect(counts.allSatisfy { $0 == 1 })
    }
  }
}
