import ParallelHDF5
import TestSupport
import Testing

@Suite("Generating datasets in more than one dimension", .serialized, .waiting)
struct GenerateShapeTests {
  private func generate(
    _ scratch: borrowing Scratch, _ name: String, _ words: String, _ more: [String] = [],
    ranks: Int? = nil
  ) throws -> String {
    let out = scratch.file(name)
    let launch = try program(
      ["generate"] + words.split(separator: " ").map(String.init) + more + ["--out", out],
      ranks: ranks)
    try #require(launch.status == 0, "\(launch.errors)")
    return out
  }

  private func shapes(_ path: String) throws -> [String: [Int]] {
    let file = try HDF5File.open(path)
    return try Dictionary(
      uniqueKeysWithValues: file.names().map { ($0, try file.shape(of: "/\($0)")) })
  }

  @Test("fields on grids are samples × n1 × n2")
  func grids() throws {
    let scratch = try Scratch()
    let made = try generate(scratch, "d.h5", "rte-2d --points 6x8 --samples 5")
    #expect(
      try shapes(made) == [
        "Input": [5, 6, 8], "Output": [5, 6, 8], "rho": [5, 2], "u1": [5, 2], "u2": [5, 2],
        "T": [5, 1], "sa": [1],
      ])
    #expect(try read(made, "/sa") == [0.2])
    #expect(try HDF5File.open(made).attribute("scaling", as: String.self) == "columns")
    let other = try generate(scratch, "r.h5", "rte-2d --points 6x8 --samples 5 --scaling rows")
    #expect(try read(other, "/Input") == read(made, "/Input"))
    #expect(try read(other, "/Output") != read(made, "/Output"))
  }

  @Test("given fields of two dimensions are labelled", arguments: [nil, 3])
  func givenGrids(ranks: Int?) throws {
    let scratch = try Scratch()
    let made = try generate(scratch, "d.h5", "rte-2d --points 20x24 --samples 4")
    let given = try generate(scratch, "e.h5", "rte-2d", ["--inputs", made], ranks: ranks)
    #expect(try shapes(given) == ["Input": [4, 20, 24], "Output": [4, 20, 24], "sa": [1]])
    #expect(try read(given, "/Input") == read(made, "/Input"))
    // Between its values a given field is interpolated, on a coarse grid.
    let error = relativeError(try read(made, "/Output"), try read(given, "/Output"))
    #expect(error > 0 && error < 1e-3, "\(error)")
  }

  @Test("charges and potentials stand on clouds")
  func clouds() throws {
    let scratch = try Scratch()
    let same = try generate(scratch, "a.h5", "n-body --points 20 --samples 3")
    #expect(try shapes(same) == ["Input": [3, 20], "Output": [3, 20], "Points": [20, 2]])
    let made = try generate(
      scratch, "b.h5", "n-body --points 20 --samples 3 --receivers 7 --dimension 3")
    #expect(
      try shapes(made) == [
        "Input": [3, 20], "Output": [3, 7], "Points": [20, 3], "OutputPoints": [7, 3],
      ])
    // The points are those of the file that is labelled.
    for file in [same, made] {
      let given = try generate(scratch, "\(file.hashValue).h5", "n-body", ["--inputs", file])
      #expect(try shapes(given) == shapes(file))
      for name in try shapes(file).keys { #expect(try read(given, name) == read(file, name)) }
    }
  }

  @Test("a network is trained on clouds", arguments: ["", "--receivers 60"])
  func training(words: String) throws {
    let scratch = try Scratch()
    let data = try generate(scratch, "d.h5", "n-body --points 80 --samples 120 \(words)")
    let summary = try scratch.summary(
      of: ["train", "--data", data, "--out", scratch.file("run"), "--model", "h2nn"] + small
        + ["--iterations", "60", "--activation", "identity"])
    #expect(try summary.number("train_error") < 1)
  }

  @Test("fields of other dimensions are refused")
  func wrongDimensions() throws {
    let scratch = try Scratch()
    let line = try generate(scratch, "a.h5", "rte-1d --points 20 --samples 3")
    let cloud = try generate(scratch, "b.h5", "n-body --points 20 --samples 3")
    let plane = try generate(scratch, "c.h5", "rte-2d --points 5x4 --samples 3")
    let out = ["--out", scratch.file("d.h5")]
    for (problem, file, words) in [
      ("rte-2d", line, "two dimensions"), ("rte-2d", cloud, "two dimensions"),
      ("rte-1d", plane, "one dimension"), ("rte-1d", cloud, "one dimension"),
      ("custom-operator", plane, "one dimension"),
    ] {
      try expectFailure(
        ["generate", problem, "--inputs", file] + out, status: 65, [problem, words, "/Input"])
    }
  }
}
