import SparseMatrices

/// Numbers from −1 to 1 of a linear congruential generator.
func randomNumbers(_ count: Int, seed: UInt64) -> [Double] {
  var state = seed &* 0x9e37_79b9_7f4a_7c15
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(Int64(bitPattern: state) >> 11) / 0x1p52
  }
}

/// Entries at random places, some of which are equal.
func randomTriplets(
  _ rows: Int, _ columns: Int, _ count: Int, seed: UInt64
) -> [SparseMatrix.Triplet] {
  let numbers = randomNumbers(3 * count, seed: seed).map { ($0 + 1) / 2 }
  return (0..<count).map { index in
    SparseMatrix.Triplet(
      row: Int32(min(numbers[3 * index] * Double(rows), Double(rows - 1))),
      column: Int32(min(numbers[3 * index + 1] * Double(columns), Double(columns - 1))),
      value: 2 * numbers[3 * index + 2] - 1)
  }
}

/// A matrix of entries at random places.
func randomMatrix(_ rows: Int, _ columns: Int, _ count: Int, seed: UInt64) throws -> SparseMatrix {
  try SparseMatrix(
    rowCount: rows, columnCount: columns,
    triplets: randomTriplets(rows, columns, count, seed: seed))
}
