internal import CMPI

extension MPIError {
  /// Describes a return code with the texts that the library has for it.
  init(code: Int32, function: StaticString, rank: Int) {
    var errorClass: Int32 = 0
    var length: Int32 = 0
    var buffer = [CChar](repeating: 0, count: Int(cmpi_max_error_string()) + 1)
    // The buffer has the size that the standard asks for. The codes are not checked: there is no
    // better answer than the one made here, and a failure leaves an empty text.
    _ = unsafe MPI_Error_class(code, &errorClass)
    _ = unsafe MPI_Error_string(code, &buffer, &length)
    let bytes = buffer.prefix(Int(length)).map { UInt8(bitPattern: $0) }
    self.init(
      code: code, errorClass: errorClass, text: String(decoding: bytes, as: UTF8.self),
      function: "\(function)", rank: rank)
  }

  /// Describes a failure that was found here, before or after a call of the library.
  init(_ errorClass: Int32, _ text: String, function: StaticString, rank: Int) {
    self.init(
      code: errorClass, errorClass: errorClass, text: text, function: "\(function)", rank: rank)
  }
}
