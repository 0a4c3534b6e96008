import Foundation

/// Finds keys that stand twice in one object of a JSON5 text; the decoder of Foundation takes the last one.
struct JSON5Keys {
  private let letters: [Character]
  private var place = 0
  private var line = 1

  /// Finds the first key that is repeated.
  ///
  /// - Parameter text: A text that the decoder has accepted.
  /// - Returns: The key and the lines of both; nil if there is none.
  static func repeated(in text: String) -> (key: String, first: Int, second: Int)? {
    var scanner = JSON5Keys(letters: Array(text))
    return scanner.scan()
  }

  private init(letters: [Character]) { self.letters = letters }

  private mutating func scan() -> (key: String, first: Int, second: Int)? {
    // The keys of the objects that are open, with their lines; nil for a list.
    var open: [[String: Int]?] = []
    // What stands before a colon, if the colon comes.
    var last: (text: String, line: Int)?
    while let letter = skipToWord() {
      switch letter {
      case "{": open.append([:])
      case "[": open.append([String: Int]?.none)
      case "}", "]": _ = open.popLast()
      case ":":
        guard let key = last, var keys = open.last ?? nil else { break }
        if let first = keys[key.text] { return (key.text, first, key.line) }
        keys[key.text] = key.line
        open[open.count - 1] = keys
      case ",": break
      case "\"", "'":
        last = (quoted(), line)
        continue
      default:
        last = (word(), line)
        continue
      }
      last = nil
      place += 1
    }
    return nil
  }

  /// Goes behind white space and comments; returns the letter there, nil at the end.
  private mutating func skipToWord() -> Character? {
    while place < letters.count {
      if letters[place].isNewline { line += 1 }
      if letters[place] == "/", place + 1 < letters.count {
        if letters[place + 1] == "/" {
          while place < letters.count, !letters[place].isNewline { place += 1 }
        } else {
          place += 2
          while place + 1 < letters.count, letters[place] != "*" || letters[place + 1] != "/" {
            if letters[place].isNewline { line += 1 }
            place += 1
          }
          place += 2
        }
      } else if letters[place].isWhitespace {
        place += 1
      } else {
        return letters[place]
      }
    }
    return nil
  }

  /// Takes a text in quotation marks, and returns what it says.
  private mutating func quoted() -> String {
    let start = place
    place += 1
    while place < letters.count, letters[place] != letters[start] {
      if letters[place] == "\\" { place += 1 }
      // A text goes on behind an escaped end of line.
      if place < letters.count, letters[place].isNewline { line += 1 }
      place += 1
    }
    place = min(place + 1, letters.count)
    let written = String(letters[start..<place])
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    return (try? decoder.decode(String.self, from: Data(written.utf8))) ?? written
  }

  /// Takes a bare word or a number.
  private mutating func word() -> String {
    let start = place
    while place < letters.count, !letters[place].isWhitespace,
      !"{}[]:,/\"'".contains(letters[place])
    {
      place += 1
    }
    // Never stands still.
    place = max(place, start + 1)
    return String(letters[start..<min(place, letters.count)])
  }
}
