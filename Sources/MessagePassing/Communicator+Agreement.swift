extension Communicator {
  /// Runs a body on every rank and fails on all of them if it fails on one.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Allreduce`.
  ///
  /// The lowest rank that failed throws its own error, all others throw a ``RemoteFailure`` with
  /// its message and exit status, also those whose body failed too. So no rank waits for one that
  /// has given up, and all end with the same status. The body may be collective itself as long as
  /// it cannot fail on one rank while others wait for this one.
  ///
  /// - Parameter body: The function that may throw.
  /// - Returns: What the body returns, if it returned on all ranks.
  /// - Throws: The error of the body, ``RemoteFailure``, or ``MPIError`` if the library fails.
  public borrowing func agree<R: ~Copyable>(_ body: () throws -> R) throws -> R {
    let outcome: Result<R, any Error>
    do {
      outcome = .success(try body())
    } catch {
      outcome = .failure(error)
    }
    switch consume outcome {
    case .success(let value):
      try shareFailure(nil)
      return value
    case .failure(let error):
      try shareFailure(error)
      throw error
    }
  }

  /// Throws what agree(_:) throws, given the failure of this rank, if there is one.
  private borrowing func shareFailure(_ failure: (any Error)?) throws {
    let first = try allReduce(.min, failure == nil ? size : rank)
    guard first < size else { return }
    var header = [worldRank, 0]
    var text: [UInt8] = []
    if let failure, rank == first {
      // A failure that came from elsewhere keeps its origin.
      header = [
        (failure as? RemoteFailure)?.rank ?? worldRank, Int(ExitStatus.status(of: failure)),
      ]
      text = Array(ExitStatus.message(of: failure).utf8)
    }
    var headerSpan = header.mutableSpan
    try broadcast(&headerSpan, from: first)
    text = try broadcast(text, from: first)
    if let failure, rank == first { throw failure }
    throw RemoteFailure(
      rank: header[0], exitStatus: Int32(truncatingIfNeeded: header[1]),
      message: String(decoding: text, as: UTF8.self))
  }
}
