import ParallelHDF5
import TestSupport
import Testing

@Suite("Generating ground states and densities", .serialized, .waiting)
struct WaveGenerateTests {
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

  @Test(
    "the numbers do not depend on the ranks, and given potentials get the same labels",
    arguments: [
      ("nlse-1d --points 40 --samples 7", "rho u T E", [40]),
      ("nlse-2d --points 12x10 --samples 5 --beta 100", "rho u1 u2 T E", [12, 10]),
      ("kohn-sham-1d --points 150 --samples 7 --wells 3", "a c sigma Eigs", [150]),
      (
        "kohn-sham-2d --points 20x16 --samples 5 --electrons 1 --length 12 --gap 3",
        "a c1 c2 sigma Eigs", [20, 16]
      ),
    ])
  func ranks(words: String, names: String, shape: [Int]) throws {
    let scratch = try Scratch()
    let alone = try generate(scratch, "0.h5", words)
    let datasets = ["Input", "Output"] + names.split(separator: " ").map(String.init)
    let samples = words.contains("samples 7") ? 7 : 5
    for ranks in [3] {
      let other = try generate(scratch, "\(ranks).h5", words, ranks: ranks)
      #expect(try Set(HDF5File.open(other).names()) == Set(datasets))
      for name in datasets {
        let (one, two) = (try read(alone, "/\(name)"), try read(other, "/\(name)"))
        #expect(one.map(\.bitPattern) == two.map(\.bitPattern), "\(name), \(ranks) ranks")
      }
    }
    #expect(try HDF5File.open(alone).shape(of: "/Output") == [samples] + shape)
    // What belongs to the solution goes with it, what belongs to the sampling does not.
    let problem = words.split(separator: " ")[0]
    let own = ["--beta", "--electrons", "--length"].flatMap { option -> [String] in
      let all = words.split(separator: " ").map(String.init)
      guard let place = all.firstIndex(of: option) else { return [] }
      return [option, all[place + 1]]
    }
    let electrons = words.contains("--wells 3") ? ["--electrons", "3"] : []
    let labelled = try generate(
      scratch, "labelled.h5", String(problem), own + electrons + ["--inputs", alone], ranks: 2)
    let result = problem.hasPrefix("nlse") ? "E" : "Eigs"
    #expect(try Set(HDF5File.open(labelled).names()) == ["Input", "Output", result])
    for name in ["Input", "Output", result] {
      #expect(try read(labelled, "/\(name)") == read(alone, "/\(name)"))
    }
  }

  @Test("given potentials need no room for wells")
  func smallCells() throws {
    let scratch = try Scratch()
    let made = try generate(scratch, "a.h5", "nlse-1d --points 40 --samples 3")
    let labelled = try generate(
      scratch, "b.h5", "kohn-sham-1d --length 1", ["--inputs", made], ranks: 2)
    #expect(try HDF5File.open(labelled).shape(of: "/Eigs") == [3, 3])
    // ∫ ρ = 2 in the cell of length 1.
    let density = try read(labelled, "/Output")
    let electrons: Double = density[..<40].reduce(0, +) / 40
    #expect(abs(electrons - 2) < 1e-11)
  }

  @Test("options of the problems change the potentials and the file tells them")
  func options() throws {
    let scratch = try Scratch()
    let words = "nlse-1d --points 40 --samples 3"
    let plain = try generate(scratch, "plain.h5", words)
    let paper = try generate(scratch, "paper.h5", "\(words) --amplitude 1,4")
    #expect(try read(paper, "/rho").allSatisfy { $0 >= 1 && $0 < 4 })
    #expect(try read(plain, "/rho").allSatisfy { $0 >= 10 && $0 < 40 })
    let file = try HDF5File.open(paper)
    #expect(try file.attribute("beta", as: Double.self) == 10)
    #expect(try file.attribute("problem", as: String.self) == "nlse-1d")
    let linear = try generate(scratch, "linear.h5", "\(words) --beta 0")
    #expect(try read(linear, "/Input") == read(plain, "/Input"))
    #expect(try read(linear, "/Output") != read(plain, "/Output"))
    let wells = try generate(
      scratch, "wells.h5", "kohn-sham-1d --points 150 --samples 2 --wells 4 --sigma 1,1.5")
    #expect(try HDF5File.open(wells).shape(of: "/a") == [2, 4])
    #expect(try HDF5File.open(wells).shape(of: "/Eigs") == [2, 5])
    #expect(try HDF5File.open(wells).attribute("electrons", as: Int64.self) == 4)
    #expect(try HDF5File.open(wells).attribute("centre_gap", as: Double.self) == 6)
    #expect(try read(wells, "/sigma").allSatisfy { $0 >= 1 && $0 < 1.5 })
    // ∫ ρ is the number of electrons.
    let density = try read(wells, "/Output")
    let electrons: Double = density[..<150].reduce(0, +) * 80 / 150
    #expect(abs(electrons - 4) < 1e-11)
  }

  @Test(
    "wrong options are refused on all ranks",
    arguments: [
      ("nlse-1d --beta -1", 64, "--beta"), ("nlse-1d --points 2", 64, "points"),
      ("nlse-2d --points 40", 64, "80x80"), ("nlse-1d --gaussians 30", 64, "gap"),
      ("kohn-sham-1d --electrons 320", 64, "electrons"),
      ("kohn-sham-2d --wells 9", 64, "gap"), ("kohn-sham-1d --beta 1", 64, "--sigma"),
      ("kohn-sham-1d --length 0", 64, "--length"), ("kohn-sham-1d --wells 0", 64, "wells"),
    ])
  func refusals(words: String, status: Int32, told: String) throws {
    let scratch = try Scratch()
    for ranks in [nil, 2] {
      let launch = try program(
        ["generate"] + words.split(separator: " ").map(String.init)
          + ["--samples", "1", "--out", scratch.file("a.h5")], ranks: ranks)
      #expect(launch.status == status)
      #expect(launch.errors.contains(told), "\(launch.errors)")
    }
  }
}
