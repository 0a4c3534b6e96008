internal import CMPI

/// A communicator's handle without ownership, with the checked calls that Communicator is made of.
///
/// All return codes become errors, and all counts 32 bits wide, in this type. The
/// pointers that the methods take must be good for the counts given with them, and for the
/// requests until these are complete.
@safe
struct RawCommunicator {
  /// The handle.
  let handle: MPI_Comm
  /// The rank of this process in the world communicator, for error messages.
  let worldRank: Int
  /// The ranks of all processes of the communicator in the world communicator, in their order here.
  let worldRanks: [Int]
  /// The watch that is told about each blocking call.
  let watch: StallWatch

  /// Wraps a handle that someone else owns.
  @unsafe
  init(_ handle: MPI_Comm, worldRank: Int, worldRanks: [Int], watch: StallWatch) {
    unsafe self.handle = handle
    self.worldRank = worldRank
    self.worldRanks = worldRanks
    self.watch = watch
  }

  /// The communicator of this process alone, for calls that have no other one yet or any more.
  static func own() -> RawCommunicator {
    let rank = MPIEnvironment.launcherRank
    return unsafe RawCommunicator(
      cmpi_comm_self(), worldRank: rank, worldRanks: [rank], watch: StallWatch(rank: rank))
  }

  /// The communicator of all processes, with a watch of its own.
  static func world() throws(MPIError) -> RawCommunicator {
    let bare = unsafe RawCommunicator(
      cmpi_comm_world(), worldRank: 0, worldRanks: [], watch: StallWatch(rank: 0))
    let (rank, size) = (try bare.rank(), try bare.size())
    return unsafe RawCommunicator(
      cmpi_comm_world(), worldRank: rank, worldRanks: Array(0..<size),
      watch: StallWatch(rank: rank))
  }

  /// Throws unless a return code says success.
  func check(_ code: Int32, _ function: StaticString) throws(MPIError) {
    guard code == MPI_SUCCESS else {
      throw MPIError(code: code, function: function, rank: worldRank)
    }
  }

  /// Calls a routine that waits for all processes of the communicator.
  func collective(
    _ name: StaticString, _ function: StaticString, _ body: () -> Int32
  ) throws(MPIError) {
    let wait = Wait(name: name, peer: .group(worldRanks))
    try check(watch.watching(wait, body), function)
  }

  /// Narrows a count, a displacement, a rank or a tag to the library's 32 bits.
  func narrowed(_ value: Int, _ function: StaticString) throws(MPIError) -> Int32 {
    guard let narrow = Int32(exactly: value) else {
      let text = "\(value) does not fit into the 32 bits of a count: use more ranks, smaller parts"
      throw MPIError(MPI_ERR_COUNT, text, function: function, rank: worldRank)
    }
    return narrow
  }

  /// Narrows the counts of the ranks, and their prefix sums.
  func layout(
    _ counts: [Int], _ function: StaticString
  ) throws(MPIError) -> (counts: [Int32], displacements: [Int32]) {
    var narrow: [Int32] = []
    var displacements: [Int32] = []
    var sum = 0
    for count in counts {
      narrow.append(try narrowed(count, function))
      displacements.append(try narrowed(sum, function))
      sum += count
    }
    return (narrow, displacements)
  }
}

// MARK: - Administration

extension RawCommunicator {
  func rank() throws(MPIError) -> Int {
    var rank: Int32 = 0
    try check(unsafe MPI_Comm_rank(handle, &rank), "MPI_Comm_rank")
    return Int(rank)
  }

  func size() throws(MPIError) -> Int {
    var size: Int32 = 0
    try check(unsafe MPI_Comm_size(handle, &size), "MPI_Comm_size")
    return Int(size)
  }

  func returnErrors() throws(MPIError) {
    let function: StaticString = "MPI_Comm_set_errhandler"
    try check(unsafe MPI_Comm_set_errhandler(handle, cmpi_errors_return()), function)
  }

  func duplicate() throws(MPIError) -> RawCommunicator {
    var copy: MPI_Comm? = unsafe cmpi_comm_null()
    try collective("duplicate", "MPI_Comm_dup") { unsafe MPI_Comm_dup(handle, &copy) }
    return unsafe RawCommunicator(
      copy ?? cmpi_comm_null(), worldRank: worldRank, worldRanks: worldRanks, watch: watch)
  }

  func split(color: Int?, key: Int) throws(MPIError) -> RawCommunicator? {
    let function: StaticString = "MPI_Comm_split"
    let narrowColor = if let color { try narrowed(color, function) } else { cmpi_undefined() }
    let narrowKey = try narrowed(key, function)
    var part: MPI_Comm? = unsafe cmpi_comm_null()
    try collective("split", function) {
      unsafe MPI_Comm_split(handle, narrowColor, narrowKey, &part)
    }
    guard let part = unsafe part, unsafe part != cmpi_comm_null() else { return nil }
    let bare = unsafe RawCommunicator(
      part, worldRank: worldRank, worldRanks: [], watch: watch)
    return unsafe RawCommunicator(
      part, worldRank: worldRank, worldRanks: try bare.translatedRanks(), watch: watch)
  }

  /// Frees the handle; no other copy of it may be used any more.
  func free() throws(MPIError) {
    var handle: MPI_Comm? = unsafe handle
    try collective("free", "MPI_Comm_free") { unsafe MPI_Comm_free(&handle) }
  }

  func abort(status: Int32) {
    // Returns only if it fails; the process ends anyway, so the code is dropped.
    _ = unsafe MPI_Abort(handle, status)
  }
}
