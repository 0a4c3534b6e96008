public import BlockSparse

/// A slice of a network's parameters: the weights and the biases of one shape, to which layers refer.
///
/// Its rows are the targets of the shape. A tree rank that owns a row holds its weights, whichever layers use them: so all
/// layers that use a slice have the rows of its weights at the same places of the axis.
public struct ParameterSlice: Sendable {
  /// The name, unique in a network; in files it stands before the arrays.
  public let name: String
  /// A layer with sizes and pattern of the weights, and with biases if the slice has some.
  public let shape: BlockSparseLayer
  /// For each row the first place that it covers on the axis, and at the end the length of the axis.
  public let places: [Int]
  /// The same for the sources of the shape.
  public let sourcePlaces: [Int]
  /// Where its parameters begin; weights stand before biases.
  public let start: Int
  /// The rows whose parameters training leaves as they are, ascending; none by default.
  public internal(set) var frozenRows: [Range<Int>] = []

  /// The places of the weights among the network's parameters.
  public var weights: Range<Int> { start..<start + shape.weightCount }
  /// The places of the biases among the network's parameters.
  public var biases: Range<Int> { weights.upperBound..<weights.upperBound + shape.biasCount }
  /// The places of weights and biases.
  public var range: Range<Int> { start..<biases.upperBound }
}

/// How a layer uses a slice of the parameters.
public struct SliceUse: Sendable, Equatable {
  /// The two ways.
  public enum Form: String, Sendable, Codable {
    /// y = f(W x + b + a), the biases only if the layer has them.
    case plain
    /// y = f(Wᵀ x + a): the adjoint direction of the same product.
    case transposed
  }

  /// The slice.
  public let slice: Int
  /// Whether the layer multiplies by W or by Wᵀ.
  public let form: Form

  /// Creates a use.
  ///
  /// - Parameters:
  ///   - slice: The slice.
  ///   - form: Whether the layer multiplies by W or by Wᵀ.
  public init(_ slice: Int, _ form: Form = .plain) {
    self.slice = slice
    self.form = form
  }
}

extension NetworkLayer {
  /// Whether the layer multiplies by the transpose of the weights that it uses.
  public var isTransposed: Bool { weights.form == .transposed }

  /// The value that has the rows of the weights: the target of a plain layer, the source of a transposed one.
  public var rowValue: Int { isTransposed ? source : target }

  /// The value that has the sources of the weights.
  public var columnValue: Int { isTransposed ? target : source }
}

extension Network {
  /// Returns the slice that a layer uses.
  ///
  /// - Parameter layer: The layer.
  /// - Returns: The slice.
  public func slice(of layer: NetworkLayer) -> ParameterSlice { slices[layer.weights.slice] }

  /// Returns the network on the parameters of another one, which begin with those of this network.
  ///
  /// - Parameter other: The network with more slices.
  /// - Returns: This network, with the slices of the other one; layers use none of the further ones.
  /// - Precondition: The slices of the other network begin with those of this one.
  public func sharingSlices(of other: Network) -> Network {
    precondition(
      other.slices.count >= slices.count
        && zip(slices, other.slices).allSatisfy { $0.name == $1.name && $0.range == $1.range },
      "the parameters of another network")
    var result = self
    result.slices = other.slices
    return result
  }

  /// Finds a slice by its name.
  ///
  /// - Parameter name: The name.
  /// - Returns: Its number; nil if there is none.
  public func sliceIndex(_ name: String) -> Int? { slices.firstIndex { $0.name == name } }

  /// Returns the network with parameters that training leaves as they are.
  ///
  /// - Parameters:
  ///   - slice: The slice.
  ///   - rows: Its frozen rows, instead of those before; all if nil.
  /// - Returns: The network.
  /// - Precondition: Single rows can be frozen where each row has weights to itself.
  public func freezing(_ slice: Int, rows: [Range<Int>]? = nil) -> Network {
    let shape = slices[slice].shape
    let all = 0..<shape.target.boxCount
    if let rows {
      precondition(
        shape.rowsOwnWeights || rows.isEmpty || rows == [all],
        "\(slices[slice].name): rows that share weights are frozen together")
      precondition(
        rows.allSatisfy { all.contains($0.lowerBound) && $0.upperBound <= all.upperBound }
          && zip(rows, rows.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound },
        "\(slices[slice].name): rows \(rows) of \(all.count)")
    }
    var result = self
    result.slices[slice].frozenRows = rows ?? [all]
    return result
  }
}
