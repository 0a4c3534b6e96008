import ClusterTrees

/// Random numbers that are a function of (seed, position) only.
struct RandomNumbers {
  let seed: UInt64
  var position: UInt64 = 0

  init(seed: UInt64) {
    self.seed = seed
  }

  mutating func next() -> UInt64 {
    position += 1
    var z = seed &* 0xD1B5_4A32_D192_ED03 &+ position &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  mutating func pick<T>(_ values: [T]) -> T { values[Int(next() % UInt64(values.count))] }
}

/// The ways in which a cloud can be awkward.
enum CloudKind: CaseIterable {
  case uniform, clustered, lattice, allEqual, line
}

/// Makes the coordinates of a cloud.
func cloud(
  _ kind: CloudKind, count: Int, dimension: Int, random: inout RandomNumbers
) -> [Double] {
  let corner = (0..<dimension).map { _ in random.uniform() }
  var coordinates: [Double] = []
  for point in 0..<count {
    for axis in 0..<dimension {
      switch kind {
      case .uniform: coordinates.append(random.uniform() * (axis == 0 ? 3 : 1))
      case .clustered:
        let far = random.next() % 4 == 0
        coordinates.append(corner[axis] + random.uniform() * (far ? 10 : 1e-6))
      case .lattice: coordinates.append(Double(random.next() % 4))
      case .allEqual: coordinates.append(corner[axis])
      case .line: coordinates.append(Double(point % 17) * corner[axis])
      }
    }
  }
  return coordinates
}

/// The bounding box of a box, measured from the original points.
struct MeasuredBox {
  var low: [Double]
  var high: [Double]

  // margin: what is added on each side, per dimension.
  init(_ tree: ClusterTree, level: Int, box: Int, margin: [Double]? = nil) {
    let dimension = tree.points.dimension
    low = [Double](repeating: .infinity, count: dimension)
    high = [Double](repeating: -.infinity, count: dimension)
    for position in tree.pointRange(level: level, box: box) {
      for axis in 0..<dimension {
        let value = tree.points.coordinates[Int(tree.order[position]) * dimension + axis]
        low[axis] = min(low[axis], value - (margin?[axis] ?? 0))
        high[axis] = max(high[axis], value + (margin?[axis] ?? 0))
      }
    }
  }

  var centre: [Double] { zip(low, high).map { ($0 + $1) / 2 } }
  var sides: [Double] { zip(low, high).map { $1 - $0 } }
  var extent: Double { sides.max() ?? 0 }
}

extension ClusterTree {
  /// The leaves below a box, found by following children.
  func leaves(level: Int, box: Int) -> [Int] {
    level == levels
      ? [box] : children(level: level, box: box).flatMap { leaves(level: level + 1, box: $0) }
  }
}
