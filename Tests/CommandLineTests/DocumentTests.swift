import Foundation
import TestSupport
import Testing

/// What README and articles say about the command line, against the program.
@Suite("Documents", .serialized, .waiting)
struct DocumentTests {
  /// The options of each verb, from its help.
  private static func options(of verb: String) throws -> Set<String> {
    let launch = try program([verb, "--help"])
    try #require(launch.status == 0, "\(verb) is not a verb: \(launch.errors)")
    return Set(
      launch.output.split(separator: "\n").filter { $0.hasPrefix("  --") }.compactMap { line in
        line.split(separator: " ").first.map(String.init)
      })
  }

  /// The verbs, from the help of the program.
  private static func verbs() throws -> [String] {
    let groups = try program(["--help"]).output.components(separatedBy: "\n\n")
    let group = try #require(groups.first { $0.hasPrefix("Verbs:") })
    return group.split(separator: "\n").dropFirst().compactMap { line in
      line.split(separator: " ").first.map(String.init)
    }
  }

  /// The words of a command that are options.
  private static func options(in words: ArraySlice<Substring>) -> [String] {
    words.filter { $0.hasPrefix("--") }.map { word in
      String(word.prefix { $0.isLetter || $0.isNumber || $0 == "-" })
    }
  }

  @Test("options that documents name are options of their verbs")
  func namesOptions() throws {
    let verbs = try Self.verbs()
    var known: [String: Set<String>] = [:]
    for verb in verbs { known[verb] = try Self.options(of: verb) }
    let any = known.values.reduce(into: Set(["--help", "--version"])) { $0.formUnion($1) }
    var checked = 0
    for document in Document.all {
      for code in try document.code() {
        let words = code.components(separatedBy: " #")[0].split(separator: " ")[...]
        guard let first = words.first else { continue }
        if let place = words.firstIndex(of: "h2nn-dist"), place + 1 < words.endIndex {
          let verb = String(words[place + 1])
          guard verb != "VERB", !verb.hasPrefix("-"), verb != "checkpoint" else { continue }
          let options = try #require(known[verb], "\(document.path): \(code)")
          for option in Self.options(in: words[(place + 2)...]) {
            #expect(options.contains(option), "\(document.path): \(option) in \(code)")
            checked += 1
          }
        } else if first.hasPrefix("--") || verbs.contains(String(first)) {
          let options = known[String(first)] ?? any
          for option in Self.options(in: words) {
            #expect(options.contains(option), "\(document.path): \(option) in \(code)")
            checked += 1
          }
        }
      }
    }
    #expect(checked > 80)
  }

  @Test("the article on the command line shows every verb")
  func showsVerbs() throws {
    let article = try #require(Document.all.first { $0.path.hasSuffix("/CommandLine.md") })
    let code = try article.code()
    for verb in try Self.verbs() {
      #expect(code.contains { $0.contains("h2nn-dist \(verb) ") }, "\(verb)")
    }
  }

  @Test("links between documents lead to files", arguments: Document.all)
  func links(document: Document) throws {
    for link in try document.links() {
      #expect(FileManager.default.fileExists(atPath: link.path), "\(link.path)")
    }
  }

  @Test("the README's own data become a run, its error and a picture", .enabled(if: Peer.isThere))
  func runsExample() throws {
    let scratch = try Scratch()
    let readme = try #require(Document.all.first { $0.path == "README.md" })
    let python = try Peer.run(text: try readme.block("python"), in: scratch.file(""))
    #expect(python.status == 0, "\(python.text)")
    var errors: [Double] = []
    for line in try readme.block("sh").split(separator: "\n") {
      let parts = String(line).components(separatedBy: " # error mean ")
      let words = parts[0].split(separator: " ").map(String.init)
      try #require(words.first == "h2nn-dist", "\(line)")
      let launch = try launch(
        "h2nn-dist", arguments: Array(words.dropFirst()), ranks: nil, directory: scratch.file(""))
      try #require(launch.status == 0, "\(line): \(launch.errors)")
      guard parts.count == 2 else { continue }
      let stated = try #require(Double(parts[1]), "\(line)")
      let found = try #require(
        launch.output.split(separator: "\n").first { $0.hasPrefix("error mean ") }?
          .split(separator: " ").last.flatMap { Double($0) }, "\(launch.output)")
      // Other processors round otherwise, which 2000 steps turn into some per cent.
      #expect(abs(found / stated - 1) < 0.25, "\(line): \(found)")
      errors.append(found)
    }
    #expect(errors.count == 1)
    let picture = try String(contentsOfFile: scratch.file("result.svg"), encoding: .utf8)
    #expect(picture.hasPrefix("<svg") && picture.components(separatedBy: "<polyline").count > 3)

    try hasDocumentedKeys(try Summary(scratch.file("run/summary.json")))
    try runsStudy(scratch)
  }

  /// Compares the keys of a summary with those of the article on the files of a run.
  private func hasDocumentedKeys(_ summary: Summary) throws {
    let article = try #require(Document.all.first { $0.path.hasSuffix("/RunFiles.md") })
    let table = try #require(try article.text().components(separatedBy: "## The summary").last)
    let cells = table.components(separatedBy: "\n| `").dropFirst().map { "`" + $0 }.compactMap {
      $0.components(separatedBy: " |").first
    }
    let keys = cells.flatMap { $0.components(separatedBy: ", ") }.map {
      $0.trimmingCharacters(in: ["`"])
    }
    #expect(Set(keys) == summary.keys)
  }

  /// Runs a part of the example of the article on studies, on the same data.
  private func runsStudy(_ scratch: borrowing Scratch) throws {
    let article = try #require(Document.all.first { $0.path.hasSuffix("/Studies.md") })
    _ = try scratch.write(try article.block("json5"), to: "sweep.json5")
    let part = ["--only", "r=6", "--set", "iterations=2"]
    let words = ["study", "sweep.json5", "--out", "sweep"] + part
    let launch = try launch(
      "h2nn-dist", arguments: words, ranks: nil, directory: scratch.file(""))
    try #require(launch.status == 0, "\(launch.errors)")
    let report = try String(contentsOfFile: scratch.file("sweep/results.md"), encoding: .utf8)
    for row in ["| H2NN | 68642 |", "| MNN-H² | 124736 |", "| ridge | "] {
      #expect(report.contains(row), "\(report)")
    }
  }

  @Test("the example of factors becomes solutions", .enabled(if: Peer.has("numpy, h5py, scipy")))
  func runsFactors() throws {
    let scratch = try Scratch()
    let article = try #require(
      Document.all.first { $0.path.hasSuffix("h2nn-dist.docc/Factors.md") })
    let python = try Peer.run(text: try article.block("python"), in: scratch.file(""))
    #expect(python.status == 0, "\(python.text)")
    var summaries: [Summary] = []
    for line in try article.block("sh").split(separator: "\n") {
      let words = line.split(separator: " ").map(String.init)
      let place = scratch.file("\(summaries.count).json")
      let launch = try launch(
        "h2nn-dist", arguments: words.dropFirst() + ["--summary", place], ranks: nil,
        directory: scratch.file(""))
      try #require(launch.status == 0, "\(line): \(launch.errors)")
      summaries.append(try Summary(place))
    }
    try #require(summaries.count == 3)
    // The factors save iterations against their best start, or it is said that they do not.
    let starts = try summaries[0].object("iterations_classical").values.compactMap { $0 as? Int }
    #expect(try summaries[0].integer("iterations") <= starts.min() ?? 0)
    #expect(try summaries[1].integer("iterations") < summaries[2].integer("iterations"))
    for summary in summaries.dropFirst() {
      #expect(try summary.number("relative_residual") <= 1e-8)
    }
    let keys = try article.text().components(separatedBy: "Keys of the summary of `factor`")[1]
      .components(separatedBy: "\n| `").dropFirst().map { "`" + $0 }.compactMap {
        $0.components(separatedBy: " |").first
      }.flatMap { $0.components(separatedBy: ", ") }.map { $0.trimmingCharacters(in: ["`"]) }
    #expect(Set(keys) == summaries[0].keys)
    let solved = try article.text().components(separatedBy: "The summary of `solve` has")[1]
    for key in summaries[1].keys { #expect(solved.contains("`\(key)`"), "\(key)") }
  }
}
