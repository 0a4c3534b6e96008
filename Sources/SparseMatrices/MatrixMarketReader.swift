import MessagePassing

/// The words and lines of a file in the Matrix Market exchange formats.
struct MatrixMarketReader {
  /// What the first line says about the entries.
  struct Header {
    /// Whether entries come with their places, and not all entries in the order of columns.
    var hasPlaces = true
    /// Whether values are written, and whether as integers.
    var field = Field.real
    /// Which entries follow from others.
    var symmetry = Symmetry.general
  }

  /// The kinds of value.
  enum Field: String, CaseIterable { case real, integer, pattern }

  /// The kinds of symmetry.
  enum Symmetry: String, CaseIterable {
    case general, symmetric
    case skewSymmetric = "skew-symmetric"
  }

  private var lines: LineScanner
  private let path: String

  /// Creates a reader.
  ///
  /// - Parameters:
  ///   - path: The path of the file, for errors.
  ///   - bytes: Its content.
  init(path: String, bytes: [UInt8]) {
    self.path = path
    lines = LineScanner(bytes)
  }

  /// Makes an error about the current line.
  private func error(_ text: String) -> RunError { .data("\(path), line \(lines.number): \(text)") }

  /// Reads the file.
  mutating func read() throws(RunError) -> SparseMatrix {
    let header = try readHeader()
    guard lines.next() else { throw error("the file ends before the line of sizes") }
    let words = lines.words
    let names = header.hasPlaces ? ["rows", "columns", "entries"] : ["rows", "columns"]
    guard words.count == names.count else {
      throw error(
        "the numbers of \(names.joined(separator: ", ")) are expected, found \(words.count) words")
    }
    var sizes: [Int] = []
    for (word, name) in zip(words, names) {
      guard let size = lines.integer(word), size >= 0 else {
        throw error("\(lines.text(word)) is no number of \(name)")
      }
      sizes.append(size)
    }
    guard sizes[0] <= Int(Int32.max), sizes[1] <= Int(Int32.max) else {
      throw error("\(sizes[0]) rows, \(sizes[1]) columns: at most \(Int32.max) are possible")
    }
    // The places of the rows are stored also where there are no entries.
    try Memory.check(max(sizes[0], sizes[1]), 2, bytes: 8) {
      error("\(sizes[0]) rows, \(sizes[1]) columns: their matrix needs \($0)")
    }
    guard header.symmetry == .general || sizes[0] == sizes[1] else {
      throw error("a \(header.symmetry.rawValue) matrix of \(sizes[0])×\(sizes[1])")
    }
    let triplets =
      header.hasPlaces
      ? try readEntries(header, sizes[0], sizes[1], count: sizes[2])
      : try readArray(header, sizes[0], sizes[1])
    guard !lines.next() else { throw error("there is more than the sizes say") }
    do {
      return try SparseMatrix(rowCount: sizes[0], columnCount: sizes[1], triplets: triplets)
    } catch {
      throw .data("\(path): \(error.message)")
    }
  }

  /// Reads the first line.
  private mutating func readHeader() throws(RunError) -> Header {
    guard !lines.isCompressed else {
      throw .data("\(path): it is compressed; gunzip it first")
    }
    let words = lines.readFirst().map { $0.lowercased() }
    guard words.count == 5, words[0] == "%%matrixmarket", words[1] == "matrix" else {
      throw error("the file does not begin with %%MatrixMarket matrix and three more words")
    }
    var header = Header()
    switch words[2] {
    case "coordinate": break
    case "array": header.hasPlaces = false
    default: throw error("the format is \(words[2]), but coordinate and array can be read")
    }
    guard let field = Field(rawValue: words[3] == "double" ? "real" : words[3]) else {
      throw error("the values are \(words[3]), but real, integer and pattern can be read")
    }
    guard let symmetry = Symmetry(rawValue: words[4]) else {
      let known = Symmetry.allCases.map(\.rawValue).joined(separator: ", ")
      throw error("the symmetry is \(words[4]), but \(known) can be read")
    }
    header.field = field
    header.symmetry = symmetry
    guard field != .pattern || (header.hasPlaces && symmetry != .skewSymmetric) else {
      throw error("a pattern has places and is not skew-symmetric")
    }
    return header
  }

  /// Reads entries with their places.
  private mutating func readEntries(
    _ header: Header, _ rowCount: Int, _ columnCount: Int, count: Int
  ) throws(RunError) -> [SparseMatrix.Triplet] {
    // A line has at least four bytes, so that a wrong number takes no memory.
    guard count <= lines.remainingBytes / 3 else {
      throw error("\(count) entries, but only \(lines.remainingBytes) bytes follow")
    }
    var triplets: [SparseMatrix.Triplet] = []
    triplets.reserveCapacity(header.symmetry == .general ? count : 2 * count)
    let wordCount = header.field == .pattern ? 2 : 3
    for index in 0..<count {
      guard lines.next() else { throw error("the file ends after \(index) of \(count) entries") }
      let words = lines.words
      guard words.count == wordCount else {
        throw error("\(wordCount) words are expected, found \(words.count)")
      }
      let row = try place(words[0], "row", rowCount)
      let column = try place(words[1], "column", columnCount)
      let value = header.field == .pattern ? 1 : try number(words[2], header.field)
      try check(header.symmetry, row, column)
      append(value, row, column, header.symmetry, to: &triplets)
    }
    return triplets
  }

  /// Reads the numbers of all columns, or of their parts below the diagonal.
  private mutating func readArray(
    _ header: Header, _ rowCount: Int, _ columnCount: Int
  ) throws(RunError) -> [SparseMatrix.Triplet] {
    var triplets: [SparseMatrix.Triplet] = []
    for column in 0..<columnCount {
      let first =
        switch header.symmetry {
        case .general: 0
        case .symmetric: column
        case .skewSymmetric: column + 1
        }
      for row in first..<max(first, rowCount) {
        guard lines.next() else {
          throw error("the file ends before row \(row + 1) of column \(column + 1)")
        }
        let words = lines.words
        guard words.count == 1 else { throw error("1 number is expected, found \(words.count)") }
        let value = try number(words[0], header.field)
        if value != 0 {
          append(value, Int32(row), Int32(column), header.symmetry, to: &triplets)
        }
      }
    }
    return triplets
  }

  /// Throws if a file of such a symmetry has no entry of its own at a place.
  private func check(_ symmetry: Symmetry, _ row: Int32, _ column: Int32) throws(RunError) {
    guard symmetry == .general || row >= column else {
      throw error(
        "entry (\(row + 1), \(column + 1)) is above the diagonal: a file of a \(symmetry.rawValue) "
          + "matrix has the lower triangle only")
    }
    guard symmetry != .skewSymmetric || row != column else {
      throw error("entry (\(row + 1), \(column + 1)) of a skew-symmetric matrix is on the diagonal")
    }
  }

  /// Appends an entry, and the one that follows from it.
  private func append(
    _ value: Double, _ row: Int32, _ column: Int32, _ symmetry: Symmetry,
    to triplets: inout [SparseMatrix.Triplet]
  ) {
    triplets.append(SparseMatrix.Triplet(row: row, column: column, value: value))
    guard symmetry != .general, row != column else { return }
    triplets.append(
      SparseMatrix.Triplet(
        row: column, column: row, value: symmetry == .symmetric ? value : -value))
  }

  /// Reads a place, counted from 1 in the file.
  private func place(_ word: Range<Int>, _ name: String, _ count: Int) throws(RunError) -> Int32 {
    guard let index = lines.integer(word) else {
      throw error("\(lines.text(word)) is no number of a \(name)")
    }
    guard index >= 1, index <= count else {
      throw error("\(name) \(index), but there are \(count), counted from 1")
    }
    return Int32(index - 1)
  }

  /// Reads a value.
  private func number(_ word: Range<Int>, _ field: Field) throws(RunError) -> Double {
    if field == .integer {
      guard let integer = lines.integer(word), let value = Double(exactly: integer) else {
        throw error("\(lines.text(word)) is no integer that a number of 64 bits can hold")
      }
      return value
    }
    guard let value = lines.number(word) else { throw error("\(lines.text(word)) is no number") }
    guard value.isFinite else { throw error("the value \(lines.text(word)) is not finite") }
    return value
  }
}
