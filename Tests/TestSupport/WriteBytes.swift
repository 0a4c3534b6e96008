import Foundation

/// Writes a file of bytes most of which are zero.
///
/// - Parameters:
///   - text: Lines with the position of a first byte and the hexadecimal digits of those that follow.
///   - count: The number of all bytes.
///   - path: The path of the file.
/// - Throws: An error of the system if the file cannot be written.
public func writeBytes(_ text: String, count: Int, to path: String) throws {
  var bytes = [UInt8](repeating: 0, count: count)
  for line in text.split(separator: "\n") {
    let parts = line.split(separator: " ")
    var position = Int(parts[0]) ?? 0
    var digits = parts[1]
    while !digits.isEmpty {
      bytes[position] = UInt8(digits.prefix(2), radix: 16) ?? 0
      position += 1
      digits = digits.dropFirst(2)
    }
  }
  try Data(bytes).write(to: URL(fileURLWithPath: path))
}
