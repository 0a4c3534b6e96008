public import BlockKernels

/// All ways to store one matrix, for one error or size.
public struct MethodComparison: Sendable {
  /// One way.
  public struct Entry: Sendable {
    /// The method.
    public let method: CompressionMethod
    /// The compressed matrix.
    public let matrix: any CompressedMatrix
    /// Whether it has the error, or the size, that was asked for.
    public let isAdmissible: Bool
  }

  /// The ways that there are, in the order of ``CompressionMethod``.
  public let entries: [Entry]
  /// The admissible way of the fewest bytes for an error, of the least error for a size; nil if there is none.
  public let best: Entry?

  /// Compresses a matrix in all ways.
  ///
  /// Left out are single precision where an element is too large for it, pruning to an error of outputs, and the
  /// difference without a base.
  ///
  /// - Parameters:
  ///   - matrix: The matrix.
  ///   - spectra: Its blocks, in the order and the metric that count.
  ///   - options: The error or size; the rule and the share are those of the method `h`.
  ///   - base: The matrix that a seed gives.
  /// - Throws: ``HierarchicalMatrixError`` if the input cannot be used.
  public init(
    _ matrix: DenseMatrix, spectra: BlockSpectra, options: CompressionOptions,
    base: DenseMatrix? = nil
  ) throws(HierarchicalMatrixError) {
    try options.validate()
    try matrix.checkRange("the matrix")
    let norm = try spectra.metric.norm(of: matrix)
    let bound: Double? =
      switch options.target {
      case .absolute(let bound): bound
      case .relative(let bound): bound * norm
      case .numbers, .bytes: nil
      }
    var entries: [Entry] = []
    for method in CompressionMethod.allCases {
      guard
        let result = try Self.compress(
          matrix, method, spectra: spectra, options: options, bound: bound, base: base)
      else { continue }
      let isAdmissible =
        switch options.target {
        case .absolute, .relative: result.certificate <= bound ?? 0
        case .numbers(let count): result.numbers <= count
        case .bytes(let count): result.bytes <= count
        }
      entries.append(Entry(method: method, matrix: result, isAdmissible: isAdmissible))
    }
    self.entries = entries
    best = entries.filter(\.isAdmissible).min { first, second in
      let (a, b) = (first.matrix, second.matrix)
      let (sizes, errors) = ((a.bytes, b.bytes), (a.certificate, b.certificate))
      if bound == nil { return errors.0 != errors.1 ? errors.0 < errors.1 : sizes.0 < sizes.1 }
      return sizes.0 != sizes.1 ? sizes.0 < sizes.1 : errors.0 < errors.1
    }
  }

  private static func compress(
    _ matrix: DenseMatrix, _ method: CompressionMethod, spectra: BlockSpectra,
    options: CompressionOptions, bound: Double?, base: DenseMatrix?
  ) throws(HierarchicalMatrixError) -> (any CompressedMatrix)? {
    let metric = spectra.metric
    let whole = try MatrixPartition.whole(rows: matrix.rows, columns: matrix.columns)
    let target = bound.map { CompressionTarget.absolute($0) } ?? options.target
    switch method {
    case .h: return try spectra.compressed(options)
    case .svd:
      return try HierarchicalMatrix(
        compressing: matrix, partition: whole, CompressionOptions(target), metric: metric)
    case .prune:
      guard bound == nil || metric.kind == .entries else { return nil }
      return try PrunedMatrix(matrix, target, metric: metric)
    case .int16: return try QuantizedMatrix(matrix, .int16, metric: metric)
    case .int8: return try QuantizedMatrix(matrix, .int8, metric: metric)
    case .float32:
      let largest = Double(Float.greatestFiniteMagnitude)
      guard matrix.elements.allSatisfy({ abs($0) <= largest }) else { return nil }
      return try SinglePrecisionMatrix(matrix, metric: metric)
    case .delta:
      guard let base else { return nil }
      var target = target
      if case .bytes(let bytes) = target { target = .bytes(max(0, bytes - 8)) }
      return try DeltaMatrix(matrix, base: base, metric: metric) {
        (difference) throws(HierarchicalMatrixError) in
        try HierarchicalMatrix(
          compressing: difference, partition: whole, CompressionOptions(target), metric: metric)
      }
    }
  }
}
