internal import CHDF5
internal import MessagePassing

/// An object of the library, closed with the variable that owns it.
struct Handle: ~Copyable {
  /// The kinds of object, each with its own way to close.
  enum Kind {
    case file, group, object, dataset, dataspace, datatype, attribute, properties
  }

  /// The identifier.
  let id: Int64
  private let kind: Kind
  /// What the object was opened for.
  private let operation: Operation
  /// Whether the object has to be closed with the variable.
  private var isOpen = true

  /// Takes over an identifier.
  init(adopting id: Int64, _ kind: Kind, _ operation: Operation) {
    self.id = id
    self.kind = kind
    self.operation = operation
  }

  deinit {
    guard isOpen else { return }
    var operation = operation
    operation.name = "close"
    // A deinitializer cannot throw; files whose errors matter are closed by close(_:).
    let (answer, _) = operation.call { [id, kind] in Handle.close(id, kind) }
    noteFailure(answer < 0)
  }

  /// Closes the object and says whether that worked.
  consuming func close(_ operation: Operation) throws(HDF5Error) {
    isOpen = false
    do throws(HDF5Error) {
      try operation.check { [id, kind] in Handle.close(id, kind) }
    } catch {
      noteFailure(true)
      throw error
    }
  }

  /// Notes that a file could not be closed: the library tries again when it is shut down, and crashes.
  private func noteFailure(_ isFailure: Bool) {
    if isFailure, kind == .file { MPIEnvironment.endsAbruptly = true }
  }

  private static func close(_ id: Int64, _ kind: Kind) -> herr_t {
    switch kind {
    case .file: H5Fclose(id)
    case .group: H5Gclose(id)
    case .object: H5Oclose(id)
    case .dataset: H5Dclose(id)
    case .dataspace: H5Sclose(id)
    case .datatype: H5Tclose(id)
    case .attribute: H5Aclose(id)
    case .properties: H5Pclose(id)
    }
  }
}
