import Foundation
import MessagePassing
import Training

extension StudyCommand {
  /// Returns the finished runs.
  func results() -> [StudyResult] {
    runs.compactMap { run in
      guard FileManager.default.fileExists(atPath: "\(directory)/\(run.name)/study.json"),
        let summary = Self.object("\(directory)/\(run.name)/summary.json")
      else { return nil }
      let metrics = try? String(
        contentsOfFile: "\(directory)/\(run.name)/metrics.jsonl", encoding: .utf8)
      return StudyResult(run: run, summary: summary, metrics: metrics ?? "")
    }
  }

  private static func object(_ path: String) -> [String: Any]? {
    FileManager.default.contents(atPath: path).flatMap {
      (try? JSONSerialization.jsonObject(with: $0)) as? [String: Any]
    }
  }

  func writeReport(on world: borrowing Communicator) throws {
    let results = results()
    var references: [StudyReport.Reference] = []
    for method in study.references {
      for run in runs {
        let label = study.label(run, study.dataAxes)
        guard !references.contains(where: { $0.method == method && $0.label == label }),
          let summary = Self.object(referenceFile(run, method))
        else { continue }
        references.append(.init(method: method, label: label, summary: summary))
      }
    }
    let text = StudyReport(
      study: study, results: results, references: references,
      picture: ((report as NSString).lastPathComponent as NSString).deletingPathExtension
        + ".svg",
      made: made(world.size))
    try write(text.markdown, to: report, on: world)
    guard !text.charts.isEmpty else { return }
    let picture = (report as NSString).deletingPathExtension + ".svg"
    try write(Chart.svg(text.charts), to: picture, on: world)
  }

  /// Says how the results were made.
  private func made(_ ranks: Int) -> String {
    let launch = ranks == 1 ? "" : "mpirun -n \(ranks) "
    let options = ["set", "only"].compactMap { name in
      arguments.text(name).map { " --\(name) \($0)" }
    }
    return "`\(launch)h2nn-dist study \(study.path) --out DIR\(options.joined())`, h2nn-dist "
      + Checkpoint.programVersion + (arguments.text("commit").map { ", commit \($0)" } ?? "")
  }
}
