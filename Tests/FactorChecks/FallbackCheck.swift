import BlockKernels
import CheckSupport
import ClusterTrees
import MessagePassing
import OperatorNetworks
import SparseMatrices

@testable import Factorization

/// Solves with trained factors that are of no use, and expects the classical ones to take their place, with a remark.
let fallbackCheck = Check("fallback") { ranks in
  let matrix = try ModelMatrix.laplacian1D.matrix(shape: [64])
  let tree = try ClusterTree.uniform(.grid([64]), leaf: nil, levels: 3)
  let structure = try FactorStructure(tree: tree, pattern: .weak, channels: [1])
  let factors = Factors(structure, isSymmetric: true)
  let ordered = OrderedMatrix(matrix, tree)
  var start = FactorStart(factors, ordered.matrix)
  try start.factorize(memory: 1 << 30, on: ranks)
  func buffer() -> AlignedBuffer<Double> {
    AlignedBuffer(repeating: 0, count: factors.parameterCount)
  }
  let classical = buffer()
  let form = try start.make(.plain, seed: 1, into: classical)
  // The identity needs many iterations, zeros cannot be solved with, and the exact factors need one.
  let (identity, zeros) = (buffer(), buffer())
  var span = identity.mutableSpan
  for leaf in 0..<8 { factors.lower.diagonal.set(leaf, 0, .identity(8), &span) }
  let system = try LinearSystem(ordered, factors: factors, on: ranks)
  let right = system.normalVectors(2, seed: 3)
  for (name, trained, falls) in [
    ("exact", classical, false), ("identity", identity, true), ("zeros", zeros, true),
  ] {
    for method in SolveOptions.Method.allCases {
      var options = SolveOptions()
      options.method = method
      options.iterationLimit = 5
      let solver = try LinearSolver(
        options, system,
        SolvingFactors(
          factors, form: form, parameters: trained, classical: (form, classical)))
      var notes: [String] = []
      let (solution, report) = try solver.solve(right, count: 2, on: ranks) { notes.append($0) }
      // A direct solve has no tolerance that it could miss: it says its residual.
      let expected = falls && (method != .direct || name == "zeros")
      let text = "\(name) \(method.rawValue): \(report.endings) \(report.relativeResidual)"
      try expect(report.fellBack == expected && notes.count == (expected ? 1 : 0), text)
      let whole = try system.collect(solution, count: 2, on: ranks)
      if method != .direct || name != "identity" {
        try expect(report.hasConverged && report.relativeResidual < 1e-8, text)
      }
      let digest = whole.reduce(UInt64(0)) { ($0 ^ $1.bitPattern) &* 0x100_0000_01b3 }
      if ranks.rank == 0 { print("\(name) \(method.rawValue) \(String(digest, radix: 16))") }
    }
  }
}
