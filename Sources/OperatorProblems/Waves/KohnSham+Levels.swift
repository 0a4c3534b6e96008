internal import BlockKernels

extension KohnSham {
  /// Finds the lowest levels, by the block method or, where that does not serve, by a dense matrix.
  ///
  /// - Parameter wanted: Their number.
  /// - Returns: The levels.
  /// - Throws: ``ProblemError`` if LAPACK fails, or if the method does not converge and the matrix is large.
  func find(_ wanted: Int) throws(ProblemError) -> LevelSet {
    do throws(LAPACKError) {
      if let levels = try findByBlocks(wanted) { return levels }
      if pointCount <= Self.largestDenseOrder { return try findDirectly(wanted) }
    } catch {
      throw .solverFailed("\(error)")
    }
    throw .solverFailed("the block method does not converge to \(wanted) levels")
  }

  /// Finds the lowest levels by a dense matrix.
  ///
  /// - Parameter wanted: Their number.
  /// - Returns: The levels.
  /// - Throws: `LAPACKError` if LAPACK fails.
  func findDirectly(_ wanted: Int) throws(LAPACKError) -> LevelSet {
    let n = pointCount
    let eigen = SymmetricEigenvalues(capacity: n, count: wanted)
    let matrix = AlignedBuffer<Double>(repeating: 0, count: n * n)
    let unit = AlignedBuffer<Double>(repeating: 0, count: n)
    for j in 0..<n {
      unit[j] = 1
      var column = matrix.mutableSpan(of: j * n..<(j + 1) * n)
      hamiltonian.multiply(unit.span, into: &column)
      unit[j] = 0
    }
    var span = matrix.mutableSpan
    try eigen.find(of: &span, order: n, leading: n, wanted: wanted)
    return LevelSet(wanted: wanted, values: eigen.values, vectors: eigen.vectors, steps: 0)
  }

  /// The parameters of the sampled potentials.
  public var fieldAttributes: [(name: String, value: AttributeValue)] {
    let law = options.wells
    return [
      ("wells", .integer(law.wells)),
      ("a_range", .reals([law.amplitude.lowerBound, law.amplitude.upperBound])),
      ("sigma_range", .reals([law.widths.lowerBound, law.widths.upperBound])),
      ("centre_gap", .real(law.gap)),
      ("centres", .text("uniform in the cell if all pairs keep the gap periodically")),
      ("potential", .text("-sum a exp(-|x - c - j L|^2 / (2 sigma^2))")),
    ]
  }

  /// The parameters of the problem and the choices made where the papers are silent.
  public var attributes: [(name: String, value: AttributeValue)] {
    [
      ("equation", .text("(-Laplace / 2 + V) psi_i = eps_i psi_i, rho = sum_i |psi_i|^2")),
      ("grid", .text("nodes i L / N of [0, L]^\(dimension), i = 0 ... N - 1, periodic")),
      ("discretization", .text("Fourier pseudo-spectral, real wave functions")),
      ("normalization", .text("the sum of rho times the volume of a grid cell is electrons")),
      ("solver", .text("block Davidson, or LAPACK with a dense matrix where that is small")),
      ("residual_bound", .real(Self.residualBound)),
      ("residual_meaning", .text("|H psi - eps psi| / |H| for |psi| = 1")),
      (
        "degenerate_levels",
        .text("those within degeneracy |H| of level n_e share the electrons left for them equally")
      ),
      ("degeneracy", .real(Self.degeneracy)),
      ("length", .real(options.length)),
      ("electrons", .integer(options.electrons)),
    ]
  }

  /// Draws the potential of one sample.
  ///
  /// - Parameters:
  ///   - seed: The user's seed.
  ///   - index: The number of the sample.
  ///   - input: Becomes V.
  ///   - parameters: Becomes amplitudes, centres and width.
  /// - Precondition: `index >= 0`, and the spans have the right sizes.
  public mutating func sample(
    seed: Int64, index: Int, input: inout MutableSpan<Double>,
    parameters: inout MutableSpan<Double>
  ) {
    field.sample(seed: seed, index: index, field: &input, parameters: &parameters)
  }
}
