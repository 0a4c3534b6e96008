import BlockSparse
import ClusterTrees
import Testing

@Suite struct BlockPatternTests {
  /// The ancestor of a box by steps from child to parent.
  private func ancestor(_ tree: ClusterTree, _ box: Int, from fine: Int, to level: Int) -> Int {
    stride(from: fine, to: level, by: -1).reduce(box) { tree.parent(level: $1, box: $0) }
  }

  @Test(arguments: LayerCase.trees.map(\.0))
  func transfersOverLevelsFollowTheParents(name: String) throws {
    let tree = try #require(LayerCase.trees.first { $0.0 == name }?.1)
    for level in 0...tree.levels {
      for fine in level...tree.levels {
        let up = BlockPattern.descendantsToAncestors(tree, from: fine, to: level, sharing: .own)
        let down = BlockPattern.ancestorsToDescendants(tree, from: level, to: fine, sharing: .own)
        #expect(up.targetCount == tree.boxCount(level: level) && up.sourceCount == down.targetCount)
        var seen = 0
        for box in 0..<up.targetCount {
          for entry in up.entries(of: box) {
            let source = Int(up.sources[entry])
            #expect(source == seen && ancestor(tree, source, from: fine, to: level) == box)
            #expect(down.sources[source] == Int32(box))
            seen += 1
          }
        }
        #expect(seen == tree.boxCount(level: fine) && down.entryCount == seen)
      }
    }
  }

  /// Blocks are shared by the place under the common ancestor.
  @Test func sharedTransfersHaveABlockForEachPlace() throws {
    let tree = try ClusterTree.uniform(.grid([8, 8]), leaf: 1, levels: nil)
    let up = BlockPattern.descendantsToAncestors(tree, from: 3, to: 1, sharing: .offset)
    let down = BlockPattern.ancestorsToDescendants(tree, from: 1, to: 3, sharing: .offset)
    #expect(up.slotCounts == [16] && down.slotCounts == [Int](repeating: 1, count: 16))
    for source in 0..<64 {
      #expect(up.slots[source] == Int32(source % 16) && down.groups[source] == Int32(source % 16))
    }
  }

  /// What a block reads goes through its hidden box, whose row stands where the block stood.
  @Test(arguments: LayerCase.all)
  func hiddenBoxesStandForBlocks(layerCase: LayerCase) {
    let pattern = layerCase.layer.pattern
    let (first, second) = pattern.withHiddenBoxes()
    #expect(first.targetCount == pattern.entryCount && second.sourceCount == pattern.entryCount)
    #expect(first.entryCount == pattern.entryCount && second.entryCount == pattern.entryCount)
    var networks: [[Int32]: Int32] = [:]
    for row in 0..<pattern.targetCount {
      #expect(second.entries(of: row) == pattern.entries(of: row))
      #expect(second.groups[row] == pattern.groups[row])
      for entry in pattern.entries(of: row) {
        let hidden = Int(second.sources[entry])
        #expect(first.entries(of: hidden).map { first.sources[$0] } == [pattern.sources[entry]])
        #expect(second.slots[entry] == pattern.slots[entry])
        // One network for each block of weights.
        let block = [pattern.groups[row], pattern.slots[entry]]
        let network = networks[block, default: first.groups[hidden]]
        #expect(network == first.groups[hidden])
        networks[block] = network
      }
    }
    #expect(Set(networks.values).count == networks.count)
    #expect(first.slotCounts.count == pattern.slotCounts.reduce(0, +))
  }
}
