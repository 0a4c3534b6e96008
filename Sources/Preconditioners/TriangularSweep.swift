/// Substitution with the rows of one rank for k vectors, `[column][k]`, in place.
///
/// Each number is what stands there minus products in the order of the sweep, rounded one by one: ascending columns
/// forward, descending ones backward. So its bits depend neither on k nor on who has the other rows.
///
/// The kernel checks nothing: who makes one has checked that the vectors have all columns.
@unsafe
struct TriangularSweep {
  let starts: UnsafeBufferPointer<Int>
  let columns: UnsafeBufferPointer<Int32>
  let values: UnsafeBufferPointer<Double>
  /// The vectors.
  let x: UnsafeMutablePointer<Double>
  /// k.
  let vectors: Int

  /// Solves with L, whose diagonal is one.
  ///
  /// - Parameter first: The number of the column of the first row.
  func forward(from first: Int) {
    var vector = 0
    while unsafe vector < vectors {
      switch unsafe vectors - vector {
      case 8...: unsafe vector += forward(first, vector, SIMD8<Double>.self)
      case 4...: unsafe vector += forward(first, vector, SIMD4<Double>.self)
      case 2...: unsafe vector += forward(first, vector, SIMD2<Double>.self)
      default: unsafe vector += forward(first, vector, Double.self)
      }
    }
  }

  /// Solves with U.
  ///
  /// - Parameters:
  ///   - first: The number of the column of the first row.
  ///   - reciprocals: Those of the diagonal, one for each row.
  func backward(from first: Int, reciprocals: UnsafePointer<Double>) {
    var vector = 0
    while unsafe vector < vectors {
      switch unsafe vectors - vector {
      case 8...: unsafe vector += backward(first, vector, reciprocals, SIMD8<Double>.self)
      case 4...: unsafe vector += backward(first, vector, reciprocals, SIMD4<Double>.self)
      case 2...: unsafe vector += backward(first, vector, reciprocals, SIMD2<Double>.self)
      default: unsafe vector += backward(first, vector, reciprocals, Double.self)
      }
    }
  }

  /// Solves for some vectors; returns how many.
  @inline(__always)
  private func forward<Lanes: SweepLanes>(_ first: Int, _ vector: Int, _: Lanes.Type) -> Int {
    let (starts, columns, values, vectors) = unsafe (starts, columns, values, vectors)
    let x = unsafe x + vector
    var place = 0
    for row in 0..<starts.count &- 1 {
      let target = unsafe x + (first &+ row) &* vectors
      var sum = unsafe Lanes.load(target)
      let end = unsafe starts[row &+ 1]
      while place < end {
        let column = unsafe Int(truncatingIfNeeded: columns[place])
        unsafe sum.subtract(values[place], times: x + column &* vectors)
        place &+= 1
      }
      unsafe sum.store(at: target)
    }
    return Lanes.width
  }

  /// Solves for some vectors; returns how many.
  @inline(__always)
  private func backward<Lanes: SweepLanes>(
    _ first: Int, _ vector: Int, _ reciprocals: UnsafePointer<Double>, _: Lanes.Type
  ) -> Int {
    let (starts, columns, values, vectors) = unsafe (starts, columns, values, vectors)
    let x = unsafe x + vector
    var place = values.count
    var row = starts.count &- 2
    while row >= 0 {
      let target = unsafe x + (first &+ row) &* vectors
      var sum = unsafe Lanes.load(target)
      let start = unsafe starts[row]
      while place > start {
        place &-= 1
        let column = unsafe Int(truncatingIfNeeded: columns[place])
        unsafe sum.subtract(values[place], times: x + column &* vectors)
      }
      unsafe sum.multiply(by: reciprocals[row])
      unsafe sum.store(at: target)
      row &-= 1
    }
    return Lanes.width
  }
}

/// Numbers of one row, of several vectors, that are computed at once.
///
/// Products are rounded before they are subtracted, on every processor.
private protocol SweepLanes: BitwiseCopyable {
  /// How many vectors.
  static var width: Int { get }
  /// Reads the numbers at a place.
  @unsafe static func load(_ place: UnsafePointer<Double>) -> Self
  /// Subtracts the products of a number with those at a place.
  @unsafe mutating func subtract(_ factor: Double, times place: UnsafePointer<Double>)
  /// Multiplies by a number.
  mutating func multiply(by factor: Double)
  /// Writes the numbers.
  @unsafe func store(at place: UnsafeMutablePointer<Double>)
}

extension Double: SweepLanes {
  fileprivate static var width: Int { 1 }

  @inline(__always)
  fileprivate static func load(_ place: UnsafePointer<Double>) -> Double { unsafe place.pointee }

  @inline(__always)
  fileprivate mutating func subtract(_ factor: Double, times place: UnsafePointer<Double>) {
    self -= unsafe factor * place.pointee
  }

  @inline(__always)
  fileprivate mutating func multiply(by factor: Double) { self *= factor }

  @inline(__always)
  fileprivate func store(at place: UnsafeMutablePointer<Double>) { unsafe place.pointee = self }
}

extension SweepLanes where Self: SIMD, Scalar == Double {
  fileprivate static var width: Int { scalarCount }

  @inline(__always)
  fileprivate static func load(_ place: UnsafePointer<Double>) -> Self {
    unsafe UnsafeRawPointer(place).loadUnaligned(as: Self.self)
  }

  @inline(__always)
  fileprivate mutating func subtract(_ factor: Double, times place: UnsafePointer<Double>) {
    self -= unsafe Self(repeating: factor) * Self.load(place)
  }

  @inline(__always)
  fileprivate mutating func multiply(by factor: Double) { self *= Self(repeating: factor) }

  @inline(__always)
  fileprivate func store(at place: UnsafeMutablePointer<Double>) {
    unsafe UnsafeMutableRawPointer(place).storeBytes(of: self, as: Self.self)
  }
}

extension SIMD2<Double>: SweepLanes {}
extension SIMD4<Double>: SweepLanes {}
extension SIMD8<Double>: SweepLanes {}
