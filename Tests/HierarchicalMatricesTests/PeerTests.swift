import BlockKernels
import Foundation
import HierarchicalMatrices
import TestSupport
import Testing

/// Another program, in Python, reads the flat arrays and plans the same storage.
@Suite struct PeerTests {
  /// What the script reads.
  private struct Content: Codable {
    let description: HierarchicalDescription
    let matrix: [Double]
    let vector: [Double]
    let product: [Double]
    let leaf: Int
    let error: Double
  }

  private static let python = ProcessInfo.processInfo.environment["PYTHON"] ?? "python3"

  @Test func numpyFindsTheSameMatrix() throws {
    guard try execute([Self.python, "-c", "import numpy"]).status == 0 else { return }
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Peers/hierarchical.py").path
    let log = TestMatrices.logarithm(150)
    let examples = [
      (log, 1e-4), (log.block(0..<33, 0..<150), 1e-6), (TestMatrices.shuffled(log, seed: 3), 1e-2),
      (TestMatrices.hilbert(70, 40), 1e-8),
    ]
    for (matrix, error) in examples {
      let options = CompressionOptions(.relative(error), share: .share)
      let h = try BlockSpectra.recovering(matrix, leaf: 16, for: options).compressed(options)
      let vector = TestMatrices.normal(matrix.columns, 1, seed: 5).elements
      let content = Content(
        description: HierarchicalDescription(h), matrix: matrix.elements, vector: vector,
        product: h.times(vector), leaf: 16, error: error)
      let file = FileManager.default.temporaryDirectory
        .appendingPathComponent("hierarchical-\(UUID().uuidString).json")
      defer { try? FileManager.default.removeItem(at: file) }
      try JSONEncoder().encode(content).write(to: file)
      let run = try execute([Self.python, script, file.path])
      #expect(run.status == 0, "\(run.output) \(run.errors)")
      #expect(run.output.contains("numbers \(h.numbers) blocks \(h.blocks.count)"))
    }
  }
}
