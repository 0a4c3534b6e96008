import BlockKernels
import CheckSupport
import KrylovMethods
import MessagePassing

/// Solves all systems by all methods and prints what came out, bits and all: the test compares numbers of ranks.
let bitsCheck = Check("bits") { ranks in
  let matrices = [
    ("line", TestSystem.line(60)), ("plane", TestSystem.plane(13)),
    ("flow", TestSystem.plane(13, convection: (0.4, 0.7))),
  ]
  for (name, matrix) in matrices {
    let system = TestSystem(matrix, on: ranks)
    let blocks = try system.blockInverse(8)
    let preconditioners: [(String, (any BlockOperator)?)] = [
      ("none", nil), ("jacobi", system.multiplication(by: system.jacobi)),
      ("blocks", system.multiplication(by: blocks)),
    ]
    var right = system.rightHandSides(5)
    for i in 0..<system.order {
      // A tiny and a huge one, and zeros.
      right[i, 2] *= 0x1p-700
      right[i, 3] *= 0x1p+700
      right[i, 4] = 0
    }
    let vectors = DenseVectors(values: system.local(right), columns: 5)
    for (kind, preconditioner) in preconditioners {
      for method in Method.allCases where name != "flow" || method != .cg {
        let (local, report) = try method.solve(
          system, preconditioner: preconditioner, vectors, on: ranks)
        let solution = try system.gather(local, on: ranks)
        let columns = (0..<5).map { c in
          let column = report.columns[c]
          let values = Array(solution.elements[c * system.order..<(c + 1) * system.order])
          let numbers =
            column.history + [
              column.estimatedResidual, column.trueResidual, column.eigenvalues?.smallest ?? 0,
              column.eigenvalues?.largest ?? 0,
            ]
          return "\(column.iterations):\(column.ending.name):\(digest(numbers)):\(digest(values))"
        }
        let line = "\(name) \(kind) \(method.rawValue) " + columns.joined(separator: " ")
        // All ranks say the same.
        let lines = try ranks.allGather(Int(truncatingIfNeeded: digest(Array(line.utf8))))
        try expect(Set(lines).count == 1, "ranks differ: \(line)")
        if ranks.rank == 0 { print(line) }
      }
    }
  }
}

/// FNV-1a of the bits.
func digest(_ values: [Double]) -> String {
  let bytes = values.flatMap { value in
    (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
  }
  return String(digest(bytes), radix: 16)
}

private func digest(_ bytes: [UInt8]) -> UInt64 {
  bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
}
