/// What one rank holds of an array that is spread over ranks.
///
/// The parts of all arrays of a group stand in one buffer of the rank. Each element of an array is counted by exactly
/// one rank: that rank writes it, and adds it to the digest.
public struct ArrayPart: Sendable, Equatable {
  /// The name of the array in its group, such as `near.1/weights`.
  public let name: String
  /// The number of elements of the whole array.
  public let count: Int
  /// The elements that this rank holds.
  public let rows: Range<Int>
  /// Where the first of them stands in the rank's buffer.
  public let start: Int
  /// Those of them that this rank counts.
  public let counted: Range<Int>

  /// Describes a part.
  ///
  /// - Parameters:
  ///   - name: The name of the array in its group.
  ///   - count: The number of elements of the whole array.
  ///   - rows: The elements that this rank holds.
  ///   - start: Where the first of them stands in the rank's buffer.
  ///   - counted: Those of them that this rank counts.
  /// - Precondition: The counted elements are among those that the rank holds.
  public init(name: String, count: Int, rows: Range<Int>, start: Int, counted: Range<Int>) {
    precondition(
      counted.isEmpty || rows.contains(counted.lowerBound) && counted.upperBound <= rows.upperBound,
      "\(name): \(counted) of the elements \(rows)")
    precondition(
      0 <= rows.lowerBound && rows.upperBound <= count, "\(name): \(rows) of \(count) elements")
    (self.name, self.count, self.rows, self.start) = (name, count, rows, start)
    self.counted = counted.isEmpty ? rows.lowerBound..<rows.lowerBound : counted
  }

  /// Where the elements stand in the rank's buffer.
  public var places: Range<Int> { start..<start + rows.count }

  /// Where the counted elements stand in the rank's buffer.
  public var countedPlaces: Range<Int> {
    let first = start + counted.lowerBound - rows.lowerBound
    return first..<first + counted.count
  }

  /// Returns the part of a buffer that holds only some places of the rank's buffer.
  ///
  /// - Parameter chosen: The places.
  /// - Returns: What the other buffer holds of the array, which may be nothing.
  public func within(_ chosen: Range<Int>) -> ArrayPart {
    let held = places.clamped(to: chosen)
    let rows = self.rows(at: held)
    return ArrayPart(
      name: name, count: count, rows: rows, start: max(0, held.lowerBound - chosen.lowerBound),
      counted: self.rows(at: countedPlaces.clamped(to: chosen)))
  }

  /// Returns the same part that counts only some places of the rank's buffer.
  ///
  /// - Parameter chosen: The places.
  /// - Returns: The part.
  public func counting(_ chosen: Range<Int>) -> ArrayPart {
    ArrayPart(
      name: name, count: count, rows: rows, start: start,
      counted: self.rows(at: countedPlaces.clamped(to: chosen)))
  }

  /// The elements at some places; an empty range among the rank's elements if there are none.
  private func rows(at places: Range<Int>) -> Range<Int> {
    guard !places.isEmpty else { return rows.lowerBound..<rows.lowerBound }
    let first = rows.lowerBound + places.lowerBound - start
    return first..<first + places.count
  }
}
