/// The entries of a matrix, for kernels.
@unsafe
struct RowEntries {
  /// Where the entries of each row begin, and where the last ends.
  let starts: UnsafePointer<Int>
  /// The column of each entry.
  let columns: UnsafePointer<Int32>
  /// The value of each entry.
  let values: UnsafePointer<Double>

  /// Lends the arrays of a matrix that has entries.
  static func lend(
    _ starts: [Int], _ columns: [Int32], _ values: [Double], _ body: (RowEntries) -> Void
  ) {
    // The pointers are used during the call.
    unsafe starts.withUnsafeBufferPointer { starts in
      unsafe columns.withUnsafeBufferPointer { columns in
        unsafe values.withUnsafeBufferPointer { values in
          guard let starts = starts.baseAddress, let columns = columns.baseAddress,
            let values = values.baseAddress
          else { return }
          unsafe body(RowEntries(starts: starts, columns: columns, values: values))
        }
      }
    }
  }
}

/// The product of rows with k vectors, `[column][k]`.
///
/// The kernel checks nothing: who makes one has checked that columns are below the rows of x, that the entries of
/// all rows exist, and that y has the rows.
@unsafe
struct RowProduct {
  /// The matrix.
  let entries: RowEntries
  /// The number of vectors, k.
  let vectors: Int
  /// The factor, `[column][k]`.
  let x: UnsafePointer<Double>
  /// The result, `[row][k]`.
  let y: UnsafeMutablePointer<Double>

  /// Multiplies rows all of whose columns are those of x.
  ///
  /// - Parameter rows: The rows.
  func run(_ rows: Range<Int>) {
    let vectors = unsafe vectors
    guard vectors > 1 else { return unsafe runOne(rows) }
    for row in rows {
      let places = unsafe entries.starts[row]..<entries.starts[row + 1]
      var first = 0
      while first < vectors {
        switch vectors - first {
        case 8...: unsafe first += run(row, places, first, SIMD8<Double>.self)
        case 4...: unsafe first += run(row, places, first, SIMD4<Double>.self)
        case 2...: unsafe first += run(row, places, first, SIMD2<Double>.self)
        default: unsafe first += run(row, places, first, Double.self)
        }
      }
    }
  }

  /// Multiplies rows with one vector, all of whose columns are those of x.
  private func runOne(_ rows: Range<Int>) {
    let (starts, columns, values) = unsafe (entries.starts, entries.columns, entries.values)
    for row in rows {
      var sum = 0.0
      var place = unsafe starts[row]
      let end = unsafe starts[row &+ 1]
      while place < end {
        unsafe sum += values[place] * x[Int(truncatingIfNeeded: columns[place])]
        place &+= 1
      }
      unsafe y[row] = sum
    }
  }

  /// Multiplies a row with some of the vectors; returns how many.
  @inline(__always)
  private func run<Lanes: RowLanes>(
    _ row: Int, _ places: Range<Int>, _ first: Int, _: Lanes.Type
  ) -> Int {
    var sum = Lanes.zero
    unsafe add(places, x + first, to: &sum)
    unsafe sum.store(at: y + (row &* vectors &+ first))
    return Lanes.width
  }

  /// Multiplies rows some of whose columns are those of another factor.
  ///
  /// The entries of a row are some of the other factor, some of x, and again some of the other factor; so the order
  /// of the sum is that of the columns.
  ///
  /// - Parameters:
  ///   - rows: The rows.
  ///   - own: For each of the rows: where its entries of x begin and end.
  ///   - remote: The other factor, `[column][k]`.
  func run(_ rows: Range<Int>, own: UnsafePointer<Range<Int>>, remote: UnsafePointer<Double>) {
    let vectors = unsafe vectors
    for row in rows {
      let own = unsafe own[row]
      var first = 0
      while first < vectors {
        switch vectors - first {
        case 8...: unsafe first += run(row, own, remote, first, SIMD8<Double>.self)
        case 4...: unsafe first += run(row, own, remote, first, SIMD4<Double>.self)
        case 2...: unsafe first += run(row, own, remote, first, SIMD2<Double>.self)
        default: unsafe first += run(row, own, remote, first, Double.self)
        }
      }
    }
  }

  /// Multiplies a row of two factors with some of the vectors; returns how many.
  @inline(__always)
  private func run<Lanes: RowLanes>(
    _ row: Int, _ own: Range<Int>, _ remote: UnsafePointer<Double>, _ first: Int, _: Lanes.Type
  ) -> Int {
    var sum = Lanes.zero
    unsafe add(entries.starts[row]..<own.lowerBound, remote + first, to: &sum)
    unsafe add(own, x + first, to: &sum)
    unsafe add(own.upperBound..<entries.starts[row + 1], remote + first, to: &sum)
    unsafe sum.store(at: y + (row &* vectors &+ first))
    return Lanes.width
  }

  /// Adds the products of some entries, in their order.
  @inline(__always)
  private func add<Lanes: RowLanes>(
    _ places: Range<Int>, _ factor: UnsafePointer<Double>, to sum: inout Lanes
  ) {
    var place = places.lowerBound
    while place < places.upperBound {
      let column = unsafe Int(truncatingIfNeeded: entries.columns[place])
      unsafe sum.add(entries.values[place], times: factor + column &* vectors)
      place &+= 1
    }
  }
}

/// Numbers of one row, of several vectors, that are summed at once.
///
/// Products are rounded before they are added, on every processor.
protocol RowLanes: BitwiseCopyable {
  /// How many vectors.
  static var width: Int { get }
  static var zero: Self { get }
  /// Adds the products of a number with those at a place.
  @unsafe mutating func add(_ factor: Double, times place: UnsafePointer<Double>)
  /// Writes the numbers.
  @unsafe func store(at place: UnsafeMutablePointer<Double>)
}

extension Double: RowLanes {
  static var width: Int { 1 }

  @inline(__always)
  mutating func add(_ factor: Double, times place: UnsafePointer<Double>) {
    self += unsafe factor * place.pointee
  }

  @inline(__always)
  func store(at place: UnsafeMutablePointer<Double>) { unsafe place.pointee = self }
}

extension RowLanes where Self: SIMD, Scalar == Double {
  static var width: Int { scalarCount }

  @inline(__always)
  mutating func add(_ factor: Double, times place: UnsafePointer<Double>) {
    self += unsafe Self(repeating: factor) * UnsafeRawPointer(place).loadUnaligned(as: Self.self)
  }

  @inline(__always)
  func store(at place: UnsafeMutablePointer<Double>) {
    unsafe UnsafeMutableRawPointer(place).storeBytes(of: self, as: Self.self)
  }
}

extension SIMD2<Double>: RowLanes {}
extension SIMD4<Double>: RowLanes {}
extension SIMD8<Double>: RowLanes {}
