extension DenseMatrix {
  package static func identity(_ count: Int) -> DenseMatrix {
    var result = DenseMatrix(rows: count, columns: count)
    for k in 0..<count { result[k, k] = 1 }
    return result
  }

  /// Puts matrices of equal columns one below the other.
  package static func stacked(_ parts: [DenseMatrix]) -> DenseMatrix {
    let columns = parts.first?.columns ?? 0
    var elements: [Double] = []
    for column in 0..<columns {
      for part in parts {
        elements += part.elements[column * part.rows..<(column + 1) * part.rows]
      }
    }
    return DenseMatrix(
      rows: parts.reduce(0) { $0 + $1.rows }, columns: columns, elements: elements)
  }

  /// Puts matrices of equal rows one beside the other.
  package static func beside(_ parts: [DenseMatrix]) -> DenseMatrix {
    DenseMatrix(
      rows: parts.first?.rows ?? 0, columns: parts.reduce(0) { $0 + $1.columns },
      elements: parts.flatMap(\.elements))
  }

  /// Puts matrices on a diagonal of blocks.
  package static func diagonal(_ parts: [DenseMatrix]) -> DenseMatrix {
    var result = DenseMatrix(
      rows: parts.reduce(0) { $0 + $1.rows }, columns: parts.reduce(0) { $0 + $1.columns })
    var (row, column) = (0, 0)
    for part in parts {
      for j in 0..<part.columns {
        for i in 0..<part.rows { result[row + i, column + j] = part[i, j] }
      }
      row += part.rows
      column += part.columns
    }
    return result
  }

  /// Adds columns of zeros.
  package func widened(to count: Int) -> DenseMatrix {
    let zeros = [Double](repeating: 0, count: (count - columns) * rows)
    return DenseMatrix(rows: rows, columns: count, elements: elements + zeros)
  }

  package func scaledRows(_ factors: [Double]) -> DenseMatrix {
    var result = self
    for place in result.elements.indices { result.elements[place] *= factors[place % rows] }
    return result
  }

  package func scaledColumns(_ factors: [Double]) -> DenseMatrix {
    var result = self
    for place in result.elements.indices { result.elements[place] *= factors[place / rows] }
    return result
  }

  /// Takes rows by their ascending names.
  package func rows(_ wanted: [Int], among names: [Int]) -> DenseMatrix {
    var (places, place) = ([Int](), 0)
    places.reserveCapacity(wanted.count)
    for name in wanted {
      while names[place] != name { place += 1 }
      places.append(place)
    }
    return block(places, 0..<columns)
  }
}
