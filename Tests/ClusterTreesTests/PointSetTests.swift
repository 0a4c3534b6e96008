import ClusterTrees
import Testing

@Suite struct PointSetTests {
  @Test func gridPointsStandInCellCentres() {
    let line = PointSet.grid([4])
    #expect(line.coordinates == [0.125, 0.375, 0.625, 0.875])
    #expect(line.gridShape == [4])
    #expect(line.count == 4 && line.dimension == 1)
  }

  @Test func gridIsRowMajor() {
    let points = PointSet.grid([2, 1, 4])
    #expect(points.count == 8)
    for i in 0..<2 {
      for k in 0..<4 {
        let first = (i * 4 + k) * 3
        #expect(
          Array(points.coordinates[first..<first + 3])
            == [(Double(i) + 0.5) / 2, 0.5, (Double(k) + 0.5) / 4])
      }
    }
  }

  @Test func cloudKeepsItsCoordinates() throws {
    let points = try PointSet(coordinates: [1, 2, 3, 4, 5, 6], dimension: 3)
    #expect(points.count == 2)
    #expect(points.coordinates == [1, 2, 3, 4, 5, 6])
    #expect(points.gridShape == nil)
  }

  @Test(arguments: [
    ([0.0, .nan, 1.0, 2.0], 2, "coordinate 1 of point 0 is nan"),
    ([0.0, 1.0, -.infinity], 1, "coordinate 0 of point 2 is -inf"),
    ([], 2, "give at least 1 point"),
    ([1.0, 2.0, 3.0], 2, "3 coordinates do not make points of 2 dimensions"),
    ([1.0, 2.0, 3.0, 4.0], 4, "give 1, 2 or 3"),
    ([1.0], 0, "give 1, 2 or 3"),
  ])
  func cloudRejectsWrongCoordinates(values: [Double], dimension: Int, part: String) {
    let error = #expect(throws: ClusterTreeError.self) {
      try PointSet(coordinates: values, dimension: dimension)
    }
    #expect(error?.message.contains(part) == true, "\(error?.message ?? "none")")
  }

  @Test func gridTrapsOnWrongShapes() async {
    await #expect(processExitsWith: .failure) { _ = PointSet.grid([]) }
    await #expect(processExitsWith: .failure) { _ = PointSet.grid([4, 0]) }
    await #expect(processExitsWith: .failure) { _ = PointSet.grid([1 << 40, 1 << 40]) }
  }
}
