internal import CMPI

/// The collective calls; see ``RawCommunicator`` for what the pointers must be good for.
extension RawCommunicator {
  func barrier() throws(MPIError) {
    try collective("barrier", "MPI_Barrier") { unsafe MPI_Barrier(handle) }
  }

  @unsafe
  func broadcast(
    _ values: UnsafeMutableRawPointer?, count: Int, _ kind: ScalarKind, from root: Int
  ) throws(MPIError) {
    let function: StaticString = "MPI_Bcast"
    let (count, root) = (try narrowed(count, function), try narrowed(root, function))
    try collective("broadcast", function) {
      unsafe MPI_Bcast(values, count, kind.datatype, root, handle)
    }
  }

  /// Replaces the values by the combination of those of all ranks.
  @unsafe
  func allReduce(
    _ values: UnsafeMutableRawPointer?, count: Int, _ kind: ScalarKind,
    _ operation: ReductionOperation
  ) throws(MPIError) {
    let function: StaticString = "MPI_Allreduce"
    let count = try narrowed(count, function)
    try collective("all-reduce", function) {
      unsafe MPI_Allreduce(
        cmpi_in_place(), values, count, kind.datatype, operation.operation, handle)
    }
  }

  /// Gathers the parts of all ranks; a rank whose part is already in its place passes nil.
  @unsafe
  func allGather(
    _ part: UnsafeRawPointer?, _ kind: ScalarKind, counts: [Int], rank: Int,
    into whole: UnsafeMutableRawPointer?, inPlace: Bool
  ) throws(MPIError) {
    let function: StaticString = "MPI_Allgatherv"
    let (narrow, displacements) = try layout(counts, function)
    try collective("all-gather", function) {
      unsafe MPI_Allgatherv(
        inPlace ? cmpi_in_place() : part, narrow[rank], kind.datatype, whole, narrow,
        displacements, kind.datatype, handle)
    }
  }

  @unsafe
  func allToAll(
    _ sent: UnsafeRawPointer?, counts: [Int], into received: UnsafeMutableRawPointer?,
    receivedCounts: [Int], _ kind: ScalarKind
  ) throws(MPIError) {
    let function: StaticString = "MPI_Alltoallv"
    let outgoing = try layout(counts, function)
    let incoming = try layout(receivedCounts, function)
    try collective("all-to-all", function) {
      unsafe MPI_Alltoallv(
        sent, outgoing.counts, outgoing.displacements, kind.datatype, received, incoming.counts,
        incoming.displacements, kind.datatype, handle)
    }
  }
}
