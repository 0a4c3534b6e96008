public import BlockKernels
import ClusterTrees
import OperatorNetworks

/// Forward substitution L y = b with a factor of any pattern, and back substitution Lᵀ x = b.
///
/// Leaf by leaf in the order of the tree, or against it. When all leaves under a box are solved, its coefficients Vᵀ y are
/// known, and go to the boxes behind it that see it. So each block of the factor is used once: O(parameters).
public struct Substitution {
  private let blocks: FactorBlocks
  private let parameters: AlignedBuffer<Double>
  /// The inverses of the diagonal blocks, column-major, leaf by leaf.
  private let inverses: [DenseMatrix]
  /// For each level and each box the boxes behind it that see it, with the number of the block in their rows.
  private let seenBy: [[[(row: Int, entry: Int)]]]
  /// The same for near leaves.
  private let nearSeenBy: [[(row: Int, entry: Int)]]

  /// Prepares for solving.
  ///
  /// - Parameters:
  ///   - blocks: The blocks of the factor.
  ///   - parameters: Its parameters, all of them; they are read at each solve.
  /// - Throws: `LAPACKError` if a diagonal block is singular.
  public init(
    _ blocks: FactorBlocks, _ parameters: AlignedBuffer<Double>
  ) throws(LAPACKError) {
    self.blocks = blocks
    self.parameters = parameters
    let tree = blocks.structure.tree
    var inverses: [DenseMatrix] = []
    for leaf in 0..<tree.boxCount(level: tree.levels) {
      inverses.append(try blocks.diagonal.block(leaf, 0, parameters.span).inverse())
    }
    self.inverses = inverses
    func columns(_ lists: BoxLists) -> [[(row: Int, entry: Int)]] {
      var result = [[(row: Int, entry: Int)]](repeating: [], count: lists.targetCount)
      for row in 0..<lists.targetCount {
        for (entry, source) in lists.sources(of: row).enumerated() {
          result[Int(source)].append((row, entry))
        }
      }
      return result
    }
    seenBy = blocks.structure.far.map(columns)
    nearSeenBy = columns(blocks.structure.near)
  }

  /// Solves L y = b or Lᵀ x = b.
  ///
  /// - Parameters:
  ///   - vectors: The right-hand sides, `[unknown][vector]` in the order of the tree; become the solutions.
  ///   - count: The number of vectors.
  ///   - transposed: Whether the matrix is Lᵀ.
  public func solve(_ vectors: AlignedBuffer<Double>, count: Int, transposed: Bool) {
    let structure = blocks.structure
    let tree = structure.tree
    let leaves = tree.levels
    let sweep = Sweep(structure: structure, count: count)
    let boxes = 0..<tree.boxCount(level: leaves)
    for step in boxes {
      let leaf = transposed ? boxes.upperBound - 1 - step : step
      if structure.coarsest != nil { enter(leaf, transposed, sweep) }
      solveLeaf(leaf, transposed, vectors, sweep)
      if structure.coarsest != nil { leave(leaf, transposed, vectors, sweep) }
    }
  }

  /// Forms the local coefficients of all boxes that begin with a leaf.
  private func enter(_ leaf: Int, _ transposed: Bool, _ sweep: Sweep) {
    let tree = blocks.structure.tree
    guard let coarsest = blocks.structure.coarsest else { return }
    var power = tree.boxCount(level: tree.levels - coarsest)
    for level in coarsest...tree.levels {
      defer { power /= tree.arity }
      let place = transposed ? power - 1 - leaf % power : leaf % power
      guard place == 0 else { continue }
      let box = leaf / power
      let span = parameters
      if level > coarsest {
        // U of the box from that of its parent, or V.
        if transposed, let slice = blocks.restrictions[level - 1] {
          sweep.add(
            BlockPlace(slice, box / tree.arity, box % tree.arity), span, transposed: true,
            from: .local(level - 1, box / tree.arity), to: .local(level, box))
        } else if let slice = blocks.interpolations[level - 1] {
          sweep.add(
            BlockPlace(slice, box, 0), span, transposed: false,
            from: .local(level - 1, box / tree.arity), to: .local(level, box))
        }
      }
      guard let bridge = blocks.bridges[level] else { continue }
      if transposed {
        for (row, entry) in seenBy[level][box] {
          sweep.add(
            BlockPlace(bridge, row, entry), span, transposed: true, from: .multipole(level, row),
            to: .local(level, box))
        }
      } else {
        for (entry, source) in blocks.structure.far[level].sources(of: box).enumerated() {
          sweep.add(
            BlockPlace(bridge, box, entry), span, transposed: false,
            from: .multipole(level, Int(source)), to: .local(level, box))
        }
      }
    }
  }

  /// Solves for the unknowns of a leaf.
  private func solveLeaf(
    _ leaf: Int, _ transposed: Bool, _ vectors: AlignedBuffer<Double>, _ sweep: Sweep
  ) {
    let tree = blocks.structure.tree
    let span = parameters
    let points = tree.pointRange(level: tree.levels, box: leaf)
    let count = sweep.count
    sweep.clear(points.count)
    if blocks.structure.coarsest != nil {
      let slice = transposed ? blocks.leafRestriction : blocks.leafInterpolation
      if let slice {
        sweep.add(
          BlockPlace(slice, leaf, 0), span, transposed: transposed,
          from: .local(tree.levels, leaf), to: .leaf)
      }
    }
    if let near = blocks.near {
      if transposed {
        for (row, entry) in nearSeenBy[leaf] {
          let first = tree.pointRange(level: tree.levels, box: row).lowerBound
          sweep.add(
            BlockPlace(near, row, entry), span, transposed: true, vectors, first * count)
        }
      } else {
        for (entry, source) in blocks.structure.near.sources(of: leaf).enumerated() {
          let first = tree.pointRange(level: tree.levels, box: Int(source)).lowerBound
          sweep.add(
            BlockPlace(near, leaf, entry), span, transposed: false, vectors, first * count)
        }
      }
    }
    sweep.divide(
      inverses[leaf], transposed: transposed, vectors, points.lowerBound * count)
  }

  /// Forms the coefficients of all boxes that end with a leaf.
  private func leave(
    _ leaf: Int, _ transposed: Bool, _ vectors: AlignedBuffer<Double>, _ sweep: Sweep
  ) {
    let tree = blocks.structure.tree
    guard let coarsest = blocks.structure.coarsest else { return }
    let span = parameters
    let first = tree.pointRange(level: tree.levels, box: leaf).lowerBound * sweep.count
    let slice = transposed ? blocks.leafInterpolation : blocks.leafRestriction
    if let slice {
      sweep.add(
        BlockPlace(slice, leaf, 0), span, transposed: transposed, vectors, first,
        to: .multipole(tree.levels, leaf))
    }
    var power = 1
    for level in stride(from: tree.levels - 1, through: coarsest, by: -1) {
      power *= tree.arity
      let place = transposed ? power - 1 - leaf % power : leaf % power
      guard place == power - 1 else { return }
      let box = leaf / power
      for child in 0..<tree.arity {
        if transposed, let slice = blocks.interpolations[level] {
          sweep.add(
            BlockPlace(slice, box * tree.arity + child, 0), span, transposed: true,
            from: .multipole(level + 1, box * tree.arity + child), to: .multipole(level, box))
        } else if let slice = blocks.restrictions[level] {
          sweep.add(
            BlockPlace(slice, box, child), span, transposed: false,
            from: .multipole(level + 1, box * tree.arity + child), to: .multipole(level, box))
        }
      }
    }
  }
}

/// The coefficients of all boxes during one substitution, `[coefficient][vector]`.
private struct Sweep {
  /// A place among the coefficients.
  enum Place {
    /// The coefficients Vᵀ y of a box.
    case multipole(_ level: Int, _ box: Int)
    /// What a box gets from the boxes before it.
    case local(_ level: Int, _ box: Int)
    /// The sum for the leaf at hand.
    case leaf
  }

  /// The number of vectors.
  let count: Int
  private let channels: [Int]
  private let starts: [Int]
  /// The sum for the leaf at hand, the coefficients of the boxes, and what they get.
  private let values: AlignedBuffer<Double>
  private let leafSize: Int

  init(structure: FactorStructure, count: Int) {
    self.count = count
    channels = structure.channels
    let tree = structure.tree
    leafSize =
      (0..<tree.boxCount(level: tree.levels))
      .reduce(0) { max($0, tree.pointRange(level: tree.levels, box: $1).count) } * count
    var starts = [0]
    for level in 0...tree.levels {
      let boxes = structure.coarsest == nil ? 0 : tree.boxCount(level: level)
      starts.append(starts[level] + boxes * structure.channels[level] * count)
    }
    self.starts = starts
    values = AlignedBuffer(repeating: 0, count: leafSize + 2 * starts[starts.count - 1])
  }

  func clear(_ unknowns: Int) {
    for place in 0..<unknowns * count { values[place] = 0 }
  }

  private func start(_ place: Place) -> Int {
    switch place {
    case .leaf: 0
    case .multipole(let level, let box):
      leafSize + starts[level] + box * channels[level] * count
    case .local(let level, let box):
      leafSize + starts[starts.count - 1] + starts[level] + box * channels[level] * count
    }
  }

  /// Adds a block times coefficients.
  func add(
    _ block: BlockPlace, _ parameters: AlignedBuffer<Double>, transposed: Bool, from source: Place,
    to target: Place
  ) {
    add(block, parameters, transposed, values, start(source), start(target))
  }

  /// Adds a block times vectors to the sum of the leaf, or to the coefficients of a box.
  func add(
    _ block: BlockPlace, _ parameters: AlignedBuffer<Double>, transposed: Bool,
    _ vectors: AlignedBuffer<Double>, _ first: Int, to target: Place = .leaf
  ) {
    add(block, parameters, transposed, vectors, first, start(target))
  }

  /// Replaces the vectors of a leaf by D⁻¹ (b − sum).
  func divide(
    _ inverse: DenseMatrix, transposed: Bool, _ vectors: AlignedBuffer<Double>, _ first: Int
  ) {
    let size = inverse.rows
    var result = vectors.mutableSpan
    var sum = values.mutableSpan
    for place in 0..<size * count { sum[place] = result[first + place] - sum[place] }
    for row in 0..<size {
      for vector in 0..<count { result[first + row * count + vector] = 0 }
      for column in 0..<size {
        let factor =
          transposed
          ? inverse.elements[row * size + column] : inverse.elements[column * size + row]
        guard factor != 0 else { continue }
        for vector in 0..<count {
          result[first + row * count + vector] += factor * sum[column * count + vector]
        }
      }
    }
  }

  private func add(
    _ block: BlockPlace, _ parameters: AlignedBuffer<Double>, _ transposed: Bool,
    _ source: AlignedBuffer<Double>, _ from: Int, _ to: Int
  ) {
    let (weights, read) = (parameters.span, source.span)
    var result = values.mutableSpan
    for output in 0..<block.outputs {
      for input in 0..<block.inputs {
        let factor = weights[block.first + output * block.stride + input]
        let (column, row) = transposed ? (output, input) : (input, output)
        for vector in 0..<count {
          result[to + row * count + vector] += factor * read[from + column * count + vector]
        }
      }
    }
  }
}
