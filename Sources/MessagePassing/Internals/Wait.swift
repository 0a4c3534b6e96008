/// A blocking operation, and the ranks that can end it.
struct Wait: Sendable {
  /// The ranks that an operation waits for.
  enum Peer: Sendable {
    /// One rank of the world communicator.
    case rank(Int)
    /// All processes that take part, by their ranks in the world communicator.
    case group([Int])
  }

  /// The name of the operation.
  var name: StaticString
  /// What it is done to, or nothing.
  var subject = ""
  /// The ranks that it waits for.
  var peer: Peer
  /// The tag of the message, if it is one.
  var tag: Int?

  /// The ranks and the operation, for the line that a waiting rank writes.
  func text(rank: Int) -> String {
    let operation = "\(name)" + (subject.isEmpty ? "" : " \(subject)")
    return "\(peer.text(rank: rank)): \(operation)" + (tag.map { ", tag \($0)" } ?? "")
  }
}

extension Wait.Peer {
  /// The ranks in words.
  fileprivate func text(rank: Int) -> String {
    switch self {
    case .rank(let peer): return " for rank \(peer)"
    case .group(let ranks):
      guard !ranks.isEmpty else { return " for other ranks" }
      let others = ranks.filter { $0 != rank }
      guard !others.isEmpty else { return "" }
      let list = Wait.list(others)
      return " for the other ranks of a group of \(ranks.count) (world ranks \(list))"
    }
  }
}

extension Wait {
  /// Numbers in ascending order, with ranges for three and more that follow each other, and no more
  /// than ten of either: one line must not grow with the number of ranks.
  static func list(_ numbers: [Int]) -> String {
    var ranges: [ClosedRange<Int>] = []
    for number in numbers.sorted() {
      if let last = ranges.last, last.upperBound == number - 1 {
        ranges[ranges.count - 1] = last.lowerBound...number
      } else {
        ranges.append(number...number)
      }
    }
    let words = ranges.flatMap { range in
      range.count > 2 ? ["\(range.lowerBound)-\(range.upperBound)"] : range.map { "\($0)" }
    }
    return words.prefix(10).joined(separator: " ") + (words.count > 10 ? " and more" : "")
  }
}
