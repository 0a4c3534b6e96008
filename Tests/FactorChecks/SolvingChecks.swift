import BlockKernels
import CheckSupport
import ClusterTrees
import KrylovMethods
import MessagePassing
import OperatorNetworks

@testable import Factorization

/// The factors that are solved with; the last have fewer leaves than there are ranks.
private func allFactors() throws -> [TestFactors] {
  try [
    TestFactors([64], levels: 3, .weak, channels: [2], isSymmetric: true),
    TestFactors([37], levels: 3, .weak, channels: [3], isSymmetric: false),
    TestFactors([16, 16], levels: 2, .weak, channels: [3], isSymmetric: true),
    TestFactors([12, 13], levels: 2, .weak, channels: [2], isSymmetric: false),
    TestFactors([16, 16], levels: 3, .strong, channels: [2], isSymmetric: true),
    TestFactors([37], levels: 3, .strong, channels: [1, 3, 2, 3], isSymmetric: false),
    TestFactors([12, 13], levels: 2, .strong, channels: [2], isSymmetric: false),
    TestFactors([16], levels: 2, .strong, channels: [0], isSymmetric: true),
    TestFactors([64], levels: 4, .blog, channels: [2], isSymmetric: true),
    TestFactors([37], levels: 3, .blog, channels: [2], isSymmetric: false),
    TestFactors([9], levels: 1, .weak, channels: [2], isSymmetric: true),
    TestFactors([5], levels: 0, .strong, channels: [2], isSymmetric: false),
  ]
}

/// Solves with all factors, compares with dense matrices and counted messages, and prints the bits.
let solvingCheck = Check("solving") { ranks in
  for item in try allFactors() {
    for form in FactorForm.allCases {
      let solver = try FactorPreconditioner(
        item.factors, form: form, parameters: item.parameters, ranks: ranks)
      let rows = solver.partition.rows(of: ranks.rank)
      try expect(solver.rowCount == rows.count && solver.form == form, "rows")
      try expect(solver.bytes > 0 || rows.isEmpty, "no memory")
      let (right, truth) = try item.solutions(form, columns: 33)
      var whole: [Double] = []
      for columns in [33, 1, 3, 16] {
        let local = (0..<columns).flatMap { c in rows.map { right[$0, c] } }
        var result = [Double](repeating: .nan, count: local.count)
        let before = Counts(ranks.traffic)
        let (read, count) = (local.span, columns)
        var write = result.mutableSpan
        try solver.apply(read, into: &write, columns: count, on: ranks)
        let sent = Counts(ranks.traffic)
        try expect(
          sent.messages - before.messages == solver.messages(columns: columns)
            && sent.bytes - before.bytes == solver.messageBytes(columns: columns)
            && sent.collectives == before.collectives,
          "\(item.name): messages \(before) → \(sent)")
        // A vector has the bits that it has among others.
        if columns == 33 { whole = result }
        try expect(
          zip(result, whole).allSatisfy { $0.bitPattern == $1.bitPattern },
          "\(item.name) \(form): \(columns) columns differ from 33")
        for (c, column) in (0..<columns).enumerated() {
          for (place, row) in rows.enumerated() {
            let (a, b) = (result[c * rows.count + place], truth[row, column])
            try expect(abs(a - b) <= 1e-9, "\(item.name) \(form): x[\(row)] is \(a), not \(b)")
          }
        }
      }
      // The last vectors alone, in other lanes than before.
      for column in [15, 16, 32] {
        let local = rows.map { right[$0, column] }
        var result = [Double](repeating: .nan, count: rows.count)
        let read = local.span
        var write = result.mutableSpan
        try solver.apply(read, into: &write, columns: 1, on: ranks)
        let among = whole[column * rows.count..<(column + 1) * rows.count]
        try expect(
          zip(result, among).allSatisfy { $0.bitPattern == $1.bitPattern },
          "\(item.name) \(form): column \(column) alone")
      }
      let all = try gather(whole, columns: 33, solver.partition, on: ranks)
      let messages = try ranks.allReduce(.sum, solver.messages(columns: 1))
      let isShared = (0..<ranks.size).filter { !solver.partition.rows(of: $0).isEmpty }.count > 1
      try expect((messages > 0) == isShared, "\(item.name): \(messages) messages")
      if ranks.rank == 0 { print(item.name, form.rawValue, digest(all)) }
    }
    try checkSubstitution(item, on: ranks)
  }
}

/// Substitution over ranks has the bits of one rank.
private func checkSubstitution(
  _ item: TestFactors, on ranks: borrowing Communicator
) throws {
  let partition = LeafPartition(item.factors, ranks: ranks.size)
  let rows = partition.rows(of: ranks.rank)
  for blocks in item.factors.isSymmetric
    ? [item.factors.lower] : [item.factors.lower, item.factors.upper]
  {
    let alone = try Substitution(blocks, item.parameters)
    let shared = try Substitution(blocks, item.parameters, partition: partition, ranks: ranks)
    for (transposed, count) in [(false, 1), (true, 1), (false, 20), (true, 20)] {
      let whole = AlignedBuffer<Double>(repeating: 0, count: item.order * count)
      let part = AlignedBuffer<Double>(repeating: 0, count: rows.count * count)
      for place in 0..<whole.count { whole[place] = Double((place * 7919) % 1009) / 504 - 1 }
      part.copy(from: whole, at: rows.lowerBound * count, to: 0..<part.count)
      alone.solve(whole, count: count, transposed: transposed)
      try shared.solve(part, count: count, transposed: transposed, on: ranks)
      for place in 0..<part.count {
        let (a, b) = (part[place], whole[rows.lowerBound * count + place])
        try expect(
          a.bitPattern == b.bitPattern, "\(item.name) \(transposed): \(a) instead of \(b)")
      }
    }
  }
}

/// Factors that cannot be solved with are refused by all ranks alike.
let singularCheck = Check("singular") { ranks in
  for pattern in [FactorPattern.weak, .strong] {
    for isSymmetric in [true, false] {
      let shape = pattern == .weak ? [64] : [16, 16]
      let item = try TestFactors(
        shape, levels: 3, pattern, channels: [2], isSymmetric: isSymmetric)
      let tree = item.factors.structure.tree
      let leaves = tree.boxCount(level: 3)
      let factor = isSymmetric ? item.factors.lower : item.factors.upper
      func set(_ leaf: Int, _ value: (Int, Int) -> Double) {
        var span = item.parameters.mutableSpan
        var block = factor.diagonal.block(leaf, 0, span.span)
        for i in 0..<block.rows { for j in 0..<block.columns { block[i, j] = value(i, j) } }
        factor.diagonal.set(leaf, 0, block, &span)
      }
      // The last leaf is found by another rank than the first of the two.
      for (value, word): (@Sendable (Int, Int) -> Double, String) in [
        ({ _, _ in 1 }, "singular"), ({ i, j in i == j && i != 1 ? 1 : 0 }, "singular"),
        ({ i, j in i == j ? 0x1p-1040 : 0 }, "singular"), ({ _, _ in .nan }, "not finite"),
      ] {
        set(leaves - 1, value)
        set(leaves / 2, value)
        let first = tree.order[tree.pointRange(level: 3, box: leaves / 2).lowerBound]
        var found: RunError?
        do {
          _ = try FactorPreconditioner(
            item.factors, form: .product, parameters: item.parameters, ranks: ranks)
        } catch {
          found = error as? RunError
        }
        try expect(
          found?.exitStatus == 65 && found?.message.contains("unknown \(first) ") == true
            || found?.message.hasSuffix("unknown \(first)") == true,
          "\(pattern) \(word): \(found?.message ?? "no error")")
        try expect(
          found?.message.contains(word) == true, "\(word): \(found?.message ?? "no error")")
        let sums = try ranks.allGather(
          (found?.message ?? "").utf8.reduce(0) { $0 &* 31 &+ Int($1) })
        try expect(Set(sums).count == 1, "ranks say different things")
      }
    }
  }
}

/// What a rank sent.
private struct Counts {
  let messages: Int
  let bytes: Int
  let collectives: Int

  init(_ traffic: TrafficCounters) {
    (messages, bytes) = (traffic.messages, traffic.messageBytes)
    collectives = traffic.collectives
  }
}

/// Puts the rows of all ranks together, vector by vector.
private func gather(
  _ local: [Double], columns: Int, _ partition: LeafPartition, on ranks: borrowing Communicator
) throws -> [Double] {
  let order = partition.rowCuts[ranks.size]
  let counts = (0..<ranks.size).map { partition.rows(of: $0).count * columns }
  var parts = [Double](repeating: 0, count: order * columns)
  var span = parts.mutableSpan
  try ranks.allGather(local.span, counts: counts, into: &span)
  // The parts of ranks stand behind each other, each vector by vector.
  var result = parts
  for rank in 0..<ranks.size {
    let rows = partition.rows(of: rank)
    let start = rows.lowerBound * columns
    for column in 0..<columns {
      for (place, row) in rows.enumerated() {
        result[column * order + row] = parts[start + column * rows.count + place]
      }
    }
  }
  return result
}

/// FNV-1a of the bits.
private func digest(_ values: [Double]) -> String {
  var result: UInt64 = 0xcbf2_9ce4_8422_2325
  for value in values {
    for byte in 0..<8 {
      result = (result ^ (value.bitPattern >> (8 * UInt64(byte)) & 0xff)) &* 0x100_0000_01b3
    }
  }
  return String(result, radix: 16)
}
