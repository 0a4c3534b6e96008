internal import CMPI

extension RawCommunicator {
  /// Initializes the library for one thread.
  static func initialize() throws(MPIError) {
    var wasInitialized: Int32 = 0
    _ = unsafe MPI_Initialized(&wasInitialized)
    precondition(wasInitialized == 0, "MPI can be initialized once in a process")
    // There is no communicator that could be asked for the rank yet.
    let none = RawCommunicator.own()
    var provided: Int32 = 0
    try none.check(
      unsafe MPI_Init_thread(nil, nil, Int32(MPI_THREAD_FUNNELED), &provided), "MPI_Init_thread")
    guard provided >= MPI_THREAD_FUNNELED else {
      throw MPIError(
        MPI_ERR_OTHER, "the library offers thread level \(provided) only",
        function: "MPI_Init_thread", rank: none.worldRank)
    }
  }

  /// Shuts the library down; no handle may be used any more.
  func finalize() throws(MPIError) {
    try collective("end of the communication", "MPI_Finalize") { MPI_Finalize() }
  }
}
