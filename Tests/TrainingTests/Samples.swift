import BlockKernels
import BlockSparse
import ClusterTrees
import OperatorNetworks

@testable import Datasets
@testable import NetworkExecution
@testable import Training

/// Makes a small dataset of random fields on a grid.
func randomDataset(samples: Int, points: Int, outputPoints: Int? = nil) -> Dataset {
  var stream = RandomStream(seed: 3, purpose: 2, index: UInt64(samples * 1000 + points))
  let count = outputPoints ?? points
  return Dataset(
    path: "random", points: .grid([points]), outputPoints: outputPoints.map { .grid([$0]) },
    sampleCount: samples,
    inputs: (0..<samples * points).map { _ in 3 + 2 * stream.normal() },
    outputs: (0..<samples * count).map { -5 + Double($0 % count) + stream.normal() })
}

/// Makes a network with a box for each point, in the order of the points.
func points(_ count: Int) throws -> Network {
  var options = NetworkOptions()
  (options.model, options.leaf) = (.conv, 1)
  return try Network.build(options, sources: .grid([count]))
}

/// Returns a buffer with the given numbers.
func buffer<Scalar: KernelScalar>(_ values: [Double], as type: Scalar.Type) -> AlignedBuffer<Scalar>
{
  let result = AlignedBuffer<Scalar>(repeating: 0, count: values.count)
  var span = result.mutableSpan
  for (place, value) in values.enumerated() { span[place] = Scalar(value) }
  return result
}
