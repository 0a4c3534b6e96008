import BlockKernels
import BlockSparse
public import NetworkExecution
public import OperatorNetworks

/// The graph of a network by its names.
public struct NetworkDescription: Sendable, Equatable, Codable {
  /// A layer: the names of what it connects, and its functions.
  public struct Layer: Sendable, Equatable, Codable {
    /// Its name, which is also that of the value that it writes.
    public let name: String
    /// The value that it reads.
    public let source: String
    /// The value that is added to its product, if any.
    public let addend: String?
    /// f.
    public let activation: String
    /// h.
    public let blockActivation: String
    /// The parameters that it uses, if they are not those of its own name.
    public let weights: Weights?

    enum CodingKeys: String, CodingKey {
      case name, source, addend, activation, weights
      case blockActivation = "block_activation"
    }
  }

  /// Parameters that belong to another name than the layer's.
  public struct Weights: Sendable, Equatable, Codable {
    /// The name of the slice, under which the arrays stand.
    public let slice: String
    /// Whether the layer multiplies by W or by Wᵀ.
    public let form: SliceUse.Form
    /// Whether the layer adds the biases of the slice.
    public let hasBias: Bool

    enum CodingKeys: String, CodingKey {
      case slice, form
      case hasBias = "has_bias"
    }
  }

  /// The value that is the output.
  public let output: String
  /// The layers in the order of execution.
  public let layers: [Layer]

  /// Describes a network.
  ///
  /// - Parameter network: The network.
  public init(_ network: Network) {
    output = network.values[network.output].name
    layers = network.layers.map { item in
      Layer(
        name: item.layer.name, source: network.values[item.source].name,
        addend: item.addend.map { network.values[$0].name },
        activation: item.layer.activation.rawValue,
        blockActivation: item.layer.blockActivation.rawValue,
        weights: network.slice(of: item).name == item.layer.name
          ? nil
          : Weights(
            slice: network.slice(of: item).name, form: item.weights.form,
            hasBias: item.layer.hasBias))
    }
  }
}

/// The integers of an array.
private enum Integers {
  case int32([Int32])
  case int64([Int])
}

extension Network {
  /// The arrays that say which box reads which, and where its weights stand: enough to compute the network without
  /// this program.
  fileprivate var structure: [(name: String, values: Integers)] {
    let common: [(String, Integers)] = [
      ("/network/input_order", .int32(inputOrder)), ("/network/output_order", .int32(outputOrder)),
      ("/network/input_starts", .int64(values[0].layout.starts)),
    ]
    // The shapes of all layers, and of slices that have none of their name.
    let names = Set(layers.map(\.layer.name))
    let shapes = layers.map(\.layer) + slices.map(\.shape).filter { !names.contains($0.name) }
    return shapes.reduce(into: common) { all, layer in
      let group = "/network/\(layer.name)"
      all += [
        ("\(group)/target_starts", .int64(layer.target.starts)),
        ("\(group)/row_starts", .int64(layer.pattern.rowStarts)),
        ("\(group)/sources", .int32(layer.pattern.sources)),
        ("\(group)/entry_inputs", .int32(layer.entryInputs)),
        ("\(group)/groups", .int32(layer.pattern.groups)),
        ("\(group)/group_inputs", .int64(layer.groupInputs)),
        ("\(group)/group_outputs", .int64(layer.groupOutputs)),
      ]
    }
  }
}

extension CheckpointWriter {
  /// Writes the structure of a network.
  ///
  /// Collective.
  ///
  /// - Parameter network: The network.
  /// - Throws: `HDF5Error` if it cannot be written.
  public mutating func write(_ network: Network) throws {
    for (name, values) in network.structure {
      switch values {
      case .int32(let values): try write(name, values)
      case .int64(let values): try write(name, values)
      }
    }
  }
}

extension OpenCheckpoint {
  /// Refuses the parameters of another network: the same numbers in other places would be another one.
  ///
  /// - Parameters:
  ///   - network: The network that the parameters are wanted for.
  ///   - description: The network that the file describes.
  /// - Throws: ``CheckpointError`` (65) if the structure differs.
  public func check(
    _ network: Network, _ description: NetworkDescription
  ) throws(CheckpointError) {
    let reason =
      "differs from what the configuration gives: the file was written by another version of this program"
    guard description == NetworkDescription(network) else {
      throw .mismatch(path: path, object: "/network", reason: reason)
    }
    for (name, values) in network.structure {
      let digest =
        switch values {
        case .int32(let values): digest(of: values.span)
        case .int64(let values): digest(of: values.span)
        }
      guard arrays[name]?.digest == digest else {
        throw .mismatch(path: path, object: name, reason: reason)
      }
    }
  }
}

extension ArrayPart {
  /// Finds what a rank holds of the arrays that have one number for each parameter.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - share: What the rank holds of it.
  /// - Returns: The parts: for each slice the weights, then the biases.
  public static func parameters(_ network: Network, _ share: RankShare) -> [ArrayPart] {
    network.slices.enumerated().flatMap { index, slice in
      let (own, shape) = (share.parameters[index], slice.shape)
      func part(
        _ name: String, _ all: Range<Int>, _ held: Range<Int>, at start: Int,
        _ elements: (Range<Int>) -> Range<Int>
      ) -> ArrayPart {
        // Of what every rank holds, the first one counts all.
        let counted =
          own.isReplicated ? 0..<(share.rank == 0 ? all.count : 0) : elements(own.rows)
        return ArrayPart(
          name: "\(slice.name)/\(name)", count: all.count,
          rows: held.lowerBound - all.lowerBound..<held.upperBound - all.lowerBound,
          start: start, counted: counted)
      }
      return [
        part("weights", slice.weights, own.weights, at: own.start) { shape.weights(of: $0) },
        part("biases", slice.biases, own.biases, at: own.start + own.weights.count) {
          shape.biases(of: $0)
        },
      ]
    }
  }
}
