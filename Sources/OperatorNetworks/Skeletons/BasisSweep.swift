import BlockKernels
import ClusterTrees

/// Finds the ranks of nested bases, box by box from the leaves upward.
///
/// A leaf's basis is a choice of its points, that of a larger box a choice among those of its children: the
/// first pivots of a QR factorization with column pivoting of the kernel between them and sampled far points
/// (interpolative decomposition; as in h2tools by Mikhalev and Oseledets). The rank is that of the singular
/// values of the same matrix. Nothing is stored but the ranks and the points on the way up.
struct BasisSweep {
  /// The tree whose boxes get bases.
  let boxes: ClusterTree
  /// The tree of the points on the other side.
  let others: ClusterTree
  /// For each level: the boxes of the other tree that are far from each box.
  let far: [BoxLists]
  let kernel: SkeletonKernel
  let tolerance: Double
  let limit: Int?
  private var ranks: [[Int]] = []

  /// Points of the other tree, and how many points each of them stands for.
  private struct Samples {
    var points: [Int32] = []
    var weights: [Double] = []

    /// Takes every n-th sample such that at most some are left.
    func thinned(to most: Int) -> Samples {
      guard points.count > most else { return self }
      let places = (0..<most).map { (2 * $0 + 1) * points.count / (2 * most) }
      let factor = Double(points.count) / Double(most)
      return Samples(
        points: places.map { points[$0] }, weights: places.map { weights[$0] * factor })
    }
  }

  init(
    boxes: ClusterTree, others: ClusterTree, far: [BoxLists], kernel: SkeletonKernel,
    tolerance: Double, limit: Int?
  ) {
    self.boxes = boxes
    self.others = others
    self.far = far
    self.kernel = kernel
    self.tolerance = tolerance
    self.limit = limit
  }

  /// Computes the ranks, `[level][box]`.
  mutating func run() throws(LAPACKError) -> [[Int]] {
    ranks = (0...boxes.levels).map { [Int](repeating: 0, count: boxes.boxCount(level: $0)) }
    _ = try visit(level: 0, box: 0, above: Samples())
    return ranks
  }

  /// The points that are taken of a far box, and the most that represent all far boxes.
  private var samplesOfBox: Int { [16, 36, 64][boxes.points.dimension - 1] }
  private static let mostSamples = 2048

  /// Finds the rank of a box after those of its children; returns the points of its basis.
  private mutating func visit(
    level: Int, box: Int, above: Samples
  ) throws(LAPACKError) -> [Int32] {
    var samples = above
    for other in far[level].sources(of: box) {
      collect(level, Int(other), seenFrom: (level, box), into: &samples)
    }
    samples = samples.thinned(to: Self.mostSamples)
    var candidates: [Int32] = []
    if level == boxes.levels {
      candidates = Array(boxes.order[boxes.pointRange(level: level, box: box)])
    } else {
      for child in boxes.children(level: level, box: box) {
        candidates += try visit(level: level + 1, box: child, above: samples)
      }
    }
    guard !samples.points.isEmpty else { return [] }
    let chosen = try basis(candidates, samples.thinned(to: max(256, 8 * candidates.count)))
    ranks[level][box] = chosen.count
    return chosen
  }

  /// Adds points of a far box: few if its distance is at least its size, more if it is closer, all of a near leaf.
  private func collect(
    _ level: Int, _ other: Int, seenFrom box: (level: Int, box: Int), into samples: inout Samples
  ) {
    let range = others.pointRange(level: level, box: other)
    var squared = 0.0
    for axis in 0..<boxes.points.dimension {
      let difference =
        boxes.centre(level: box.level, box: box.box, axis: axis)
        - others.centre(level: level, box: other, axis: axis)
      squared += difference * difference
    }
    let extent = others.extent(level: level, box: other)
    let gap =
      squared.squareRoot() - (extent + boxes.extent(level: box.level, box: box.box)) / 2
    // A little less, since cells on both sides may differ in the last digit.
    let isSeparated = gap >= 0.99 * extent
    if level < others.levels && range.count > samplesOfBox && !isSeparated {
      for child in others.children(level: level, box: other) {
        collect(level + 1, child, seenFrom: box, into: &samples)
      }
      return
    }
    let count = isSeparated ? min(range.count, samplesOfBox) : range.count
    for place in 0..<count {
      let position = range.lowerBound + (2 * place + 1) * range.count / (2 * count)
      samples.points.append(others.order[position])
      samples.weights.append(Double(range.count) / Double(count))
    }
  }

  /// Chooses the points of a basis among candidates.
  private func basis(_ candidates: [Int32], _ samples: Samples) throws(LAPACKError) -> [Int32] {
    let dimension = boxes.points.dimension
    let (mine, theirs) = (boxes.points.coordinates, others.points.coordinates)
    var squares: [Double] = []
    squares.reserveCapacity(candidates.count * samples.points.count)
    var sums: [Double] = []
    for candidate in candidates {
      for point in samples.points {
        var (square, sum) = (0.0, 0.0)
        for axis in 0..<dimension {
          let (x, y) = (
            mine[Int(candidate) * dimension + axis], theirs[Int(point) * dimension + axis]
          )
          square += (x - y) * (x - y)
          sum += (x + y) * (x + y)
        }
        squares.append(square)
        if kernel == .customOperator { sums.append(sum) }
      }
    }
    kernel.evaluate(&squares, sums: sums)
    let roots = samples.weights.map { $0.squareRoot() }
    for place in squares.indices { squares[place] *= roots[place % roots.count] }
    let factors = try DenseMatrix(
      rows: roots.count, columns: candidates.count, elements: squares
    ).pivotedTriangle()
    let values = try factors.triangle.singularValues()
    let bound = tolerance * (values.first ?? 0)
    let rank = min(max(values.count { $0 > bound }, 1), limit ?? .max)
    return factors.pivots[..<rank].map { candidates[$0] }
  }
}
