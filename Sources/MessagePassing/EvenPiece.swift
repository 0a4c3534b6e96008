/// Cuts a range into contiguous pieces of nearly equal length.
///
/// - Parameters:
///   - count: The length of the range.
///   - pieces: The number of pieces.
///   - piece: Which piece.
/// - Returns: The piece; it may be empty.
public func evenPiece(of count: Int, pieces: Int, piece: Int) -> Range<Int> {
  count * piece / pieces..<count * (piece + 1) / pieces
}
