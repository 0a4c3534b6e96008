import BlockKernels
import ClusterTrees
import Datasets
import Foundation
import OperatorNetworks
import Training

/// What `train` says before the first step: what was read, and what was chosen.
struct RunReport {
  let facts: RunFacts

  /// The lines: data, split, network, recipe and ranks.
  var lines: [String] {
    [
      line("data", data), line("split", split), line("network", network),
      line("recipe", recipe), line("ranks", ranks),
    ]
  }

  private func line(_ title: String, _ text: String) -> String { title.padded(to: 10) + text }

  private func shape(_ sizes: [Int]) -> String {
    sizes.map(String.init).joined(separator: "x")
  }

  private var data: String {
    let file = facts.file
    let outputs = file.outputShape.map { shape(Array($0.dropFirst())) } ?? ""
    return
      "\(file.path): \(file.sampleCount) samples (\(file.layout.samplesLast ? "last" : "first") dimension), "
      + "\(file.layout.inputName) \(shape(Array(file.inputShape.dropFirst()))) → "
      + "\(file.layout.outputName) \(outputs), "
      + PointDescription(file.points, file.outputPoints).text
  }

  private var split: String {
    Part.allCases.map { "\(facts.sampleCount(of: $0)) \($0.rawValue)" }.joined(separator: ", ")
      + ", in the order of the file"
  }

  private var network: String {
    let network = facts.configuration.network
    var parts = ["\(facts.parameters) parameters"]
    switch network.model {
    case .mnnH2, .mnnH: parts.append("\(network.sharing.rawValue) weights")
    case .gfmm: parts.append("\(network.sharing.rawValue) weights")
    case .h2nn, .conv, .dense: break
    }
    if network.model != .gfmm { parts.append(network.activation.rawValue) }
    if network.model != .dense {
      parts.append(
        network.skeleton.map { "channels by the skeleton \($0.rawValue)" }
          ?? "\(network.channels) channels")
      parts += [facts.leaves].compactMap { $0 }
    }
    parts.append(
      network.model == .gfmm
        ? "\((network.bridges ?? .usual).rawValue) bridges" : "\(network.layers) layers")
    return "\(network.model.rawValue): " + parts.joined(separator: ", ")
  }

  private var recipe: String {
    let training = facts.configuration.training
    let rate = Voice.short(training.learningRate ?? 0)
    let epochs = Voice.short(facts.epochs)
    return "\(training.loss.rawValue) loss, \(training.optimizer.rawValue), learning rate \(rate) "
      + "\(training.schedule.rawValue), \(training.iterations) steps (\(epochs) epochs), batch "
      + "\(training.batch), seed \(training.seed), \(training.precision.rawValue)"
      + (facts.stepsMade > 0 ? "; going on after step \(facts.stepsMade)" : "")
  }

  private var ranks: String {
    let count = facts.dataGroups * facts.treeRanks
    return "\(count): \(facts.dataGroups)x\(facts.treeRanks), data groups × tree ranks"
  }
}

/// The table of progress: titles once, then a line now and then.
struct ProgressTable {
  private var hasTitles = false

  private static func row(_ cells: [String]) -> String {
    zip(cells, [15, 12, 18, 10, 14]).map { $0.aligned(to: $1) }.joined()
  }

  /// Prints the progress of a run.
  mutating func print(_ progress: Training.Progress) {
    if !hasTitles {
      Voice.note(Self.row(["step", "loss", "validation error", "ms/step", "time left"]))
      hasTitles = true
    }
    let error = progress.validationError.map(Voice.short)
    Voice.progress(
      Self.row([
        "\(progress.step)/\(progress.iterations)", Voice.short(progress.loss),
        progress.isValidated ? error ?? "" : "", Voice.short(progress.secondsPerStep * 1000),
        Voice.duration(progress.secondsLeft),
      ]), stays: progress.isValidated || progress.isLast)
  }
}
