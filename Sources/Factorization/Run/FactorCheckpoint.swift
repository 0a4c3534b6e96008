public import BlockKernels
import BlockSparse
public import Checkpoints
import Foundation
public import MessagePassing
import OperatorNetworks
import ParallelHDF5

/// A checkpoint of factors, open and whole.
///
/// Every rank reads all parameters: solving and training spread the work, not the memory.
public struct FactorCheckpoint: ReadableCheckpoint, ~Copyable {
  /// All that determined the factors.
  public let configuration: FactorConfiguration
  /// What else the file says.
  let state: FactorState
  private let file: OpenCheckpoint

  /// The file.
  public var path: String { file.path }
  /// The number of unknowns.
  public var unknowns: Int { state.unknowns }
  /// What the parameters stand for.
  public var form: FactorForm { state.form }
  /// Whether U is Lᵀ.
  public var isSymmetric: Bool { state.isSymmetric }

  /// Opens a checkpoint and verifies it.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - communicator: The ranks that read.
  /// - Throws: An `ExitStatusError`: 66 if the file is missing, 65 if its content is wrong.
  public init(_ path: String, on communicator: borrowing Communicator) throws {
    let file = try OpenCheckpoint(path, on: communicator)
    let description = try SavedDescription<FactorConfiguration, FactorState>(file)
    let state = description.state
    let named = Checkpoint.step(of: path) ?? state.step
    guard state.step == named, state.step >= 0, state.unknowns > 0 else {
      throw CheckpointError.mismatch(
        path: path, object: "/description", reason: "says that \(state.step) steps are made")
    }
    configuration = description.configuration
    self.state = state
    self.file = file
  }

  /// Builds the networks of the factors.
  ///
  /// - Returns: The factors.
  /// - Throws: `RunError` or `CheckpointError` (65) if the structure of the file is another one.
  public func factors() throws -> Factors {
    let structure: FactorStructure
    do {
      structure = try configuration.factors.structure(
        configuration.matrix.points, count: state.unknowns)
    } catch {
      throw RunError.data("\(path): \(error.message)")
    }
    let factors = Factors(structure, isSymmetric: state.isSymmetric)
    try file.check(factors.upper.networks.forward, state.network)
    return factors
  }

  /// Reads one number for each parameter.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - array: The parameters, or those of the classical start.
  ///   - factors: What ``factors()`` gave.
  /// - Returns: The numbers, all of them on each rank.
  /// - Throws: An `ExitStatusError`: 65 if an array is missing or has another size.
  public func read(_ array: FactorArray, of factors: Factors) throws -> AlignedBuffer<Double> {
    let result = AlignedBuffer<Double>(repeating: 0, count: factors.parameterCount)
    try file.read(array.group, factors.arrayParts(isCounted: file.isFirst), into: result)
    return result
  }

  /// Reads all that is needed to solve.
  ///
  /// Collective.
  ///
  /// - Returns: The factors with their parameters, and their classical start.
  /// - Throws: An `ExitStatusError`: 65 if something does not fit.
  public func solvingFactors() throws -> SolvingFactors {
    let factors = try factors()
    let parameters = try read(.parameters, of: factors)
    let classical = hasClassicalStart ? try read(.classical, of: factors) : nil
    return SolvingFactors(
      factors, form: state.form, parameters: parameters,
      classical: classical.map { (state.form, $0) })
  }

  /// Whether the file has the start beside the result of training.
  public var hasClassicalStart: Bool { file.has("/classical/diagonal/weights") }

  /// Reads the state of training; nil if there is none.
  func refinementState() throws -> RefinementState? {
    guard let progress = state.progress else { return nil }
    var arrays: [String: [Double]] = [:]
    for name in state.refinementArrays {
      arrays[name] = try file.read("/refinement/\(name)", as: Double.self)
    }
    return RefinementState(arrays: arrays, progress: progress)
  }

  /// Reads the lines of metrics written so far.
  func metrics() throws -> String {
    String(decoding: try file.read("/metrics", as: UInt8.self), as: UTF8.self)
  }
}

/// An array of a checkpoint with one number for each parameter.
public enum FactorArray: Sendable {
  /// The factors.
  case parameters
  /// The classical start, to fall back to.
  case classical

  /// Its group in the file.
  var group: String {
    switch self {
    case .parameters: "/parameters"
    case .classical: "/classical"
    }
  }
}

extension Factors {
  /// Returns the arrays of the parameters: for each slice its weights.
  ///
  /// - Parameter isCounted: Whether this rank, which has all of them as others do, adds them to digests.
  /// - Returns: The arrays.
  func arrayParts(isCounted: Bool) -> [ArrayPart] {
    upper.networks.forward.slices.map { slice in
      let count = slice.weights.count
      return ArrayPart(
        name: "\(slice.name)/weights", count: count, rows: 0..<count,
        start: slice.weights.lowerBound, counted: 0..<(isCounted ? count : 0))
    }
  }
}
