/// The lines of a text, one after the other, without those that are blank or comments, and their words.
struct LineScanner {
  private let bytes: [UInt8]
  private var position = 0
  /// The number of the current line, from 1; that of the last line at the end.
  private(set) var number = 0
  /// The words of the current line.
  private(set) var words: [Range<Int>] = []

  /// Creates a scanner before the first line.
  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Whether the bytes are those of gzip.
  var isCompressed: Bool { bytes.starts(with: [0x1f, 0x8b]) }

  /// How many bytes follow the current line.
  var remainingBytes: Int { bytes.count - position }

  /// Goes to the first line, comment or not, and returns its words.
  mutating func readFirst() -> [String] {
    readLine()
    // A file of another kind may have one endless line.
    return words.prefix(8).map { text($0) }
  }

  /// Goes to the next line that has words and is no comment; false at the end.
  mutating func next() -> Bool {
    while position < bytes.count {
      readLine()
      if let first = words.first, bytes[first.lowerBound] != UInt8(ascii: "%") { return true }
    }
    words = []
    return false
  }

  /// Reads a line.
  private mutating func readLine() {
    words.removeAll(keepingCapacity: true)
    number += 1
    var start = -1
    while position < bytes.count {
      let byte = bytes[position]
      // Blanks, tabs and what ends lines, also that of Windows.
      let isWord = byte > 32
      if isWord && start < 0 { start = position }
      if !isWord && start >= 0 {
        words.append(start..<position)
        start = -1
      }
      position += 1
      if byte == UInt8(ascii: "\n") { return }
    }
    if start >= 0 { words.append(start..<position) }
  }

  /// The text of a word, shortened if it is long.
  func text(_ word: Range<Int>) -> String {
    let shown = word.prefix(40)
    return String(decoding: bytes[shown.startIndex..<shown.endIndex], as: UTF8.self)
  }

  /// Reads a decimal integer; nil if the word is none, or larger than an `Int`.
  func integer(_ word: Range<Int>) -> Int? {
    var digits = word
    let isNegative = bytes[word.lowerBound] == UInt8(ascii: "-")
    if isNegative || bytes[word.lowerBound] == UInt8(ascii: "+") {
      digits = word.lowerBound + 1..<word.upperBound
    }
    guard !digits.isEmpty else { return nil }
    var result = 0
    for place in digits {
      let digit = Int(bytes[place]) - 48
      guard (0...9).contains(digit) else { return nil }
      let (product, overflows) = result.multipliedReportingOverflow(by: 10)
      let (sum, isTooLarge) = product.addingReportingOverflow(digit)
      guard !overflows, !isTooLarge else { return nil }
      result = sum
    }
    return isNegative ? -result : result
  }

  /// Reads a decimal number, with the exponent letters of C or Fortran; nil if the word is none.
  func number(_ word: Range<Int>) -> Double? {
    // The standard library would also read 0x1p3, nan and infinity(…).
    var text = ""
    for place in word {
      switch bytes[place] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"),
        UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
        text.unicodeScalars.append(Unicode.Scalar(bytes[place]))
      case UInt8(ascii: "d"), UInt8(ascii: "D"): text += "e"
      default: return nil
      }
    }
    return Double(text)
  }
}
