import BlockKernels
import CheckSupport
import MessagePassing
import OperatorNetworks

@testable import Factorization

/// Measures solving on these ranks, for tables; no test runs it.
let timingCheck = Check("timing") { ranks in
  let cases = [
    try TestFactors(
      [64, 64], levels: 5, .strong, channels: [1], isSymmetric: true, scale: 0.05),
    try TestFactors(
      [1 << 20], levels: 15, .weak, channels: [8], isSymmetric: true, scale: 0.05),
  ]
  let clock = ContinuousClock()
  for item in cases {
    let n = item.order
    let rank = ranks.rank
    func tell(_ what: String, _ time: Duration) {
      guard rank == 0 else { return }
      print(item.name, what, time / .nanoseconds(1) / Double(n), "ns per unknown")
    }
    let start = clock.now
    let partition = LeafPartition(item.factors, ranks: ranks.size)
    let solver = try Substitution(
      item.factors.lower, item.parameters, partition: partition, ranks: ranks)
    tell("substitution, setup", clock.now - start)
    let rows = partition.rows(of: ranks.rank)
    for count in [1, 16] {
      let vectors = AlignedBuffer<Double>(repeating: 1, count: rows.count * count)
      for transposed in [false, true] {
        var best = Duration.seconds(1000)
        for _ in 0..<max(3, 1_000_000 / n) {
          vectors.fill(1)
          try ranks.barrier()
          let start = clock.now
          try solver.solve(vectors, count: count, transposed: transposed, on: ranks)
          try ranks.barrier()
          best = min(best, clock.now - start)
        }
        tell("substitution, \(count) columns, transposed \(transposed)", best)
      }
    }
    for form in FactorForm.allCases {
      let start = clock.now
      let solver = try FactorPreconditioner(
        item.factors, form: form, parameters: item.parameters, ranks: ranks)
      tell("\(form) setup", clock.now - start)
      if ranks.rank == 0 { print(item.name, form, solver.bytes / n, "bytes per unknown") }
      for columns in [1, 16] {
        let right = [Double](repeating: 1, count: solver.rowCount * columns)
        var result = right
        var best = Duration.seconds(1000)
        for _ in 0..<max(3, 1_000_000 / n) {
          let read = right.span
          var write = result.mutableSpan
          try ranks.barrier()
          let start = clock.now
          try solver.apply(read, into: &write, columns: columns, on: ranks)
          try ranks.barrier()
          best = min(best, clock.now - start)
        }
        tell("\(form) both factors, \(columns) columns", best)
      }
    }
  }
}
