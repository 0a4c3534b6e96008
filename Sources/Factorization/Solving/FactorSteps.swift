import BlockSparse
import ClusterTrees
import OperatorNetworks

/// The steps of solving with a factor or its transpose, or of multiplying by it, each value once.
///
/// The work goes leaf by leaf, in turns: in the order of the tree, or to solve with the transpose against it. All that
/// boxes get stands in the turn of their first leaf, their coefficients in that of their last one. So a value is a step
/// of one turn, and to whom the leaf belongs computes it. Coefficients that no box sees, and sums over nothing, are left
/// out.
struct FactorSteps {
  /// What is computed.
  enum Task {
    /// x = L⁻¹ b, in the place of b.
    case solution
    /// y = L x.
    case product
  }

  let blocks: FactorBlocks
  let task: Task
  let isTransposed: Bool
  let values: FactorValues
  private let tree: ClusterTree
  /// The slices, those that lead to coefficients and those that lead from them.
  private let diagonal: SliceBlocks?
  private let nearSlice: SliceBlocks?
  private let leaf: (up: SliceBlocks?, down: SliceBlocks?)
  private let levels: (up: [SliceBlocks?], down: [SliceBlocks?], across: [SliceBlocks?])
  private let near: BlockLists
  private let far: [BlockLists]
  /// By level and box: whether the coefficients are needed, and whether there is anything to get.
  private let isUsed: [[Bool]]
  private let isReached: [[Bool]]

  init(_ blocks: FactorBlocks, _ task: Task, isTransposed: Bool) {
    self.blocks = blocks
    self.task = task
    self.isTransposed = isTransposed
    let structure = blocks.structure
    tree = structure.tree
    values = FactorValues(tree)
    func places(_ slice: ParameterSlice?) -> SliceBlocks? { slice.map { SliceBlocks($0) } }
    diagonal = places(blocks.diagonal)
    nearSlice = places(blocks.near)
    let leaf = (places(blocks.leafRestriction), places(blocks.leafInterpolation))
    self.leaf = isTransposed ? (leaf.1, leaf.0) : leaf
    let levels = (blocks.restrictions.map(places), blocks.interpolations.map(places))
    let across = blocks.bridges.map(places)
    self.levels = isTransposed ? (levels.1, levels.0, across) : (levels.0, levels.1, across)
    near = BlockLists(structure.near, isTransposed: isTransposed)
    far = structure.far.map { BlockLists($0, isTransposed: isTransposed) }
    var used = far.map { [Bool](repeating: false, count: $0.targetCount) }
    var reached = used
    for level in (structure.coarsest ?? tree.levels + 1)..<tree.levels + 1 {
      for source in far[level].sources { used[level][Int(source)] = true }
      let isBelow = level > (structure.coarsest ?? level)
      for box in 0..<far[level].targetCount {
        if !far[level].places(of: box).isEmpty { reached[level][box] = true }
        guard isBelow else { continue }
        if used[level - 1][box / tree.arity] { used[level][box] = true }
        if reached[level - 1][box / tree.arity] { reached[level][box] = true }
      }
    }
    (isUsed, isReached) = (used, reached)
  }

  private var coarsest: Int? { blocks.structure.coarsest }
  private func channels(_ level: Int) -> Int { blocks.structure.channels[level] }
  private func size(_ leaf: Int) -> Int { tree.pointRange(level: tree.levels, box: leaf).count }

  /// Visits the steps of some leaves, sources before targets.
  ///
  /// - Parameters:
  ///   - leaves: The leaves.
  ///   - body: Receives the leaf in whose turn a step stands, and the step.
  /// - Throws: What the body throws.
  func visit<Failure: Error>(
    _ leaves: Range<Int>, _ body: (_ leaf: Int, _ step: FactorStep) throws(Failure) -> Void
  ) throws(Failure) {
    var step = FactorStep()
    switch task {
    case .solution:
      for place in 0..<leaves.count {
        let leaf = isTransposed ? leaves.upperBound - 1 - place : leaves.lowerBound + place
        try enter(leaf, &step, body)
        begin(&step, values.sum(leaf), size(leaf))
        step.initial = values.unknowns(leaf)
        addNeighbours(leaf, &step, isNegated: true)
        try body(leaf, step)
        begin(&step, values.unknowns(leaf), size(leaf))
        step.terms.append(
          FactorStep.Term(weights: .inverse, source: values.sum(leaf), size: size(leaf)))
        try body(leaf, step)
        try leave(leaf, &step, body)
      }
    case .product:
      for leaf in leaves { try leave(leaf, &step, body) }
      for leaf in leaves {
        try enter(leaf, &step, body)
        begin(&step, values.sum(leaf), size(leaf))
        add(diagonal, leaf, 0, from: values.unknowns(leaf), size(leaf), to: &step)
        addNeighbours(leaf, &step, isNegated: false)
        try body(leaf, step)
      }
    }
  }

  private func begin(_ step: inout FactorStep, _ target: Int, _ size: Int) {
    step.target = target
    step.size = size
    step.initial = nil
    step.terms.removeAll(keepingCapacity: true)
  }

  private func add(
    _ slice: SliceBlocks?, _ row: Int, _ entry: Int, from source: Int, _ size: Int,
    isNegated: Bool = false, to step: inout FactorStep
  ) {
    guard let slice else { return }
    let (first, stride) = slice.place(row, entry)
    step.terms.append(
      FactorStep.Term(
        weights: .block(first: first, stride: stride, isNegated: isNegated), source: source,
        size: size))
  }

  /// What a leaf gets from bases and from its neighbours.
  private func addNeighbours(_ leaf: Int, _ step: inout FactorStep, isNegated: Bool) {
    if coarsest != nil, isReached[tree.levels][leaf] {
      add(
        self.leaf.down, leaf, 0,
        from: values.down(tree.levels, leaf), channels(tree.levels), isNegated: isNegated, to: &step
      )
    }
    for place in near.places(of: leaf) {
      let source = Int(near.sources[place])
      add(
        nearSlice, Int(near.rows[place]), Int(near.entries[place]),
        from: values.unknowns(source), size(source), isNegated: isNegated, to: &step)
    }
  }

  /// Whether a leaf is the first one of a box, or the last one, in the order of turns.
  private func isFirst(_ leaf: Int, of power: Int) -> Bool {
    leaf % power == (isTransposed && task == .solution ? power - 1 : 0)
  }

  private func isLast(_ leaf: Int, of power: Int) -> Bool {
    leaf % power == (isTransposed && task == .solution ? 0 : power - 1)
  }

  /// What the boxes get that begin with a leaf, from the coarsest on.
  private func enter<Failure: Error>(
    _ leaf: Int, _ step: inout FactorStep, _ body: (Int, FactorStep) throws(Failure) -> Void
  ) throws(Failure) {
    guard let coarsest else { return }
    var power = tree.boxCount(level: tree.levels - coarsest)
    for level in coarsest...tree.levels {
      let box = leaf / power
      defer { power /= tree.arity }
      guard isFirst(leaf, of: power), isReached[level][box] else { continue }
      begin(&step, values.down(level, box), channels(level))
      let parent = box / tree.arity
      if level > coarsest, isReached[level - 1][parent] {
        let source = values.down(level - 1, parent)
        let (row, entry) = isTransposed ? (parent, box % tree.arity) : (box, 0)
        add(levels.down[level - 1], row, entry, from: source, channels(level - 1), to: &step)
      }
      for place in far[level].places(of: box) {
        add(
          levels.across[level], Int(far[level].rows[place]), Int(far[level].entries[place]),
          from: values.up(level, Int(far[level].sources[place])), channels(level), to: &step)
      }
      try body(leaf, step)
    }
  }

  /// The coefficients of the boxes that end with a leaf, from the leaf on.
  private func leave<Failure: Error>(
    _ leaf: Int, _ step: inout FactorStep, _ body: (Int, FactorStep) throws(Failure) -> Void
  ) throws(Failure) {
    guard let coarsest else { return }
    var power = 1
    for level in stride(from: tree.levels, through: coarsest, by: -1) {
      let box = leaf / power
      guard isLast(leaf, of: power) else { return }
      power *= tree.arity
      guard isUsed[level][box] else { continue }
      begin(&step, values.up(level, box), channels(level))
      if level == tree.levels {
        add(
          self.leaf.up, leaf, 0,
          from: values.unknowns(leaf), size(leaf), to: &step)
      } else {
        for child in 0..<tree.arity {
          let source = values.up(level + 1, box * tree.arity + child)
          let (row, entry) = isTransposed ? (box * tree.arity + child, 0) : (box, child)
          add(levels.up[level], row, entry, from: source, channels(level + 1), to: &step)
        }
      }
      try body(leaf, step)
    }
  }
}
