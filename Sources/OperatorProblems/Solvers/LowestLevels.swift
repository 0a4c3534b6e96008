internal import BlockKernels
import SpecialFunctions

/// Some lowest levels of a Hamiltonian.
struct LevelSet {
  /// The number of levels.
  let wanted: Int
  /// The eigenvalues, ascending, less the middle of the potential.
  let values: AlignedBuffer<Double>
  /// The eigenvectors of norm 1, one after the other.
  let vectors: AlignedBuffer<Double>
  /// The extensions of the space that it took.
  let steps: Int
}

/// The lowest eigenvalues of a Hamiltonian and their eigenvectors, by the block method of Davidson.
///
/// See Davidson, Journal of Computational Physics 17, 1975. The space grows by the residuals of the
/// wanted vectors, smoothed by (-½Δ + s)⁻¹; H is diagonalized in it by LAPACK; a full space is replaced
/// by the block of its lowest vectors. The block starts from fixed random numbers and has a few vectors
/// more than are wanted, so that no level is missed. Copies share their memory.
struct LowestLevels {
  /// The number of points.
  let count: Int
  /// The number of wanted levels.
  let wanted: Int
  /// The number of vectors of a block.
  let block: Int
  /// The largest dimension of the space.
  let capacity: Int
  /// The orthonormal basis and its product with H, column after column.
  let basis: AlignedBuffer<Double>
  let images: AlignedBuffer<Double>
  /// The block of lowest vectors and its product with H.
  private let lowest: AlignedBuffer<Double>
  private let lowestImages: AlignedBuffer<Double>
  /// The matrix of H in the basis, of which LAPACK destroys a copy.
  let matrix: AlignedBuffer<Double>
  private let copy: AlignedBuffer<Double>
  let products: AlignedBuffer<Double>
  private let small: SymmetricEigenvalues
  private let residual: AlignedBuffer<Double>
  /// The random numbers of the start.
  private let noise: AlignedBuffer<Double>

  /// The vectors beyond the wanted ones.
  static var guards: Int { 3 }

  /// The largest number of extensions of the space.
  static var steps: Int { 400 }

  /// Allocates all memory.
  ///
  /// - Parameters:
  ///   - count: The number of points.
  ///   - wanted: The number of wanted levels; a block of them and the guards must fit.
  init(count: Int, wanted: Int) {
    self.count = count
    self.wanted = wanted
    let block = wanted + Self.guards
    precondition(3 * block <= count, "\(block) vectors of \(count) points")
    let capacity = min(count, 6 * block)
    self.block = block
    self.capacity = capacity
    basis = AlignedBuffer(repeating: 0, count: count * capacity)
    images = AlignedBuffer(repeating: 0, count: count * capacity)
    lowest = AlignedBuffer(repeating: 0, count: count * block)
    lowestImages = AlignedBuffer(repeating: 0, count: count * block)
    matrix = AlignedBuffer(repeating: 0, count: capacity * capacity)
    copy = AlignedBuffer(repeating: 0, count: capacity * capacity)
    products = AlignedBuffer(repeating: 0, count: capacity * block)
    small = SymmetricEigenvalues(capacity: capacity, count: block)
    residual = AlignedBuffer(repeating: 0, count: count)
    noise = AlignedBuffer(repeating: 0, count: count * block)
    Self.fill(noise, columns: block)
  }

  /// Draws random numbers; a column depends on its number only.
  private static func fill(_ noise: AlignedBuffer<Double>, columns: Int) {
    let count = noise.count / columns
    var values = noise.mutableSpan
    for j in 0..<columns {
      var random = RandomStream(seed: 0, purpose: 0x4C45_5645, index: UInt64(j))
      for i in 0..<count { values[j * count + i] = random.uniform(in: -1...1) }
    }
  }

  /// Finds the lowest levels.
  ///
  /// - Parameters:
  ///   - hamiltonian: H.
  ///   - bound: Gives the largest accepted norm of a residual, from the eigenvalues.
  /// - Returns: The levels, in memory that the next call overwrites, or nil if the method does not converge.
  /// - Throws: `LAPACKError` if LAPACK fails.
  func find(
    of hamiltonian: borrowing SpectralHamiltonian, bound: (Span<Double>) -> Double
  ) throws(LAPACKError) -> LevelSet? {
    var size = 0
    for j in 0..<block {
      var target = basis.mutableSpan(of: j * count..<(j + 1) * count)
      hamiltonian.start(from: noise.span.extracting(j * count..<(j + 1) * count), into: &target)
    }
    extend(&size, by: block, hamiltonian)
    for step in 0..<Self.steps {
      try rotate(size)
      let bound = bound(small.values.span)
      let full = size + wanted > capacity
      if full { restart(&size) }
      let added = appendResiduals(size, bound, hamiltonian)
      if added == 0 {
        return LevelSet(
          wanted: wanted, values: small.values, vectors: lowest, steps: step)
      }
      extend(&size, by: added, hamiltonian)
    }
    return nil
  }

  /// Diagonalizes H in the space and forms the lowest vectors and their products with H.
  private func rotate(_ size: Int) throws(LAPACKError) {
    var copy = copy.mutableSpan
    let matrix = matrix.span
    for j in 0..<size {
      for i in j..<size { copy[j * capacity + i] = matrix[j * capacity + i] }
    }
    try small.find(of: &copy, order: size, leading: capacity, wanted: min(block, size))
    combine(basis, into: lowest, size)
    combine(images, into: lowestImages, size)
  }

  private func combine(
    _ vectors: AlignedBuffer<Double>, into target: AlignedBuffer<Double>, _ size: Int
  ) {
    var target = target.mutableSpan
    BLAS.multiply(
      vectors.span, transposed: false, small.vectors.span, ldb: size, into: &target, ldc: count,
      m: count, n: min(block, size), k: size)
  }

  /// Replaces the space by the block of lowest vectors.
  private func restart(_ size: inout Int) {
    size = block
    basis.copy(from: lowest, at: 0, to: 0..<count * block)
    images.copy(from: lowestImages, at: 0, to: 0..<count * block)
    var matrix = matrix.mutableSpan
    for j in 0..<block {
      for i in j..<block { matrix[j * capacity + i] = i == j ? small.values[j] : 0 }
    }
  }

  /// Appends the smoothed residuals that are too large to the basis.
  ///
  /// - Returns: Their number.
  private func appendResiduals(
    _ size: Int, _ bound: Double, _ hamiltonian: borrowing SpectralHamiltonian
  ) -> Int {
    var added = 0
    let (lowest, images, values) = (lowest.span, lowestImages.span, small.values.span)
    var residual = residual.mutableSpan
    for j in 0..<wanted {
      for i in 0..<count {
        residual[i] = images[j * count + i] - values[j] * lowest[j * count + i]
      }
      guard VectorSums.norm(residual.span) > bound else { continue }
      let start = (size + added) * count
      var target = basis.mutableSpan(of: start..<start + count)
      hamiltonian.smooth(
        residual.span, shift: hamiltonian.shift(for: values[j]), into: &target)
      added += 1
    }
    return added
  }
}
