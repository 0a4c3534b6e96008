import Checkpoints
import Factorization
import Foundation
import OperatorNetworks

/// What is said of factors: lines, a table, and the summary.
enum FactorReport {
  /// What a run works with.
  static func lines(_ facts: FactorFacts) -> [String] {
    let (matrix, factors) = (facts.configuration.matrix, facts.configuration.factors)
    let shape = matrix.points.map { " on \($0.map(String.init).joined(separator: "x"))" } ?? ""
    let leaf =
      facts.leafSizes.count == 1
      ? "\(facts.leafSizes.lowerBound)"
      : "\(facts.leafSizes.lowerBound) to \(facts.leafSizes.upperBound)"
    let training = facts.configuration.refinement
    let ratio = Double(facts.parameters) / Double(facts.unknowns)
    return [
      "matrix     \(matrix.matrix)\(shape): \(facts.unknowns) unknowns, \(facts.entries) entries, "
        + (facts.isSymmetric ? "symmetric: U = Lᵀ" : "not symmetric: L and U"),
      "factors    \(factors.pattern?.rawValue ?? ""), order \(factors.order?.rawValue ?? ""), "
        + "\(facts.levels) levels, leaves of \(leaf), \(factors.channels) channels: "
        + "\(facts.parameters) parameters, \(Voice.short(ratio)) per unknown",
      "training   "
        + (training.method == .none
          ? "none" : "\(training.method.rawValue), loss \(training.loss.rawValue)"),
    ] + (facts.stepsMade.map { ["continues after step \($0)"] } ?? [])
  }

  /// A line of progress.
  static func line(_ progress: FactorProgress) -> String {
    switch progress {
    case .start(let kind, let iterations):
      return
        "start \(kind.rawValue.padded(to: 9)) \(iterations.map { "\($0) iterations" } ?? "no convergence")"
    case .step(let step):
      // The terms of the loss, where it has several.
      let terms = [("direct", step.directLoss), ("inverse", step.inverseLoss)].filter { $0.1 != 0 }
        .map { "  \($0.0) \(Voice.short($0.1))" }.joined()
      return "step \(step.step)  loss \(Voice.short(step.loss))\(terms)  "
        + "inner iterations \(step.innerIterations)  length \(Voice.short(step.stepLength))"
    }
  }

  /// The results for people.
  static func table(_ summary: FactorSummary) -> String {
    func row(_ title: String, _ value: String?) -> String? {
      value.map { title.padded(to: 28) + $0 }
    }
    func number(_ value: Double?) -> String? { value.map(Voice.short) }
    func count(_ value: Int?) -> String { value.map { "\($0)" } ?? "no convergence" }
    let starts = StartKind.allCases.compactMap { kind in
      summary.classicalIterations[kind].map { "\(kind.rawValue) \(count($0))" }
    }
    let solutions = summary.solutions
    return [
      row("parameters", "\(summary.facts.parameters)"),
      row("parameters per unknown", number(perUnknown(summary))),
      row("start", summary.start.rawValue), row("form", summary.form.rawValue),
      row("iterations, classical", starts.isEmpty ? nil : starts.joined(separator: ", ")),
      row(
        "iterations",
        count(summary.iterations)
          + (summary.keepsStart ? " (the start; training did not help)" : "")),
      row(
        "‖A − LU‖/‖A‖, Frobenius",
        number(summary.error.relativeFrobenius).map {
          $0 + (summary.error.isEstimate ? " (estimated)" : "")
        }),
      row("‖A − LU‖/‖A‖, spectral", number(summary.error.relativeSpectral)),
      row("error of solutions", number(solutions?.forward)),
      row("  LAPACK", number(solutions?.lapack?.forward)),
      row("backward error", number(solutions?.backward)),
      row("  LAPACK", number(solutions?.lapack?.backward)),
      row(
        "eigenvalues of K",
        summary.eigenvalueRange.map { "\(Voice.short($0.smallest)) to \(Voice.short($0.largest))" }),
      row("seconds, start", number(summary.startSeconds)),
      row("seconds, training", number(summary.refinementSeconds)),
      row("digest", summary.digest),
    ].compactMap { $0 }.joined(separator: "\n")
  }

  private static func perUnknown(_ summary: FactorSummary) -> Double {
    Double(summary.facts.parameters) / Double(summary.facts.unknowns)
  }

  /// The object of the summary.
  static func object(_ summary: FactorSummary) -> [String: Any] {
    let (facts, solutions) = (summary.facts, summary.solutions)
    let settings = try? JSONSerialization.jsonObject(with: Data(facts.configuration.json.utf8))
    let classical = [StartKind.plain, .scaled, .inverse].map { kind in
      (kind.rawValue, jsonInteger(summary.classicalIterations[kind] ?? nil))
    }
    return [
      "unknowns": facts.unknowns, "entries": facts.entries, "is_symmetric": facts.isSymmetric,
      "parameters": facts.parameters, "parameters_per_unknown": perUnknown(summary),
      "levels": facts.levels, "form": summary.form.rawValue, "start": summary.start.rawValue,
      "steps": summary.steps, "keeps_start": summary.keepsStart,
      "incomplete_shift": jsonNumber(summary.incompleteShift),
      "relative_frobenius": jsonNumber(summary.error.relativeFrobenius),
      "relative_frobenius_is_estimate": summary.error.isEstimate,
      "relative_spectral": jsonNumber(summary.error.relativeSpectral),
      "solution_samples": jsonInteger(solutions?.samples),
      "solution_error": jsonNumber(solutions?.forward),
      "backward_error": jsonNumber(solutions?.backward),
      "lapack_solution_error": jsonNumber(solutions?.lapack?.forward),
      "lapack_backward_error": jsonNumber(solutions?.lapack?.backward),
      "eigenvalue_min": jsonNumber(summary.eigenvalueRange?.smallest),
      "eigenvalue_max": jsonNumber(summary.eigenvalueRange?.largest),
      "iterations_classical": Dictionary(uniqueKeysWithValues: classical),
      "iterations": jsonInteger(summary.iterations),
      "seconds_start": summary.startSeconds, "seconds_refinement": summary.refinementSeconds,
      "settings": settings ?? NSNull(), "digest": summary.digest,
    ]
  }
}
