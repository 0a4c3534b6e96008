import ClusterTrees
import Testing

@Suite struct BoxListsTests {
  @Test func wrongRowsTrap() async {
    await #expect(processExitsWith: .failure) { _ = BoxLists(offsets: [0, 2], indices: [1]) }
    await #expect(processExitsWith: .failure) { _ = BoxLists(offsets: [0, 2, 1], indices: [1]) }
    await #expect(processExitsWith: .failure) { _ = BoxLists(offsets: [], indices: []) }
    await #expect(processExitsWith: .failure) {
      _ = BoxLists(offsets: [0, 1], indices: [1]).sources(of: 1)
    }
  }

  @Test func rowsAreRead() {
    let lists = BoxLists(offsets: [0, 2, 2, 3], indices: [4, 5, 6])
    #expect(lists.targetCount == 3 && lists.entryCount == 3)
    #expect(Array(lists.sources(of: 0)) == [4, 5])
    #expect(lists.sources(of: 1).isEmpty)
  }
}
