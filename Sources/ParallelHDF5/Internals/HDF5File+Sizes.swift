internal import CHDF5
internal import MessagePassing

/// Checks of the size of a dataset, before memory is allocated for it.
extension HDF5File {
  /// The most bytes for each byte of its file that a compressed dataset can have.
  private static let mostCompression = 1 << 16
  /// The most bytes of an element that the methods of this module move.
  private static let mostElementBytes: UInt64 = 8

  /// Throws if a product of some of the lengths, or its number of bytes, overflows an `Int`.
  func checkSize(_ lengths: [UInt64], _ operation: Operation) throws(HDF5Error) {
    var (bytes, overflows) = (Self.mostElementBytes, false)
    for length in lengths {
      // A length of zero must not hide the others.
      let (product, isTooLarge) = bytes.multipliedReportingOverflow(by: max(length, 1))
      overflows = overflows || isTooLarge || product > UInt64(Int.max)
      bytes = product
    }
    guard !overflows else {
      throw operation.error(
        "its shape is \(lengths), which no memory can hold", exitStatus: ExitStatus.wrongContent)
    }
  }

  /// Throws if a dataset is larger than what the file holds of it; a file that is being written holds it later.
  func checkStorage(
    of dataset: borrowing Handle, _ shape: [Int], _ operation: Operation
  ) throws(HDF5Error) {
    guard !isNew else { return }
    let id = dataset.id
    let type = try operation.open(.datatype) { H5Dget_type(id) }
    let elementBytes = try operation.check { [type = type.id] in Int(H5Tget_size(type)) }
    let (bytes, overflows) = shape.reduce(1, *).multipliedReportingOverflow(by: elementBytes)
    // Small datasets do no harm, even if the file is shorter.
    guard overflows || bytes > 1 << 20 else { return }
    let properties = try operation.open(.properties) { H5Dget_create_plist(id) }
    let plist = properties.id
    let layout = try operation.check { Int(H5Pget_layout(plist).rawValue) }
    let externalFiles = try operation.check { H5Pget_external_count(plist) }
    var fileSize: hsize_t = 0
    // The library writes one number.
    try operation.check { [handle = handle.id] in unsafe H5Fget_filesize(handle, &fileSize) }
    let isPlain = layout == Int(H5D_CONTIGUOUS.rawValue) && externalFiles == 0
    let (most, isUnlimited) = Int(clamping: fileSize)
      .multipliedReportingOverflow(by: isPlain ? 1 : Self.mostCompression)
    guard !overflows, isUnlimited || bytes <= most else {
      throw operation.error(
        "its shape is \(shape), but the file has no more than \(fileSize) bytes",
        exitStatus: ExitStatus.wrongContent)
    }
  }
}
