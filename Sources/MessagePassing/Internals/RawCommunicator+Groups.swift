internal import CMPI

extension RawCommunicator {
  /// Finds the ranks of all processes of the communicator in the world communicator.
  ///
  /// Every process knows them without a message.
  func translatedRanks() throws(MPIError) -> [Int] {
    let function: StaticString = "MPI_Group_translate_ranks"
    let ranks = [Int32](0..<Int32(try size()))
    var translated = ranks
    try unsafe withGroup(of: handle) { (own) throws(MPIError) in
      try unsafe withGroup(of: cmpi_comm_world()) { (world) throws(MPIError) in
        // Both arrays have as many elements as the call is told.
        let code = unsafe MPI_Group_translate_ranks(
          own, Int32(ranks.count), ranks, world, &translated)
        try check(code, function)
      }
    }
    return translated.map { Int($0) }
  }

  /// Lends the group of processes of a communicator.
  private func withGroup(
    of communicator: MPI_Comm, _ body: (MPI_Group?) throws(MPIError) -> Void
  ) throws(MPIError) {
    var group: MPI_Group?
    try check(unsafe MPI_Comm_group(communicator, &group), "MPI_Comm_group")
    // The group is the own one of this function, whose body does not keep it.
    do throws(MPIError) {
      try unsafe body(group)
    } catch {
      // The error of the body says more than one that follows from it.
      _ = unsafe MPI_Group_free(&group)
      throw error
    }
    try check(unsafe MPI_Group_free(&group), "MPI_Group_free")
  }
}
