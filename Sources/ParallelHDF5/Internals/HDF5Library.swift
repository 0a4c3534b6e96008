internal import CHDF5
internal import Synchronization

/// The library as a whole: its start, its lock and its error stack.
///
/// The library is not safe for threads, so that each call, together with the look at the error
/// stack after it, has the lock. Tests, for example, run in several threads.
enum HDF5Library {
  private static let lock = Mutex<Bool>(false)

  /// Calls the library; returns its answer, and the error stack if the answer is negative.
  static func call<I: SignedInteger>(_ body: () -> I) -> (answer: I, frames: [HDF5Error.Frame]) {
    lock.withLock { isStarted in
      if !isStarted {
        start()
        isStarted = true
      }
      let answer = body()
      return (answer, answer < 0 ? errorStack() : [])
    }
  }

  /// Opens the library without its exit handler, which would come after MPI_Finalize, and without
  /// its error messages on standard error.
  private static func start() {
    // Both fail only where every other call fails too, and then that call reports it.
    _ = H5dont_atexit()
    _ = H5open()
    _ = H5Eset_auto2(chdf5_default_error_stack(), nil, nil)
  }

  /// Reads the error stack, innermost function first.
  private static func errorStack() -> [HDF5Error.Frame] {
    var frames: [HDF5Error.Frame] = []
    unsafe withUnsafeMutablePointer(to: &frames) { pointer in
      // H5Ewalk passes this pointer to the closure during the call only, with the same type.
      let code = unsafe H5Ewalk2(
        chdf5_default_error_stack(), H5E_WALK_UPWARD,
        { _, entry, data in
          guard let entry = unsafe entry?.pointee else { return 0 }
          let frame = unsafe HDF5Error.Frame(
            function: HDF5Library.text(entry.func_name), text: HDF5Library.text(entry.desc),
            major: HDF5Library.message(entry.maj_num), minor: HDF5Library.message(entry.min_num))
          unsafe data?.assumingMemoryBound(to: [HDF5Error.Frame].self).pointee.append(frame)
          return 0
        }, pointer)
      // An error stack that cannot be read leaves the frames read so far.
      _ = code
    }
    return frames
  }

  /// The text of an error number.
  private static func message(_ number: hid_t) -> String {
    var bytes = [CChar](repeating: 0, count: 128)
    // The length given is that of the array.
    let length = unsafe H5Eget_msg(number, nil, &bytes, bytes.count)
    guard length > 0 else { return "" }
    return String(
      decoding: bytes.prefix(min(length, 127)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The text behind a pointer to a C string that may be absent.
  @unsafe
  private static func text(_ pointer: UnsafePointer<CChar>?) -> String {
    unsafe pointer.map { unsafe String(cString: $0) } ?? ""
  }
}
