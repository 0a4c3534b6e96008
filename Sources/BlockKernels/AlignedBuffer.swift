/// A fixed number of scalars in memory aligned to 64 bytes.
///
/// A class and not a noncopyable value: a network keeps arrays of buffers and works on several of them
/// at once, which the language does not allow for noncopyable elements. It is not sendable.
@safe
public final class AlignedBuffer<Scalar: BitwiseCopyable> {
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
    // Allocated by the initializer; no span outlives this object.
    unsafe UnsafeMutableRawPointer(storage.baseAddress)?.deallocate()
  }

  /// The number of elements.
  @inlinable public var count: Int { unsafe storage.count }

  /// The elements, to be read.
  @inlinable public var span: Span<Scalar> {
    @_lifetime(borrow self)
    get {
      // The span cannot outlive this object, which owns the memory.
      unsafe _overrideLifetime(Span(_unsafeElements: storage), borrowing: self)
    }
  }

  /// The elements, to be read and written.
  ///
  /// - Precondition: No other span of this buffer is used while this one is written to.
  @inlinable public var mutableSpan: MutableSpan<Scalar> {
    @_lifetime(borrow self)
    get {
      // The span cannot outlive this object, which owns the memory.
      unsafe _overrideLifetime(MutableSpan(_unsafeElements: storage), borrowing: self)
    }
  }

  /// One element.
  ///
  /// - Parameter index: Its index.
  @inlinable public subscript(index: Int) -> Scalar {
    get {
      precondition(index >= 0 && index < count, "element \(index) of \(count)")
      return unsafe storage[index]
    }
    set {
      precondition(index >= 0 && index < count, "element \(index) of \(count)")
      unsafe storage[index] = newValue
    }
  }

  /// Gives every element one value.
  ///
  /// - Parameter value: The value.
  public func fill(_ value: Scalar) { unsafe storage.update(repeating: value) }

  /// Copies the elements into an array.
  ///
  /// - Returns: A copy of the elements.
  public func array() -> [Scalar] { unsafe Array(storage) }
}
