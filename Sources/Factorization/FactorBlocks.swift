import BlockKernels
import BlockSparse
import ClusterTrees
public import OperatorNetworks

/// Where the blocks of a triangular factor stand among its parameters.
///
/// The weights of row i of a slice are one column-major matrix [inputs][outputs], stacked over the sources of the row.
public struct FactorBlocks: Sendable {
  /// The networks of the factor.
  public let networks: FactorNetworks
  /// The structure of the factor.
  public var structure: FactorStructure { networks.structure }

  let diagonal: ParameterSlice
  let near: ParameterSlice?
  /// The slices of the bases; nil if there is no far field.
  let leafRestriction: ParameterSlice?
  let leafInterpolation: ParameterSlice?
  /// By level; nil where there is none.
  let restrictions: [ParameterSlice?]
  let interpolations: [ParameterSlice?]
  let bridges: [ParameterSlice?]

  /// Finds the slices.
  ///
  /// - Parameter networks: The networks of the factor.
  public init(_ networks: FactorNetworks) {
    self.networks = networks
    let network = networks.forward
    func slice(_ name: String) -> ParameterSlice? {
      network.sliceIndex(networks.prefix + name).map { network.slices[$0] }
    }
    guard let diagonal = slice("diagonal") else { preconditionFailure("a factor without diagonal") }
    self.diagonal = diagonal
    near = slice("near")
    leafRestriction = slice("restriction.leaf")
    leafInterpolation = slice("interpolation.leaf")
    let levels = 0...networks.structure.tree.levels
    restrictions = levels.map { slice("restriction.\($0)") }
    interpolations = levels.map { slice("interpolation.\($0)") }
    bridges = levels.map { slice("bridge.\($0)") }
  }
}

extension ParameterSlice {
  /// Returns a block of a row as a matrix outputs × inputs.
  ///
  /// - Parameters:
  ///   - row: The row.
  ///   - entry: The number of the block within the row.
  ///   - parameters: The parameters of the network.
  /// - Returns: The block.
  func block(_ row: Int, _ entry: Int, _ parameters: Span<Double>) -> DenseMatrix {
    let place = BlockPlace(self, row, entry)
    var result = DenseMatrix(rows: place.outputs, columns: place.inputs)
    for output in 0..<place.outputs {
      for input in 0..<place.inputs {
        result.elements[input * place.outputs + output] =
          parameters[place.first + output * place.stride + input]
      }
    }
    return result
  }

  /// Replaces a block of a row.
  ///
  /// - Parameters:
  ///   - row: The row.
  ///   - entry: The number of the block within the row.
  ///   - block: The block, outputs × inputs.
  ///   - parameters: The parameters of the network.
  func set(
    _ row: Int, _ entry: Int, _ block: DenseMatrix, _ parameters: inout MutableSpan<Double>
  ) {
    let place = BlockPlace(self, row, entry)
    precondition(
      block.rows == place.outputs && block.columns == place.inputs,
      "\(name): a block of \(block.rows)×\(block.columns) where \(place.outputs)×\(place.inputs) is"
    )
    for output in 0..<place.outputs {
      for input in 0..<place.inputs {
        parameters[place.first + output * place.stride + input] =
          block.elements[input * place.outputs + output]
      }
    }
  }
}

/// The place of one block among the parameters of a network.
struct BlockPlace {
  /// The parameter of the first input and the first output.
  let first: Int
  /// The distance between outputs.
  let stride: Int
  let outputs: Int
  let inputs: Int

  init(_ slice: ParameterSlice, _ row: Int, _ entry: Int) {
    let shape = slice.shape
    let global = shape.pattern.rowStarts[row] + entry
    stride = shape.groupInputs[row]
    outputs = shape.target.channels(of: row)
    inputs = shape.source.channels(of: Int(shape.pattern.sources[global]))
    first = slice.start + shape.weightStarts[row] + Int(shape.entryInputs[global])
  }
}
