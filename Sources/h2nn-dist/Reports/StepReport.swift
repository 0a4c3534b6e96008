import Datasets
import Foundation
import Training

/// The measured times of a step beside what the machine could do: a roofline for each part.
struct StepReport {
  let step: StepTimes
  /// The step of one rank alone, while all others do the same.
  let alone: StepTimes
  let ranks: Int
  /// Operations and bytes per second of a rank.
  let peak: Double
  let memoryBandwidth: Double

  /// The operations per second of a rank in a step.
  private var flopRate: Double { Double(step.flops) / step.seconds / Double(ranks) }

  /// The seconds that a part needs at least, for its operations at the peak and for its bytes from memory.
  private func leastSeconds(_ part: StepTimes.Part) -> Double {
    max(part.flops / peak, part.bytes / memoryBandwidth)
  }

  /// A table of the parts, after what the whole takes.
  var lines: [String] {
    let (low, high) = (step.repetitions.min() ?? 0, step.repetitions.max() ?? 0)
    var lines = [
      row("ms per step", milliseconds(step.seconds))
        + " (\(milliseconds(low)) to \(milliseconds(high)))",
      row("Gflop/s per rank", Voice.short(flopRate / 1e9)) + " of \(Voice.short(peak / 1e9)): "
        + percent(flopRate / peak),
      row("memory GB/s per rank", Voice.short(memoryBandwidth / 1e9)),
    ]
    if ranks > 1 {
      lines.append(
        row("ms alone", milliseconds(alone.seconds)) + " on each rank: speed-up "
          + Voice.short(alone.seconds / step.seconds))
    }
    let total = step.parts.reduce(0) { $0 + $1.seconds }
    lines.append("")
    lines.append(
      "part".padded(to: 18)
        + ["ms", "share", "Gflop/s", "of peak", "GB/s", "of memory", "bound"].map {
          right($0, 10)
        }.joined())
    for part in step.parts {
      let (flops, bytes) = (part.flops / part.seconds, part.bytes / part.seconds)
      let isBound = part.bytes / memoryBandwidth > part.flops / peak
      var cells = [milliseconds(part.seconds), percent(part.seconds / total)]
      cells += part.flops > 0 ? [Voice.short(flops / 1e9), percent(flops / peak)] : ["", ""]
      cells +=
        part.bytes > 0
        ? [
          Voice.short(bytes / 1e9), percent(bytes / memoryBandwidth),
          isBound ? "memory" : "products",
        ] : ["", "", ""]
      lines.append(part.name.padded(to: 18) + cells.map { right($0, 10) }.joined())
    }
    lines.append("")
    return lines
  }

  /// The same as an object for a summary.
  var jsonObject: [String: Any] {
    [
      "seconds_per_step": step.seconds, "seconds_least": step.repetitions.min() ?? 0,
      "seconds_most": step.repetitions.max() ?? 0, "seconds_alone": alone.seconds,
      "flops_per_step": step.flops, "ranks": ranks, "peak_flop_rate": peak,
      "flop_rate_per_rank": flopRate, "share_of_peak": flopRate / peak,
      "parts": step.parts.map { part in
        [
          "name": part.name, "seconds": part.seconds, "flops": part.flops, "bytes": part.bytes,
          "roofline_seconds": leastSeconds(part),
        ] as [String: Any]
      },
    ]
  }

  private func row(_ name: String, _ value: String) -> String { name.padded(to: 24) + value }

  private func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(1, width - text.count)) + text
  }

  private func milliseconds(_ seconds: Double) -> String { String(format: "%.3f", seconds * 1e3) }

  private func percent(_ share: Double) -> String { String(format: "%.1f %%", share * 100) }
}
