internal import MessagePassing

/// Agreement of the ranks of a parallel file; a file of one process needs none.
extension HDF5File {
  /// Runs a body and fails on all ranks if it fails on one.
  static func agreed<R: ~Copyable>(
    _ communicator: borrowing Communicator?, _ operation: Operation,
    _ body: () throws(HDF5Error) -> R
  ) throws(HDF5Error) -> R {
    switch communicator {
    case .some(let communicator):
      do {
        return try communicator.agree(body)
      } catch {
        throw translated(error, operation)
      }
    case .none:
      return try body()
    }
  }

  /// Runs a body and fails on all ranks if it fails on one.
  func agreed<R: ~Copyable>(
    _ operation: Operation, _ body: () throws(HDF5Error) -> R
  ) throws(HDF5Error) -> R {
    try HDF5File.agreed(communicator, operation, body)
  }

  /// The largest of the numbers of all ranks.
  func maximum(_ value: Int, _ operation: Operation) throws(HDF5Error) -> Int {
    switch communicator {
    case .some(let communicator):
      do {
        return try communicator.allReduce(.max, value)
      } catch {
        throw HDF5File.translated(error, operation)
      }
    case .none:
      return value
    }
  }

  /// Whether the file is open on a communicator.
  var isParallel: Bool {
    switch communicator {
    case .some(_): true
    case .none: false
    }
  }

  /// The rank among those that share the file, zero for a file of one process.
  static func rank(_ communicator: borrowing Communicator?) -> Int {
    switch communicator {
    case .some(let communicator): communicator.rank
    case .none: 0
    }
  }

  /// Makes a communicator of the same ranks for the file.
  static func ranks(
    of communicator: borrowing Communicator, _ operation: Operation
  ) throws(HDF5Error) -> Communicator {
    do {
      return try communicator.duplicate()
    } catch {
      throw translated(error, operation)
    }
  }

  /// Makes an error of this module from what an agreement throws.
  private static func translated(_ error: any Error, _ operation: Operation) -> HDF5Error {
    switch error {
    case let error as HDF5Error: error
    case let error as RemoteFailure:
      operation.error(error.description, exitStatus: error.exitStatus)
    default:
      operation.error(
        ExitStatus.message(of: error), exitStatus: ExitStatus.status(of: error))
    }
  }
}
