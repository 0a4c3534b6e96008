/// A fixed number of scalars in memory aligned to 64 bytes; owned, freed when it goes.
@safe
public struct AlignedBuffer<Scalar: BitwiseCopyable>: ~Copyable {
  @usableFromInline let storage: UnsafeMutableBufferPointer<Scalar>

  /// Allocates a buffer.
  ///
  /// - Parameters:
  ///   - value: What every element holds at first.
  ///   - count: The number of elements.
  /// - Precondition: `count >= 0`.
  public init(repeating value: Scalar, count: Int) {
    precondition(count >= 0, "a buffer of \(count) elements")
    let bytes = max(count, 1) * MemoryLayout<Scalar>.stride
    let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    // The memory was allocated above for this many elements.
    let typed = unsafe raw.bindMemory(to: Scalar.self, capacity: max(count, 1))
    unsafe storage = UnsafeMutableBufferPointer(start: typed, count: count)
    unsafe storage.initialize(repeating: value)
  }

  deinit {
    // Allocated by the initializer and owned by this value alone.
    unsafe UnsafeMutableRawPointer(storage.baseAddress)?.deallocate()
  }

  /// The number of elements.
  @inlinable public var count: Int { unsafe storage.count }

  /// The elements, to be read.
  @inlinable public var span: Span<Scalar> {
    @_lifetime(borrow self)
    get {
      // The span cannot outlive this value, which owns the memory.
      unsafe _overrideLifetime(Span(_unsafeElements: storage), borrowing: self)
    }
  }

  /// The elements, to be read and written.
  @inlinable public var mutableSpan: MutableSpan<Scalar> {
    @_lifetime(&self)
    mutating get {
      // The span cannot outlive the exclusive access to this value, which owns the memory.
      unsafe _overrideLifetime(MutableSpan(_unsafeElements: storage), mutating: &self)
    }
  }

  /// Copies the elements into an array.
  ///
  /// - Returns: A copy of the elements.
  public func array() -> [Scalar] { unsafe Array(storage) }
}
