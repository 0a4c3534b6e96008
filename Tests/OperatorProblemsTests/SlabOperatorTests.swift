import Foundation
import Testing

@testable import OperatorProblems

struct SlabOperatorTests {
  private struct Slab {
    let thicknesses: [Double]
    /// (μ_s v + 1) / μ_t for some positive v.
    let source: [Double]
    let least: Double
  }

  private func slab(_ example: SlabCase, _ n: Int) -> Slab {
    let field = example.field(n)
    let attenuation = field.map { $0 + example.absorption }
    return Slab(
      thicknesses: attenuation.map { $0 / Double(n) },
      source: (0..<n).map { (field[$0] * (2 + sin(Double($0))) + 1) / attenuation[$0] },
      least: max(example.absorption, 1e-6) / Double(n))
  }

  private func apply(_ slab: Slab) -> [Double] {
    let n = slab.source.count
    let product = SlabOperator(cellCount: n, leastThickness: slab.least)
    product.prepare(slab.thicknesses.span)
    var values = [Double](repeating: .nan, count: n)
    do {
      var span = values.mutableSpan
      product.apply(slab.source.span, into: &span)
    }
    return values
  }

  @Test(
    arguments: SlabCase.easy + SlabCase.transparent + SlabCase.hard, [1, 2, 3, 17, 320])
  func productMatchesTheExactRows(example: SlabCase, cells: Int) {
    let slab = slab(example, cells)
    let values = apply(slab)
    let row = ExactRow(cellCount: cells)
    let exact = (0..<cells).map {
      row.product($0, thicknesses: slab.thicknesses.span, source: slab.source.span)
    }
    let scale = exact.reduce(0) { max($0, abs($1)) }
    let difference = largestDifference(values, exact) / scale
    // The sum of exponentials has an error of 1e-15, E₁ one of 2e-15, and sums of positive numbers are
    // rounded: a tenth of the bound of residuals is the aim.
    #expect(difference <= 1e-14, "\(difference)")
  }

  @Test(arguments: [0.2, 1e-5, 20, 30, 5000])
  func productMatchesTheExactRowsOnFineGrids(attenuation: Double) {
    let cells = 32768
    // Equal cells are the worst case, all round alike: an intensity that has come so near to its limit
    // that a change of 1e-3 of what is missing is rounded away stays there. With N cells on depth 30
    // that happens at a distance of 2⁻⁵⁴ N / 30.
    let bound = 2e-18 * Double(cells)
    let example = SlabCase(testDescription: "", absorption: attenuation) { _, _ in 0 }
    let slab = slab(example, cells)
    let values = apply(slab)
    let row = ExactRow(cellCount: cells)
    for i in [0, 1, cells / 3, cells / 2, cells - 1] {
      let exact = row.product(
        i, thicknesses: slab.thicknesses.span, source: slab.source.span)
      #expect(abs(values[i] / exact - 1) <= bound, "cell \(i): \(values[i] / exact - 1)")
    }
  }

  @Test(arguments: SlabCase.easy)
  func exactRowsAreThoseOfTheDenseMatrix(example: SlabCase) {
    let cells = 40
    let slab = slab(example, cells)
    let field = example.field(cells)
    let attenuation = field.map { $0 + example.absorption }
    let dense = DenseSlab(cellCount: cells)
    dense.assemble(field.span, attenuation.span)
    let row = ExactRow(cellCount: cells)
    // The dense residual of u = K (μ_s u + 1) must be that of the rows, whatever u is.
    let u = (0..<cells).map { 2 + sin(Double($0)) }
    let ones = attenuation.map { 1 / $0 }
    var largest = 0.0
    var source = 0.0
    for i in 0..<cells {
      let thicknesses = slab.thicknesses.span
      let product = row.product(i, thicknesses: thicknesses, source: slab.source.span)
      largest = max(largest, abs(product - u[i]))
      source = max(source, row.product(i, thicknesses: thicknesses, source: ones.span))
    }
    let residual = largest / (source + u.reduce(0) { max($0, $1) })
    // Depths of up to 1e4 are added up there, with an error of 1e-12.
    let bound = example.absorption > 1000 ? 1e-11 : 1e-13
    #expect(abs(dense.relativeResidual(of: u.span) - residual) <= bound)
  }
}
