import BlockKernels
import Datasets
import MessagePassing
import NetworkExecution

/// The norms of the outputs of a dataset.
struct SampleNorms {
  /// ‖u / s‖² of every sample.
  let squares: [Double]
  /// Whether all numbers of a sample are zero.
  let areZero: [Bool]

  /// Returns the samples of some that are zero.
  func zeros(in samples: Range<Int>) -> [Int] { samples.filter { areZero[$0] } }

  /// Refuses samples whose squares are not numbers that can be divided by.
  ///
  /// - Parameters:
  ///   - samples: The samples.
  ///   - path: The dataset.
  /// - Throws: ``TrainingError`` (65).
  func check(_ samples: Range<Int>, of path: String) throws(TrainingError) {
    for sample in samples {
      try Self.check(squares[sample], isZero: areZero[sample], sample, of: path)
    }
  }

  /// Refuses the square of a sample's norm if it is no number that can be divided by.
  static func check(
    _ square: Double, isZero: Bool, _ sample: Int, of path: String
  ) throws(TrainingError) {
    guard !isZero, !square.isNormal else { return }
    throw .data(
      "\(path): the output of sample \(sample) is too \(square < 1 ? "small" : "large") to be squared "
        + "in double precision; scale the data")
  }
}

/// Computes ‖u / scale‖² of every sample of a dataset, of which this rank may hold a part of the points.
///
/// Collective.
///
/// - Parameters:
///   - source: The samples.
///   - columns: The column of each channel that this rank computes.
///   - scale: What fields are divided by first, so that the squares of tiny ones do not vanish.
///   - sums: Sums over the boxes of the output.
///   - tree: The tree ranks.
/// - Returns: The squares for every sample, and which samples are zero.
/// - Throws: `MPIError` if the gathering fails, an `ExitStatusError` if samples cannot be read.
func squaredNorms(
  _ source: SampleSource, _ columns: [Int32], scale: Double, _ sums: BoxSums,
  on tree: borrowing Communicator
) throws -> SampleNorms {
  let factor = 1 / scale
  var nodes = [[Double]](repeating: [], count: sums.nodeCount)
  try source.visit(0..<source.file.sampleCount) { data, rows in
    let width = data.outputWidth
    // For each sample the square, and how many numbers are not zero.
    let own = sums.sum(width: 2 * rows.count) { channels, squares, place in
      for (index, row) in rows.enumerated() {
        for channel in channels {
          let given = data.outputs[row * width + Int(columns[channel])]
          let value = given * factor
          squares[place + 2 * index] += value * value
          squares[place + 2 * index + 1] += given == 0 ? 0 : 1
        }
      }
    }
    let count = 2 * rows.count
    for node in nodes.indices { nodes[node] += own[node * count..<(node + 1) * count] }
  }
  let all = try sums.finish(
    Array(nodes.joined()), width: 2 * source.file.sampleCount, on: tree)
  let samples = 0..<source.file.sampleCount
  return SampleNorms(
    squares: samples.map { all[2 * $0] }, areZero: samples.map { all[2 * $0 + 1] == 0 })
}
