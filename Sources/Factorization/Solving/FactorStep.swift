import ClusterTrees

/// Numbers of all values in products and solutions with a factor: those of leaves, and the coefficients of boxes.
struct FactorValues {
  private let leaves: Int
  /// The number of boxes on the levels before each level.
  private let starts: [Int]
  private let boxes: Int

  init(_ tree: ClusterTree) {
    leaves = tree.boxCount(level: tree.levels)
    let starts = (0...tree.levels).reduce(into: [0]) {
      $0.append($0[$1] + tree.boxCount(level: $1))
    }
    (self.starts, boxes) = (starts, starts[tree.levels + 1])
  }

  /// The number of values.
  var count: Int { 2 * leaves + 2 * boxes }

  /// The unknowns of a leaf.
  func unknowns(_ leaf: Int) -> Int { leaf }

  /// The sum for a leaf.
  func sum(_ leaf: Int) -> Int { leaves + leaf }

  /// The coefficients Vᵀ x of a box.
  func up(_ level: Int, _ box: Int) -> Int { 2 * leaves + starts[level] + box }

  /// What a box gets from those that it sees.
  func down(_ level: Int, _ box: Int) -> Int { 2 * leaves + boxes + starts[level] + box }

  /// The level of a box that gets something; nil for other values.
  func level(ofDown value: Int) -> Int? {
    let box = value - 2 * leaves - boxes
    return box < 0 ? nil : starts.lastIndex { $0 <= box }
  }
}

/// A value as a sum of products: y = y₀ + Σ B x.
struct FactorStep {
  /// One product.
  struct Term {
    /// The matrix.
    let weights: Weights
    /// The number of the value x.
    let source: Int
    /// The numbers in x.
    let size: Int
  }

  /// A matrix.
  enum Weights {
    /// A block of the parameters: its first number, and the distance between outputs.
    case block(first: Int, stride: Int, isNegated: Bool)
    /// The inverse of the diagonal block of the leaf.
    case inverse
  }

  /// The number of the value y.
  var target = 0
  /// The numbers in y.
  var size = 0
  /// The number of the value y₀; nil for zero.
  var initial: Int?
  /// The products, in the order of their sum.
  var terms: [Term] = []
}
