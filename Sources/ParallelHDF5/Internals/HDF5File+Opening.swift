internal import CHDF5
internal import CMPI
internal import Foundation
internal import MessagePassing

extension HDF5File {
  /// Makes the properties with which a file is opened.
  static func accessProperties(
    _ communicator: borrowing Communicator?, _ operation: Operation
  ) throws(HDF5Error) -> Handle {
    let properties = try operation.open(.properties) { H5Pcreate(chdf5_file_access()) }
    let id = properties.id
    switch communicator {
    case .some(let communicator):
      // The library makes its own duplicate of the communicator.
      let raw = unsafe communicator.handle
      try operation.check { unsafe H5Pset_fapl_mpio(id, raw, cmpi_info_null()) }
      try operation.check { H5Pset_all_coll_metadata_ops(id, true) }
      try operation.check { H5Pset_coll_metadata_write(id, true) }
    case .none:
      // As with MPI, files are not locked: cluster file systems often cannot, and a child process that has
      // inherited the lock would keep it.
      try operation.check { H5Pset_file_locking(id, false, true) }
    }
    return properties
  }

  /// Throws unless there is a readable HDF5 file.
  static func checkReadable(_ operation: Operation) throws(HDF5Error) {
    let path = operation.path
    var isDirectory: ObjCBool = false
    // The flag is set during the call.
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw operation.error("there is no such file", exitStatus: ExitStatus.missingFile)
    }
    guard FileManager.default.isReadableFile(atPath: path) else {
      throw operation.error("no permission to read it", exitStatus: ExitStatus.missingFile)
    }
    guard !isDirectory.boolValue else {
      throw operation.error("it is a directory", exitStatus: ExitStatus.wrongContent)
    }
    guard try operation.check({ unsafe H5Fis_hdf5(path) }) > 0 else {
      throw operation.error("it is not an HDF5 file", exitStatus: ExitStatus.wrongContent)
    }
  }

  /// Throws unless a file can be written, and leaves an empty one if there was none.
  static func checkWritable(_ operation: Operation) throws(HDF5Error) {
    // The path is a C string during the call.
    let descriptor = unsafe Foundation.open(operation.path, O_WRONLY | O_CREAT, 0o666)
    guard descriptor >= 0 else {
      throw operation.error(unsafe String(cString: strerror(errno)))
    }
    _ = Foundation.close(descriptor)
  }
}
