import Testing

@testable import MessagePassing

struct WaitTests {
  @Test(
    "ranks are listed in order and in ranges",
    arguments: [
      ([], ""), ([3], "3"), ([2, 1], "1 2"), ([4, 0, 1, 2, 6, 7], "0-2 4 6 7"),
      (Array(0..<30), "0-29"),
      (Array(stride(from: 0, to: 30, by: 2)), "0 2 4 6 8 10 12 14 16 18 and more"),
    ])
  func list(ranks: [Int], text: String) {
    #expect(Wait.list(ranks) == text)
  }

  @Test("an operation of one rank alone waits for none")
  func alone() {
    let wait = Wait(name: "barrier", peer: .group([5]), tag: nil)
    #expect(wait.text(rank: 5) == ": barrier")
  }
}
