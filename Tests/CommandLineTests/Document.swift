import Foundation
import Testing

/// A text in Markdown of the repository.
struct Document: Sendable, CustomTestStringConvertible {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The README, what stands beside scripts and results, and the catalogues of the modules.
  static let all: [Document] = {
    let folder = root.appendingPathComponent("Sources").path
    let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    let places = ["README.md", "jobs/README.md", "jobs/results/README.md", "cluster/README.md"]
    let pages = files.filter { $0.hasSuffix(".md") }.sorted().map { "Sources/\($0)" }
    return (places + pages).map(Document.init)
  }()

  /// The path from the root of the repository.
  let path: String

  var testDescription: String { path }

  /// Returns its text.
  func text() throws -> String {
    try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
  }

  /// Returns the first block of code in a language.
  func block(_ language: String) throws -> String {
    let parts = try text().components(separatedBy: "```\(language)\n")
    return try #require(
      parts.dropFirst().first?.components(separatedBy: "```").first, "\(language) in \(path)")
  }

  /// Returns what stands as code: lines of blocks, and words between backquotes.
  func code() throws -> [String] { try parts().code }

  /// Returns the places that its links name, without those of the web.
  func links() throws -> [URL] {
    let folder = Self.root.appendingPathComponent(path).deletingLastPathComponent()
    return try parts().prose.components(separatedBy: "](").dropFirst().compactMap { piece in
      piece.components(separatedBy: ")").first
    }.filter { !$0.hasPrefix("http") }.map { folder.appendingPathComponent($0) }
  }

  private func parts() throws -> (code: [String], prose: String) {
    var code: [String] = []
    var lines: [String] = []
    var isFenced = false
    for line in try text().components(separatedBy: "\n") {
      if line.hasPrefix("```") {
        isFenced.toggle()
      } else if isFenced || line.hasPrefix("    ") {
        code.append(line.trimmingCharacters(in: .whitespaces))
      } else {
        lines.append(line)
      }
    }
    // Every second piece stands between backquotes.
    var prose = ""
    for (index, piece) in lines.joined(separator: "\n").components(separatedBy: "`").enumerated() {
      if index % 2 == 0 {
        prose += piece
      } else {
        code.append(piece.split(whereSeparator: \.isWhitespace).joined(separator: " "))
      }
    }
    return (code, prose)
  }
}
