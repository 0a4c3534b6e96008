import Foundation

/// Finds where a text is not JSON5; the decoder of Foundation does not say it.
struct JSON5Mistake {
  private var line = 1
  /// The brackets that are open, with their lines.
  private var open: [(bracket: Character, line: Int)] = []
  /// The entries of the outermost object, with the lines on which they begin.
  private var entries: [(text: String, line: Int)] = []
  private var entry = ""
  private var entryLine: Int?
  private var mistake: String?

  /// Describes the first mistake of a text that the decoder has refused.
  ///
  /// - Parameter text: The text.
  /// - Returns: Words like `line 3: …`; nil if the mistake cannot be placed.
  static func description(of text: String) -> String? {
    var scanner = JSON5Mistake()
    scanner.scan(Array(text))
    if let mistake = scanner.mistake { return mistake }
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    let wrong = scanner.entries.first { entry in
      (try? decoder.decode([String: JSONValue].self, from: Data("{\(entry.text)}".utf8))) == nil
    }
    return wrong.map {
      "line \($0.line): not an entry like name: value, with a comma before the next one"
    }
  }

  private static let closing: [Character: Character] = ["{": "}", "[": "]"]

  private mutating func scan(_ letters: [Character]) {
    var place = 0
    while place < letters.count, mistake == nil {
      let letter = letters[place]
      switch letter {
      case "\"", "'": place = skipText(letters, from: place)
      case "/" where letters[(place + 1)...].first == "/":
        while place < letters.count, !letters[place].isNewline { place += 1 }
      case "/" where letters[(place + 1)...].first == "*":
        place = skipComment(letters, from: place)
      default:
        take(letter)
        place += 1
      }
    }
    if mistake == nil, let last = open.last {
      mistake = "line \(last.line): \(last.bracket) is not closed"
    }
    if mistake == nil, entries.isEmpty, entryLine == nil, line == 1 {
      mistake = "line 1: no object"
    }
  }

  /// Takes a letter outside of texts and comments.
  private mutating func take(_ letter: Character) {
    switch letter {
    case "{", "[":
      open.append((letter, line))
      if open.count > 1 { keep(letter) }
    case "}", "]":
      guard let last = open.popLast() else {
        mistake = "line \(line): \(letter) closes nothing"
        return
      }
      guard Self.closing[last.bracket] == letter else {
        mistake = "line \(line): \(letter) does not close the \(last.bracket) of line \(last.line)"
        return
      }
      if open.isEmpty { endEntry() } else { keep(letter) }
    case "," where open.count == 1: endEntry()
    default: keep(letter)
    }
    if letter.isNewline { line += 1 }
  }

  private mutating func keep(_ letter: Character) {
    if entryLine == nil, !letter.isWhitespace { entryLine = line }
    entry.append(letter)
  }

  private mutating func endEntry() {
    if let entryLine { entries.append((entry, entryLine)) }
    (entry, entryLine) = ("", nil)
  }

  /// Goes behind a text in quotation marks.
  private mutating func skipText(_ letters: [Character], from start: Int) -> Int {
    let first = line
    keep(letters[start])
    var place = start + 1
    while place < letters.count, letters[place] != letters[start] {
      if letters[place] == "\\", place + 1 < letters.count {
        keep(letters[place])
        place += 1
      } else if letters[place].isNewline {
        break
      }
      if letters[place].isNewline { line += 1 }
      keep(letters[place])
      place += 1
    }
    guard place < letters.count, letters[place] == letters[start] else {
      mistake = "line \(first): the text that begins with \(letters[start]) does not end"
      return place
    }
    keep(letters[place])
    return place + 1
  }

  /// Goes behind a comment.
  private mutating func skipComment(_ letters: [Character], from start: Int) -> Int {
    let first = line
    var place = start + 2
    while place + 1 < letters.count, !(letters[place] == "*" && letters[place + 1] == "/") {
      if letters[place].isNewline { line += 1 }
      place += 1
    }
    guard place + 1 < letters.count else {
      mistake = "line \(first): the comment does not end"
      return letters.count
    }
    return place + 2
  }
}
