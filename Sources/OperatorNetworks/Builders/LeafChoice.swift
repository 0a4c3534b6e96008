public import ClusterTrees
import Foundation

/// The choice of the tree over a uniform grid where neither leaf nor levels are given.
///
/// There is one number of levels L for all dimensions, since a box is a cell of the unit cube: leaves have N/2^L
/// points in a dimension of N, rounded down or up.
///
/// - A grid of 5·2^L points in each dimension has leaves of 5, the papers' number.
/// - Else leaves have 4 to 8 points in each dimension, if there is such an L: of two the one with leaves closer to 5.
/// - Else, on grids with many more points in one dimension than in another, the leaf with closest to 6 points in
///   the geometric mean, of equal ones the larger.
///
/// Where weights are shared by offset leaves must be equal, so only divisors of the grid are looked at. The bases of
/// `gfmm` have no more vectors than a leaf has points, so only leaves with r of them or more are.
struct LeafChoice {
  /// The papers' points of a leaf in each dimension.
  static let usualLeaf = 5
  /// The points that a leaf should have in each dimension.
  static let usualSides = 4...8
  /// The most points of a leaf in a dimension: with more of them the near field is all but dense.
  static let mostPoints = 64

  let shape: [Int]
  let options: NetworkOptions

  /// The fewest levels of a tree of the model; a single leaf has no weights to share.
  private var fewestLevels: Int {
    switch options.model {
    case .h2nn: 0
    case .gfmm: options.needsEqualLeaves ? 1 : 0
    case .mnnH2, .mnnH, .conv, .dense: 2
    }
  }
  /// The fewest points of a leaf.
  private var fewestPoints: Int { options.model == .gfmm ? options.channels : 1 }
  /// The most points of a leaf in a dimension.
  private var mostPoints: Int { max(Self.mostPoints, 2 * fewestPoints) }

  /// Chooses.
  ///
  /// - Returns: The leaf if all leaves have as many points in each dimension, else the levels.
  /// - Throws: ``NetworkError`` if no leaf of a reasonable size fits.
  func chosen() throws(NetworkError) -> (leaf: Int?, levels: Int?) {
    let least = shape.min() ?? 1
    guard least >= 2 << fewestLevels || fewestLevels == 0 else {
      throw NetworkError(
        "a grid of \(name) points is too small for `model` \(model): for leaves of at least 2 points on level "
          + "\(fewestLevels) it needs \(2 << fewestLevels) in each dimension; use h2nn or dense\(hint)"
      )
    }
    let deepest = Int.bitWidth - 1 - least.leadingZeroBitCount
    let large = (fewestLevels...deepest).filter { level in
      shape.reduce(1) { $0 * ($1 >> level) } >= fewestPoints
    }
    guard !large.isEmpty else {
      throw NetworkError(
        "`channels` \(options.channels): a grid of \(name) points has no leaf with as many points; use fewer"
      )
    }
    let candidates = large.filter { level in
      !options.needsEqualLeaves || shape.allSatisfy { $0.isMultiple(of: 1 << level) }
    }
    let fitting = candidates.filter { level in
      shape.allSatisfy { size in
        Self.usualSides.contains(size >> level)
          && Self.usualSides.contains((size + (1 << level) - 1) >> level)
      }
    }
    let middle = fitting.isEmpty ? 4 * 2.0.squareRoot() : Double(Self.usualLeaf)
    let best = (fitting.isEmpty ? candidates : fitting).min {
      distance($0, from: middle) < distance($1, from: middle)
    }
    guard let best else { throw unequal() }
    let most = shape.map { ($0 + (1 << best) - 1) >> best }.max() ?? 1
    guard most <= mostPoints else {
      if options.needsEqualLeaves { throw unequal() }
      throw NetworkError(
        "a grid of \(name) points has no leaves that are small in each dimension: on level \(best) they have "
          + "up to \(most) points in one of them, with which the near field is all but dense; give "
          + "`levels`, 0 to \(deepest), by hand, or use `model` dense or conv\(hint)")
    }
    let sides = Set(shape.map { $0 >> best })
    guard let leaf = sides.first, sides.count == 1, shape.allSatisfy({ $0 == leaf << best }) else {
      return (nil, best)
    }
    return (leaf, nil)
  }

  /// How far the geometric mean of the sides of a leaf is from a number, in factors of two.
  private func distance(_ level: Int, from middle: Double) -> Double {
    let sum = shape.reduce(0.0) { $0 + log2(Double($1)) - Double(level) - log2(middle) }
    return abs(sum) / Double(shape.count)
  }

  /// Says that shared weights have no leaf.
  private func unequal() -> NetworkError {
    let levels = shape.map { $0.trailingZeroBitCount }.min() ?? 0
    let sides = shape.map { "\($0 >> levels)" }.joined(separator: "x")
    let byHand =
      levels < fewestLevels
      ? "; no `leaf` or `levels` divides it into \(fewestLevels) levels or more"
      : ", or give `leaf` or `levels` that divide the grid (leaves of \(sides) points on level \(levels))"
    return NetworkError(
      "`sharing` \(options.sharing.rawValue) needs equal leaves, and a grid of \(name) points has none of at most "
        + "\(mostPoints) points in each dimension: use `sharing` own\(byHand)\(hint)")
  }

  private var name: String { shape.map { "\($0)" }.joined(separator: "x") }
  private var model: String { options.model.rawValue }

  /// What else may be the matter.
  private var hint: String {
    "; if these are data whose last dimension is that of the samples, give `samplesLast`"
  }
}

extension NetworkOptions {
  /// Whether all leaves must have as many points: those of one offset share a block of weights.
  ///
  /// Smaller leaves are not filled up with zeros. The block of an offset would act on points that lie elsewhere
  /// in a leaf of 6 than in one of 5, so that weights would no longer be shared by distance, which is what sharing
  /// is for; and its rows and columns at the last point would be trained by some of the leaves only.
  var needsEqualLeaves: Bool {
    (model == .mnnH2 || model == .mnnH || model == .gfmm) && sharing != .own
  }

  /// Returns the options with the leaf or the levels that are taken for given points, if neither is given.
  ///
  /// What is given is kept, so that settled options stay as they are.
  ///
  /// - Parameters:
  ///   - sources: The points of the input.
  ///   - receivers: The points of the output; those of the input if nil.
  /// - Returns: The options with `leaf` or `levels`.
  /// - Throws: ``NetworkError`` if the grid has no leaves of a reasonable size.
  public func settled(
    sources: PointSet, receivers: PointSet? = nil
  ) throws(NetworkError) -> NetworkOptions {
    guard leaf == nil, levels == nil else { return self }
    var options = self
    guard let shape = sources.gridShape, receivers == nil || receivers == sources,
      model != .conv, model != .dense
    else {
      options.leaf = LeafChoice.usualLeaf
      return options
    }
    (options.leaf, options.levels) = try LeafChoice(shape: shape, options: self).chosen()
    return options
  }

  /// Describes the leaves in words of the command line.
  ///
  /// - Parameters:
  ///   - sources: The points of the input.
  ///   - receivers: The points of the output; those of the input if nil.
  /// - Returns: A text such as `leaf 5`, or `levels 4, leaves of 6…7 points (chosen from the grid)`; nil for a model
  ///   without leaves.
  /// - Throws: ``NetworkError`` if the grid has no leaves of a reasonable size.
  public func leafDescription(
    sources: PointSet, receivers: PointSet? = nil
  ) throws(NetworkError) -> String? {
    guard model != .dense else { return nil }
    let options = try settled(sources: sources, receivers: receivers)
    guard model != .conv, let shape = sources.gridShape, receivers == nil || receivers == sources
    else { return options.levels.map { "levels \($0)" } ?? options.leaf.map { "leaf \($0)" } }
    let origin = leaf == nil && levels == nil ? " (chosen from the grid)" : ""
    guard let levels = options.levels else { return options.leaf.map { "leaf \($0)\(origin)" } }
    let sides = shape.map { size in
      let (least, most) = (size >> levels, (size + (1 << levels) - 1) >> levels)
      return least == most ? "\(least)" : "\(least)…\(most)"
    }
    return "levels \(levels), leaves of \(sides.joined(separator: " x ")) points\(origin)"
  }
}
