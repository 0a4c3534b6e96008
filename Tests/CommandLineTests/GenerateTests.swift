import ParallelHDF5
import TestSupport
import Testing

@Suite("Generating datasets", .serialized, .waiting)
struct GenerateTests {
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
    "the numbers do not depend on the ranks",
    arguments: [
      "rte-1d --points 20 --samples 70", "rte-1d --points 9 --samples 2 --precision float",
      "custom-operator --points 20 --samples 65 --seed 3", "rte-2d --points 12x9 --samples 70",
      "n-body --points 40 --samples 70 --dimension 3",
      "n-body --points 33 --samples 5 --receivers 21 --charges uniform --seed 4",
    ])
  func ranks(words: String) throws {
    let scratch = try Scratch()
    let alone = try generate(scratch, "0.h5", words)
    let names = try HDF5File.open(alone).names()
    #expect(Set(names).isSuperset(of: ["Input", "Output"]))
    if words.hasPrefix("rte-1d") { #expect(Set(names).isSuperset(of: ["rho", "u", "T", "sa"])) }
    for ranks in [1, 3] {
      let other = try generate(scratch, "\(ranks).h5", words, ranks: ranks)
      #expect(try HDF5File.open(other).names() == names)
      for name in names {
        let (one, two) = (try read(alone, name), try read(other, name))
        #expect(one.map(\.bitPattern) == two.map(\.bitPattern), "\(name), \(ranks) ranks")
        #expect(try HDF5File.open(other).shape(of: name) == HDF5File.open(alone).shape(of: name))
      }
    }
  }

  @Test("seeds give other samples, and more samples begin with the same")
  func seeds() throws {
    let scratch = try Scratch()
    let short = try generate(scratch, "a.h5", "rte-1d --points 16 --samples 5")
    let long = try generate(scratch, "b.h5", "rte-1d --points 16 --samples 9")
    let other = try generate(scratch, "c.h5", "rte-1d --points 16 --samples 5 --seed 2")
    for name in ["/Input", "/Output"] {
      #expect(try Array(read(long, name).prefix(80)) == read(short, name))
      #expect(try read(other, name) != read(short, name))
    }
    #expect(Set(try read(long, "/rho")).count == 18)
  }

  @Test("given fields are labelled as generated ones are", arguments: [nil, 3])
  func inputs(ranks: Int?) throws {
    let scratch = try Scratch()
    for problem in ["rte-1d", "custom-operator"] {
      let made = try generate(scratch, "\(problem).h5", "\(problem) --points 20 --samples 11")
      let labelled = try generate(
        scratch, "\(problem)-labelled.h5", problem, ["--inputs", made], ranks: ranks)
      for name in ["/Input", "/Output"] {
        #expect(try read(labelled, name) == read(made, name))
        #expect(try HDF5File.open(labelled).shape(of: name) == [11, 20])
      }
      #expect(try !HDF5File.open(labelled).exists("/rho"))
    }
  }

  @Test("numbers are stored in the precision that is asked for")
  func precision() throws {
    let scratch = try Scratch()
    let words = "rte-1d --points 16 --samples 5"
    let double = try generate(scratch, "double.h5", words)
    let float = try generate(scratch, "float.h5", "\(words) --precision float")
    for (path, kind) in [(double, HDF5ElementKind.float64), (float, .float32)] {
      for name in ["/Input", "/Output"] {
        #expect(try HDF5File.open(path).elementKind(of: name) == kind)
      }
    }
    let rounded = try read(double, "/Output").map { Double(Float($0)) }
    #expect(try read(float, "/Output") == rounded)
  }

  @Test("the file tells how it was made")
  func attributes() throws {
    let scratch = try Scratch()
    let out = scratch.file("d.h5")
    let words = ["generate", "rte-1d", "--points", "16", "--samples", "5", "--seed", "12"]
    let summary = try scratch.summary(of: words + ["--out", out], ranks: 2)
    #expect(summary.keys.isSuperset(of: ["problem", "samples", "points", "seconds", "ranks"]))
    #expect(try summary.integer("samples") == 5)
    #expect(try summary.integer("ranks") == 2)
    let file = try HDF5File.open(out)
    #expect(try file.attribute("problem", as: String.self) == "rte-1d")
    #expect(try file.attribute("seed", as: Int64.self) == 12)
    #expect(try file.attribute("program", as: String.self).hasPrefix("h2nn-dist "))
  }

  @Test("options of the problem change the fields")
  func options() throws {
    let scratch = try Scratch()
    let words = "rte-1d --points 16 --samples 3"
    let plain = try generate(scratch, "plain.h5", words)
    let dense = try generate(scratch, "dense.h5", "\(words) --absorption 0.5")
    #expect(try read(dense, "/Input") == read(plain, "/Input"))
    #expect(try read(dense, "/Output") != read(plain, "/Output"))
    let single = try generate(scratch, "single.h5", "\(words) --gaussians 1 --amplitude 0.2,0.2")
    #expect(try read(single, "/rho") == [0.2, 0.2, 0.2])
    #expect(try read(single, "/Input") != read(plain, "/Input"))
  }
}
