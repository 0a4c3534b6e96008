import Checkpoints
import Foundation
import MessagePassing
import Training

extension StudyCommand {
  /// Returns the finished runs, also those of earlier calls.
  func results() -> [StudyResult] {
    all.compactMap { run in
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

  /// Writes tables and charts of what is finished, on rank 0.
  ///
  /// Collective.
  func writeReport(on world: borrowing Communicator) throws {
    // The other ranks wait for the first one.
    try world.stallWatch.resting {
      try world.agree {
        guard world.rank == 0 else { return }
        let stem = (report as NSString).deletingPathExtension
        let text = StudyReport(
          study: study, results: results(), references: references(),
          picture: (stem as NSString).lastPathComponent + ".svg", made: made(world.size))
        try Self.write(text.markdown, to: report)
        if !text.charts.isEmpty { try Self.write(Chart.svg(text.charts), to: stem + ".svg") }
      }
    }
  }

  private func references() -> [StudyReport.Reference] {
    var references: [StudyReport.Reference] = []
    for method in study.references {
      for run in all {
        let label = study.label(run, study.dataAxes)
        guard !references.contains(where: { $0.method == method && $0.label == label }),
          let summary = Self.object(referenceFile(run, method))
        else { continue }
        references.append(.init(method: method, label: label, summary: summary))
      }
    }
    return references
  }

  /// Writes a file, on one rank.
  static func write(_ text: String, to path: String) throws(RunError) {
    do {
      try text.write(toFile: path, atomically: true, encoding: .utf8)
    } catch {
      throw RunError(
        exitStatus: 73, "\(path): cannot be written: \(ExitStatus.reason(of: error))")
    }
  }

  /// Says how the results were made.
  private func made(_ ranks: Int) -> String {
    let launch = ranks == 1 ? "" : "mpirun -n \(ranks) "
    let set = arguments.text("set").map { " --set \($0)" } ?? ""
    return "`\(launch)h2nn-dist study \(study.path) --out DIR\(set)`, h2nn-dist "
      + Checkpoint.programVersion + (arguments.text("commit").map { ", commit \($0)" } ?? "")
  }
}
