import Testing

@testable import BlockSparse

@Suite struct SourcePanelTests {
  /// Windows of three boxes, wide rows, empty rows, rows that go back, and one row that sees everything.
  static let rows: [[Range<Int>]] = [
    (0..<100).map { max(0, 6 * $0 - 6)..<min(600, 6 * $0 + 12) },
    (0..<40).map { 10 * $0..<10 * $0 + 210 },
    [0..<0, 5..<9, 0..<0, 590..<600, 3..<4, 0..<600], [0..<600], [], [0..<3, 0..<2],
  ]

  @Test(arguments: rows, [600, 602])
  func rowsLieInsideOfTheirPanels(rows: [Range<Int>], held: Int) {
    let (panels, places) = SourcePanel.plan(rows, held: held)
    #expect(places.count == rows.count)
    #expect(zip(places, places.dropFirst()).allSatisfy { $0 <= $1 })
    for (row, place) in zip(rows, places) where !row.isEmpty {
      let panel = panels[Int(place)]
      #expect(panel.start <= row.lowerBound && row.upperBound <= panel.start + panel.channels)
    }
    for panel in panels {
      #expect(panel.start >= 0 && panel.start + panel.channels <= held)
      #expect(panel.channels % 4 == 0 || panel.channels == held)
    }
  }

  @Test func neighboursShareAPanel() {
    let panels = SourcePanel.plan(Self.rows[0], held: 600).panels
    // 100 rows of 18 channels, each 6 further: panels of 128 channels hold 19 of them.
    #expect(panels.count == 6 && panels.allSatisfy { $0.channels <= 128 })
    let wide = SourcePanel.plan(Self.rows[1], held: 600).panels
    // Twice the channels of the first row, so that no channel is transposed much more than twice.
    #expect(wide.count == 2 && wide.allSatisfy { $0.channels <= 420 })
  }

  @Test(arguments: [0, 1, 15, 16, 17, 31, 33, 128, 129])
  func stridesAreOddNumbersOfLines(channels: Int) {
    for (stride, line) in [
      (SourcePanel.stride(channels, of: Float.self), 16),
      (SourcePanel.stride(channels, of: Double.self), 8),
    ] {
      #expect(stride >= channels && stride % (2 * line) == line && stride < channels + 2 * line + 1)
    }
  }
}
