import BlockKernels
import Foundation
import HierarchicalMatrices
import OperatorProblems
import Testing

@Suite struct DataMetricTests {
  /// The mean over samples of ‖y‖², as a root.
  private static func output(_ a: DenseMatrix, _ samples: DenseMatrix) -> Double {
    frobeniusNorm(a.times(samples)) / Double(samples.columns).squareRoot()
  }

  private static func difference(_ a: DenseMatrix, _ b: DenseMatrix) -> DenseMatrix {
    TestMatrices.matrix(a.rows, a.columns) { a[$0, $1] - b[$0, $1] }
  }

  /// Inputs of decaying variance, of rank `rank`.
  private static func samples(_ inputs: Int, _ count: Int, rank: Int) -> DenseMatrix {
    let directions = TestMatrices.normal(inputs, rank, seed: 1)
    let scaled = TestMatrices.matrix(inputs, rank) { directions[$0, $1] * exp2(-Double($1)) }
    return scaled.times(TestMatrices.normal(rank, count, seed: 2))
  }

  /// One block: the certificate is the error of the outputs, and no other matrix of this rank has a smaller one.
  @Test(arguments: [20, 200])
  func globalTruncationIsOptimalForTheOutputs(count: Int) throws {
    let a = TestMatrices.normal(40, 60, seed: 3)
    let samples = Self.samples(60, count, rank: 12)
    let metric = CompressionMetric.data(try DataMetric(samples: samples))
    let spectra = try BlockSpectra(a, partition: .whole(rows: 40, columns: 60), metric: metric)
    #expect(abs(spectra.norm / Self.output(a, samples) - 1) < 1e-12)
    let outputs = try a.times(samples).singularValues()
    for rank in [0, 1, 5, 11, 12] {
      let h = try spectra.compressed(CompressionOptions(.numbers(rank * 100)))
      #expect(h.storage.largestRank == rank)
      let error = Self.output(Self.difference(a, h.expanded()), samples)
      let least =
        outputs.dropFirst(rank).reduce(0) { $0 + $1 * $1 }.squareRoot()
        / Double(count).squareRoot()
      #expect(abs(error - least) <= 1e-12 * spectra.norm)
      #expect(abs(h.certificate - least) <= 1e-12 * spectra.norm)
      #expect(abs(try h.verify(against: a, metric: metric) - error) <= 1e-12 * spectra.norm)
      // Nothing comes of what lies outside of the data.
      let outside = TestMatrices.normal(60, 1, seed: 13)
      let directions = try samples.singularValueDecomposition().left.block(0..<60, 0..<12)
      let inside = directions.times(directions.times(outside, transposesLeft: true))
      let rest = Self.difference(outside, inside)
      #expect(frobeniusNorm(h.times(rest)) <= 1e-9 * frobeniusNorm(a) * frobeniusNorm(rest))
    }
    let kind = #expect(throws: HierarchicalMatrixError.self) {
      try spectra.compressed(CompressionOptions(.numbers(300))).verify(against: a)
    }
    #expect(kind?.kind == .input)
  }

  @Test func secondMomentsGiveTheSameMetric() throws {
    let a = TestMatrices.normal(10, 30, seed: 3)
    let samples = TestMatrices.normal(30, 100, seed: 5)
    var moments = samples.times(samples, transposesRight: true)
    for place in moments.elements.indices { moments.elements[place] /= 100 }
    let partition = try MatrixPartition.ordered(rows: 10, columns: 30, leaf: 5)
    let options = CompressionOptions(.relative(0.3))
    let first = try HierarchicalMatrix(
      compressing: a, partition: partition, options,
      metric: .data(try DataMetric(samples: samples)))
    let second = try HierarchicalMatrix(
      compressing: a, partition: partition, options,
      metric: .data(try DataMetric(secondMoments: moments)))
    #expect(abs(first.certificate / second.certificate - 1) < 1e-9)
    #expect(distance(first.expanded(), second.expanded()) < 1e-9 * frobeniusNorm(a))
  }

  /// Blocks side by side: the certificate bounds the error, whose square is not the sum of the blocks' squares.
  @Test(arguments: [ErrorShare.local, .share, .optimal])
  func certificateBoundsTheOutputsOfBlocks(share: ErrorShare) throws {
    let a = TestMatrices.logarithm(96)
    let samples = TestMatrices.matrix(96, 40) {
      sin(Double(($0 + 1) * ($1 + 1)) * 0.03) + 0.1 * cos(Double($0 * $1))
    }
    let metric = CompressionMetric.data(try DataMetric(samples: samples))
    for order in [Array(0..<96), TestMatrices.permutation(96, seed: 4)] {
      let matrix = a.block(order, order)
      let moved = samples.block(order, 0..<40)
      let ordered = CompressionMetric.data(try DataMetric(samples: moved))
      let spectra = try BlockSpectra(
        matrix, partition: .ordered(rows: 96, columns: 96, leaf: 12), metric: ordered)
      for tolerance in [1e-1, 1e-3, 1e-6, 1e-9] {
        let h = try spectra.compressed(
          CompressionOptions(.relative(tolerance), share: share))
        let error = Self.output(Self.difference(matrix, h.expanded()), moved)
        #expect(error <= h.certificate + 1e-13 * spectra.norm)
        if share != .local { #expect(h.certificate <= tolerance * spectra.norm) }
        #expect(try HierarchicalMatrix(HierarchicalDescription(h)) == h)
        try h.verify(against: matrix, metric: ordered)
      }
    }
    // The order of the trees is followed by the data.
    let recovered = try BlockSpectra.recovering(
      TestMatrices.shuffled(a, seed: 8), leaf: 12, for: CompressionOptions(.relative(1e-6)),
      metric: metric)
    try recovered.compressed(CompressionOptions(.relative(1e-6), share: share))
      .verify(against: TestMatrices.shuffled(a, seed: 8), metric: metric)
  }

  @Test func faultyDataAreRefused() throws {
    var bad = TestMatrices.normal(4, 4, seed: 1)
    bad[1, 1] = .nan
    let faulty = bad
    #expect(throws: HierarchicalMatrixError.self) { try DataMetric(samples: faulty) }
    #expect(throws: HierarchicalMatrixError.self) {
      try DataMetric(samples: DenseMatrix(rows: 3, columns: 0))
    }
    #expect(throws: HierarchicalMatrixError.self) {
      try DataMetric(secondMoments: DenseMatrix(rows: 3, columns: 2))
    }
    let indefinite = TestMatrices.matrix(2, 2) { $0 == $1 ? 1 - 2 * Double($0) : 0 }
    #expect(throws: HierarchicalMatrixError.self) { try DataMetric(secondMoments: indefinite) }
    let metric = CompressionMetric.data(try DataMetric(samples: TestMatrices.normal(5, 3, seed: 1)))
    #expect(throws: HierarchicalMatrixError.self) {
      try BlockSpectra(
        DenseMatrix(rows: 4, columns: 4), partition: .ordered(rows: 4, columns: 4), metric: metric)
    }
    let h = try HierarchicalMatrix(
      compressing: TestMatrices.normal(5, 5, seed: 2), partition: .whole(rows: 5, columns: 5),
      CompressionOptions(.numbers(10)), metric: metric)
    #expect(throws: HierarchicalMatrixError.self) {
      try h.truncated(CompressionOptions(.numbers(5)))
    }
  }

  /// Fields and solutions of radiative transfer, 320 × count each.
  private static func fields(_ range: Range<Int>) throws -> (
    inputs: DenseMatrix, outputs: DenseMatrix
  ) {
    var problem = try RadiativeTransfer1D()
    let count = 320
    var (inputs, outputs) = ([Double](), [Double]())
    for index in range {
      var input = [Double](repeating: 0, count: count)
      var output = input
      var parameters = [Double](repeating: 0, count: problem.parameterCount)
      var inputSpan = input.mutableSpan
      var parameterSpan = parameters.mutableSpan
      problem.sample(seed: 1, index: index, input: &inputSpan, parameters: &parameterSpan)
      var outputSpan = output.mutableSpan
      try problem.solve(input: inputSpan.span, output: &outputSpan)
      inputs += input
      outputs += output
    }
    return (
      DenseMatrix(rows: count, columns: range.count, elements: inputs),
      DenseMatrix(rows: count, columns: range.count, elements: outputs)
    )
  }

  /// The mean relative error of outputs W (x − x̄) + ȳ.
  private static func error(
    _ matrix: DenseMatrix, _ inputs: DenseMatrix, _ outputs: DenseMatrix, mean: [Double]
  ) -> Double {
    let found = matrix.times(inputs)
    var sum = 0.0
    for sample in 0..<outputs.columns {
      var (difference, size) = (0.0, 0.0)
      for row in 0..<320 {
        let value = outputs[row, sample]
        difference += pow(found[row, sample] + mean[row] - value, 2)
        size += value * value
      }
      sum += (difference / size).squareRoot()
    }
    return sum / Double(outputs.columns)
  }

  /// A dense layer as training from random weights leaves it: a regression, and the start where no data go.
  ///
  /// In the metric of the data 6 % of the numbers are enough, whereas truncation of the entries keeps the start.
  @Test func trainedLayersKeepLittleInTheMetricOfTheirData() throws {
    var (inputs, outputs) = try Self.fields(0..<300)
    var (testInputs, testOutputs) = try Self.fields(300..<400)
    var mean = [Double](repeating: 0, count: 320)
    for row in 0..<320 {
      let inputMean = (0..<300).reduce(0) { $0 + inputs[row, $1] } / 300
      mean[row] = (0..<300).reduce(0) { $0 + outputs[row, $1] } / 300
      for sample in 0..<300 { inputs[row, sample] -= inputMean }
      for sample in 0..<100 { testInputs[row, sample] -= inputMean }
    }
    // W = (Y − ȳ) Xᵀ (X Xᵀ + λ)⁻¹ = Y V diag(σ/(σ² + λ)) Uᵀ, and normal numbers beside the leading 31 directions.
    let factors = try inputs.singularValueDecomposition()
    let centred = TestMatrices.matrix(320, 300) { outputs[$0, $1] - mean[$0] }
    let lambda = pow(factors.values[0] * 1e-2, 2)
    let scales = factors.values.map { $0 / ($0 * $0 + lambda) }
    let coefficients = centred.times(factors.rightTransposed, transposesRight: true)
    let regression = TestMatrices.matrix(320, 300) { coefficients[$0, $1] * scales[$1] }
      .times(factors.left, transposesRight: true)
    let start = TestMatrices.normal(320, 320, seed: 9)
    let used = factors.left.block(0..<320, 0..<31)
    let inside = start.times(used).times(used, transposesRight: true)
    let layer = TestMatrices.matrix(320, 320) {
      regression[$0, $1] + (start[$0, $1] - inside[$0, $1]) / Double(320).squareRoot()
    }
    testOutputs = TestMatrices.matrix(320, 100) { testOutputs[$0, $1] }
    let dense = Self.error(layer, testInputs, testOutputs, mean: mean)
    let options = CompressionOptions(.numbers(10 * 640))
    let whole = try MatrixPartition.whole(rows: 320, columns: 320)
    let data = try HierarchicalMatrix(
      compressing: layer, partition: whole, options,
      metric: .data(try DataMetric(samples: inputs)))
    let entries = try HierarchicalMatrix(compressing: layer, partition: whole, options)
    #expect(data.storage.largestRank == 10 && data.ratio < 0.08)
    let found = Self.error(data.expanded(), testInputs, testOutputs, mean: mean)
    #expect(found <= 1.05 * dense, "\(found) for \(dense)")
    let plain = Self.error(entries.expanded(), testInputs, testOutputs, mean: mean)
    #expect(plain > 3 * dense, "\(plain) for \(dense)")
  }
}
