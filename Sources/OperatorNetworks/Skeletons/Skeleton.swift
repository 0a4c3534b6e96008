public import ClusterTrees

/// How many channels each box of an H²-matrix needs: the ranks of its nested bases.
///
/// Sizes only (FMM-NET: the sizes of the network are those of an H²-matrix). Ranks of the sources are
/// those of block columns, ranks of the receivers those of block rows; a box with no far box at or above it
/// needs no basis and has rank 0, any other one has at least 1.
public struct Skeleton: Sendable, Equatable, Codable {
  /// The ranks of the source boxes, `[level][box]`.
  public let sources: [[Int]]
  /// The ranks of the receiver boxes, `[level][box]`.
  public let receivers: [[Int]]

  /// The tolerance that is taken if none is given.
  public static let usualTolerance = 1e-3

  /// Creates a skeleton from ranks.
  ///
  /// - Parameters:
  ///   - sources: The ranks of the source boxes, `[level][box]`.
  ///   - receivers: The ranks of the receiver boxes, `[level][box]`.
  public init(sources: [[Int]], receivers: [[Int]]) {
    self.sources = sources
    self.receivers = receivers
  }

  /// Computes the ranks for a kernel.
  ///
  /// - Parameters:
  ///   - kernel: The kernel.
  ///   - tolerance: Singular values up to this multiple of the largest of a block row or column are left out.
  ///   - limit: The most channels of a box; no limit if nil.
  ///   - sources: The tree of the sources.
  ///   - receivers: The tree of the receivers; may be the same.
  ///   - lists: Which boxes are far from each other.
  /// - Throws: `LAPACKError` if a factorization fails.
  /// - Complexity: O(boxes) factorizations of matrices whose sizes depend on leaf, tolerance and
  ///   dimension only.
  init(
    _ kernel: SkeletonKernel, tolerance: Double, limit: Int?, sources: ClusterTree,
    receivers: ClusterTree, _ lists: InteractionLists
  ) throws {
    var rows = BasisSweep(
      boxes: receivers, others: sources, far: lists.far, kernel: kernel, tolerance: tolerance,
      limit: limit)
    self.receivers = try rows.run()
    if sources == receivers && lists.far.allSatisfy(\.isSymmetric) {
      // All kernels are symmetric.
      self.sources = self.receivers
      return
    }
    var columns = BasisSweep(
      boxes: sources, others: receivers,
      far: lists.far.indices.map {
        lists.far[$0].transposed(sourceCount: sources.boxCount(level: $0))
      },
      kernel: kernel, tolerance: tolerance, limit: limit)
    self.sources = try columns.run()
  }

  /// Refuses ranks that do not belong to given trees and lists.
  func check(
    sources: ClusterTree, receivers: ClusterTree, _ lists: InteractionLists
  ) throws(NetworkError) {
    let columns = lists.far.indices.map {
      lists.far[$0].transposed(sourceCount: sources.boxCount(level: $0))
    }
    for (ranks, tree, far) in [
      (self.sources, sources, columns), (self.receivers, receivers, lists.far),
    ] {
      let fits =
        ranks.count == tree.levels + 1
        && ranks.indices.allSatisfy { level in
          ranks[level].count == tree.boxCount(level: level)
            && ranks[level].indices.allSatisfy { box in
              let isFar =
                !far[level].sources(of: box).isEmpty
                || (level > 0 && ranks[level - 1][tree.parent(level: level, box: box)] > 0)
              return isFar ? ranks[level][box] > 0 : ranks[level][box] == 0
            }
        }
      guard fits else {
        throw NetworkError("the ranks of the skeleton do not belong to these points and options")
      }
    }
  }
}

extension BoxLists {
  /// Returns for each source the targets that see it, in ascending order.
  func transposed(sourceCount: Int) -> BoxLists {
    var offsets = [Int](repeating: 0, count: sourceCount + 1)
    for source in indices { offsets[Int(source) + 1] += 1 }
    for source in 0..<sourceCount { offsets[source + 1] += offsets[source] }
    var (next, turned) = (offsets, [Int32](repeating: 0, count: indices.count))
    for target in 0..<targetCount {
      for source in sources(of: target) {
        turned[next[Int(source)]] = Int32(target)
        next[Int(source)] += 1
      }
    }
    return BoxLists(offsets: offsets, indices: turned)
  }

  /// Whether each target is seen by its sources.
  var isSymmetric: Bool { self == transposed(sourceCount: targetCount) }
}

extension NetworkOptions {
  /// Refuses options of a skeleton that mean nothing.
  func checkSkeleton() throws(NetworkError) {
    guard skeleton != nil else {
      guard tolerance == nil && rankLimit == nil else {
        throw NetworkError(
          "`\(tolerance == nil ? "rankLimit" : "tolerance")` needs the kernel of a skeleton, such as "
            + "`skeleton` inverse-distance")
      }
      return
    }
    guard model == .h2nn else {
      throw NetworkError(
        "`skeleton` needs `model` h2nn: boxes of \(model.rawValue) have `channels`")
    }
    if let tolerance, !(tolerance > 0 && tolerance < 1) {
      throw NetworkError("`tolerance` \(tolerance): needed is a number between 0 and 1")
    }
    if let rankLimit, rankLimit < 1 {
      throw NetworkError("`rankLimit` \(rankLimit): at least 1 is needed")
    }
  }
}

extension Network {
  /// Computes the skeleton that the options ask for.
  ///
  /// - Parameters:
  ///   - options: What to build.
  ///   - sources: The points of the input.
  ///   - receivers: The points of the output; those of the input if nil.
  /// - Returns: The skeleton; nil if the options ask for none.
  /// - Throws: ``NetworkError`` if the model does not fit the points.
  public static func skeleton(
    _ options: NetworkOptions, sources: PointSet, receivers: PointSet? = nil
  ) throws(NetworkError) -> Skeleton? {
    guard options.skeleton != nil else { return nil }
    return try build(options, sources: sources, receivers: receivers).skeleton
  }
}
