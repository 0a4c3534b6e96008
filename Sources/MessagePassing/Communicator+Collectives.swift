extension Communicator {
  /// Waits until all ranks have come here.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Barrier`.
  ///
  /// - Throws: ``MPIError`` if the library fails.
  public borrowing func barrier() throws(MPIError) {
    traffic.countCollective(bytes: 0)
    try raw.barrier()
  }

  /// Copies the values of one rank to all others.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Bcast`, called once per 2³⁰ values.
  ///
  /// - Parameters:
  ///   - values: The values, as many on every rank; overwritten on all but the root.
  ///   - root: The rank whose values are copied.
  /// - Throws: ``MPIError`` if the library fails.
  public borrowing func broadcast<T: MPIScalar>(
    _ values: inout MutableSpan<T>, from root: Int
  ) throws(MPIError) {
    checkRank(root)
    let bytes = rank == root ? values.count * MemoryLayout<T>.stride : 0
    traffic.countCollective(bytes: bytes)
    let raw = raw
    try unsafe values.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in
      let limit = 1 << 30
      for start in stride(from: 0, to: buffer.count, by: limit) {
        // The part lies inside of the span: start + count <= buffer.count.
        let count = Swift.min(limit, buffer.count - start)
        let part = unsafe buffer.baseAddress.map { unsafe $0 + start }
        unsafe try raw.broadcast(part, count: count, T.scalarKind, from: root)
      }
    }
  }

  /// Copies the bytes of one rank, which alone knows how many there are, to all others.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Bcast`.
  ///
  /// - Parameters:
  ///   - bytes: The bytes; only those of the root matter.
  ///   - root: The rank whose bytes are copied.
  /// - Returns: The bytes of the root.
  /// - Throws: ``MPIError`` if the library fails.
  public borrowing func broadcast(
    _ bytes: [UInt8], from root: Int
  ) throws(MPIError) -> [UInt8] {
    var length = [bytes.count]
    var lengthSpan = length.mutableSpan
    try broadcast(&lengthSpan, from: root)
    var received = rank == root ? bytes : [UInt8](repeating: 0, count: length[0])
    var receivedSpan = received.mutableSpan
    try broadcast(&receivedSpan, from: root)
    return received
  }

  /// Combines one integer of every rank.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Allreduce`.
  ///
  /// There is no such function for floating-point numbers: their sum depends on the order of the
  /// summands, which depends on the number of ranks.
  ///
  /// - Parameters:
  ///   - operation: The way in which two integers are combined.
  ///   - value: The integer of this rank.
  /// - Returns: The combination, the same on all ranks.
  /// - Throws: ``MPIError`` if the library fails.
  public borrowing func allReduce<T: MPIScalar & FixedWidthInteger>(
    _ operation: ReductionOperation, _ value: T
  ) throws(MPIError) -> T {
    traffic.countCollective(bytes: MemoryLayout<T>.size)
    var result = value
    // `result` is one value of the kind.
    unsafe try raw.allReduce(&result, count: 1, T.scalarKind, operation)
    return result
  }

  /// Combines the integers of all ranks, element by element.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Allreduce`.
  ///
  /// - Parameters:
  ///   - operation: The way in which two integers are combined.
  ///   - values: The integers of this rank, as many on every rank; replaced by the combination.
  /// - Throws: ``MPIError`` if the library fails.
  public borrowing func allReduce<T: MPIScalar & FixedWidthInteger>(
    _ operation: ReductionOperation, _ values: inout MutableSpan<T>
  ) throws(MPIError) {
    traffic.countCollective(bytes: values.count * MemoryLayout<T>.stride)
    let raw = raw
    try unsafe values.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in
      unsafe try raw.allReduce(buffer.baseAddress, count: buffer.count, T.scalarKind, operation)
    }
  }

  /// Finds the largest of the numbers of all ranks.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Allreduce`.
  ///
  /// - Parameter value: The number of this rank.
  /// - Returns: The largest number, not a number if one of them is not; the same bits on all ranks.
  /// - Throws: ``MPIError`` if the library fails.
  public borrowing func maximum(_ value: Double) throws(MPIError) -> Double {
    // As integers, with the negative ones mirrored, the bits of numbers have the order of the
    // numbers, and positive NaN stands above infinity. MPI_MAX leaves open what it does with NaN.
    func mirrored(_ bits: Int64) -> Int64 { bits < 0 ? bits ^ Int64.max : bits }
    let canonical = value.isNaN ? Double.nan : value
    let largest = try allReduce(.max, mirrored(Int64(bitPattern: canonical.bitPattern)))
    return Double(bitPattern: UInt64(bitPattern: mirrored(largest)))
  }

  /// Stops the program if there is no such rank in this communicator.
  borrowing func checkRank(_ other: Int) {
    precondition((0..<size).contains(other), "Rank \(other) is not below the size \(size)")
  }
}
