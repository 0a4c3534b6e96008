public import BlockSparse

/// A block vector of a network.
public struct NetworkValue: Sendable {
  /// The name.
  public let name: String
  /// The boxes and their channels.
  public let layout: BoxLayout
  /// For each box the first place that it covers on the axis along which networks are spread over ranks,
  /// and at the end the length of the axis, which is that of all values.
  ///
  /// The axis has a place for each leaf of a tree, or for each point of a network without a tree.
  public let places: [Int]

  /// The number of different places at which boxes begin: the hidden values of a layer's blocks have several boxes
  /// for each target, at one place.
  public var placeCount: Int {
    places.indices.dropLast().reduce(0) { $0 + ($1 == 0 || places[$1] != places[$1 - 1] ? 1 : 0) }
  }
}

/// A layer of a network, the values that it connects, and the parameters that it uses.
public struct NetworkLayer: Sendable {
  /// The layer.
  public let layer: BlockSparseLayer
  /// The value that it reads.
  public let source: Int
  /// The value that is added to its product, under its function, if any.
  public let addend: Int?
  /// The value that it writes.
  public let target: Int
  /// The slice of the parameters that it uses, and how.
  public let weights: SliceUse
}

/// A network without its parameters: values, and layers in the order of execution.
public struct Network: Sendable {
  /// The values; the first is the input.
  public let values: [NetworkValue]
  /// The layers.
  public let layers: [NetworkLayer]
  /// The parameters, slice by slice; two layers may use one slice.
  public internal(set) var slices: [ParameterSlice]
  /// The value that is the output.
  public let output: Int
  /// For each channel of the input, in box order: the index of its point in the data.
  public let inputOrder: [Int32]
  /// For each channel of the output, in box order: the index of its point in the data.
  public let outputOrder: [Int32]
  /// The channels of the boxes, if they come from a skeleton.
  public internal(set) var skeleton: Skeleton?

  /// The number of stored parameters.
  public var activeParameterCount: Int { slices.last?.biases.upperBound ?? 0 }

  /// The number of parameters as the papers count: blocks over zero padding included.
  public var parameterCount: Int {
    slices.reduce(activeParameterCount) { $0 + $1.shape.paddedParameterCount }
  }

  /// The most numbers that one channel of a value sums in a layer, bias and addend not counted.
  public var widestSum: Int {
    layers.reduce(0) { max($0, $1.layer.groupInputs.max() ?? 0) }
  }
}

/// Options that do not fit, or a failed computation, when a network is built.
public struct NetworkError: Error, Equatable, CustomStringConvertible {
  /// What is wrong and what to change.
  public let description: String
  /// Whether a computation failed, so that no option is at fault.
  public let isInternal: Bool

  /// Creates an error about options that do not fit.
  ///
  /// - Parameter description: What is wrong and what to change.
  public init(_ description: String) {
    self.description = description
    isInternal = false
  }

  /// Creates an error about a computation that failed.
  ///
  /// - Parameter failure: The failure.
  public init(internal failure: any Error) {
    description = "the network cannot be built: \(failure)"
    isInternal = true
  }
}
