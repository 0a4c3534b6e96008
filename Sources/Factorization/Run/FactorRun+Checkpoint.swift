import BlockKernels
import BlockSparse
import Checkpoints
import Foundation
import KrylovMethods
import MessagePassing
import NetworkExecution
import OperatorNetworks
import ParallelHDF5

/// The number of checkpoints that a run keeps.
private let keptCheckpoints = 2

extension FactorRun {
  /// Writes a checkpoint of the present state.
  ///
  /// Collective.
  mutating func writeCheckpoint(on world: borrowing Communicator) throws {
    let parts = factors.arrayParts(isCounted: world.rank == 0)
    state.digest = try Digest.of(parameters.span, parts, on: world)
    state.progress = refinement?.progress
    state.refinementArrays = refinement?.arrays.keys.sorted() ?? []
    let lines = try world.broadcast(Array(metrics.utf8), from: 0)
    let (parameters, classical, refinement, factors) = (
      parameters, classical, refinement, factors
    )
    let (configuration, state) = (configuration, state)
    try Checkpoint.publish(
      step: state.step, in: options.directory, keeping: keptCheckpoints, on: world
    ) { writer in
      try writer.write("/metrics", lines)
      try writer.write(factors.upper.networks.forward)
      try writer.write(FactorArray.parameters.group, parts, of: parameters)
      if let classical {
        try writer.write(FactorArray.classical.group, parts, of: classical)
      }
      for name in state.refinementArrays {
        try writer.write("/refinement/\(name)", refinement?.arrays[name] ?? [])
      }
      return SavedDescription(configuration: configuration, state: state)
    }
    try world.agree {
      if world.rank == 0 { try RunDirectory.write(metrics: metrics, in: options.directory) }
    }
  }

  /// Adds a line to the metrics.
  mutating func record(_ step: RefinementStep, on world: borrowing Communicator) throws {
    let object: [String: Any] = [
      "step": step.step, "loss": jsonNumber(step.loss),
      "direct_loss": jsonNumber(step.directLoss), "inverse_loss": jsonNumber(step.inverseLoss),
      "inner_iterations": step.innerIterations, "step_length": jsonNumber(step.stepLength),
      "seconds": state.refinementSeconds,
    ]
    let data = try JSONSerialization.data(withJSONObject: object, options: .sortedKeys)
    metrics += String(decoding: data, as: UTF8.self) + "\n"
    try world.agree {
      if world.rank == 0 { try RunDirectory.write(metrics: metrics, in: options.directory) }
    }
  }

  /// Measures the factors.
  ///
  /// Collective.
  func summarize(
    on world: borrowing Communicator, note: (String) -> Void
  ) throws -> FactorSummary {
    guard let serial = try serialFactors(parameters, on: world) else {
      throw RunError.data("a diagonal block of the factors is singular: they cannot be solved with")
    }
    let count = try count(parameters, state.form, on: world)
    let spectrum = try FactorSpectrum(serial, ordered, on: world)
    let moduli = spectrum?.values.map {
      ($0.real * $0.real + $0.imaginary * $0.imaginary).squareRoot()
    }
    let exactRange =
      ordered.isSymmetric
      ? spectrum.map { ($0.values.first?.real ?? 0, $0.values.last?.real ?? 0) }
      : moduli.map { ($0.min() ?? 0, $0.max() ?? 0) }
    let estimate = count?.eigenvalues.map { ($0.smallest, $0.largest) }
    let classical: [(StartKind, Int?)] = state.classicalIterations.compactMap { name, count in
      StartKind(rawValue: name).map { ($0, count < 0 ? nil : count) }
    }
    return FactorSummary(
      facts: facts, form: state.form, start: state.start,
      classicalIterations: Dictionary(uniqueKeysWithValues: classical),
      iterations: count?.iterations, steps: state.step, keepsStart: state.keepsStart,
      incompleteShift: state.incompleteShift, error: try FactorError(serial, ordered, on: world),
      solutions: try SolutionErrors(serial, ordered, on: world), spectrum: spectrum,
      eigenvalueRange: exactRange ?? estimate, startSeconds: state.startSeconds,
      refinementSeconds: state.refinementSeconds, digest: state.digest)
  }
}
