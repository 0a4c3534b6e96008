internal import Foundation

/// The processes that a program has started, and those that these have, as the system lists them.
enum ProcessTree {
  /// A process in the list.
  private struct Entry {
    let parent: Int
    /// The time of the process, and of the children that it has seen end, in ticks.
    let ticks: Int
  }

  /// The seconds that a process and all that came from it have had on processors.
  ///
  /// - Parameter root: The number of the process.
  /// - Returns: The seconds; nil where the system has no such list, or no process of that number.
  static func processorTime(of root: Int32) -> TimeInterval? {
    let tree = tree(of: root)
    guard !tree.isEmpty else { return nil }
    return TimeInterval(tree.values.reduce(0, +)) / TimeInterval(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// The numbers of a process and of all that came from it, as far as those above them are there.
  static func members(of root: Int32) -> [Int32] { tree(of: root).keys.map { Int32($0) } }

  /// The ticks of the processes of a tree, by their numbers.
  private static func tree(of root: Int32) -> [Int: Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    let entries = names.compactMap { Int($0) }.compactMap { number in
      entry(number).map { (number, $0) }
    }
    let children = Dictionary(grouping: entries) { $0.1.parent }
    var (open, tree) = (entries.filter { $0.0 == Int(root) }, [Int: Int]())
    while let (number, entry) = open.popLast() {
      tree[number] = entry.ticks
      open += children[number] ?? []
    }
    return tree
  }

  /// Reads the line of a process, which may have ended meanwhile.
  private static func entry(_ number: Int) -> Entry? {
    let data = FileManager.default.contents(atPath: "/proc/\(number)/stat") ?? Data()
    let line = String(decoding: data, as: UTF8.self)
    // The second field is the name, which may contain spaces and parentheses.
    guard let end = line.lastIndex(of: ")") else { return nil }
    let fields = line[end...].split(separator: " ").dropFirst().map { Int($0) }
    // From the third field on: 4 is the parent, 14 to 17 are times.
    guard fields.count > 14, let parent = fields[1] else { return nil }
    return Entry(parent: parent, ticks: fields[11...14].reduce(0) { $0 + ($1 ?? 0) })
  }
}
