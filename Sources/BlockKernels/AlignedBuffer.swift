#if canImport(Glibc)
internal import Glibc
#endif

/// A fixed number of scalars in memory aligned to 64 bytes.
///
/// A class and not a noncopyable value: a network keeps arrays of buffers and works on several of them
/// at once, which the language does not allow for noncopyable elements. It is not sendable.
@safe
public final class AlignedBuffer<Scalar: BitwiseCopyable> {
  @usableFromInline let storage: UnsafeMutableBufferPointer<Scalar>
  /// The buffer of which this one is a part; nil if it has memory of its own.
  private let whole: AlignedBuffer?

  /// Allocates a buffer.
  ///
  /// - Parameters:
  ///   - value: What every element holds at first.
  ///   - count: The number of elements.
  /// - Precondition: `count >= 0`.
  public init(repeating value: Scalar, count: Int) {
    precondition(count >= 0, "a buffer of \(count) elements")
    let bytes = max(count, 1) * MemoryLayout<Scalar>.stride
    // Large buffers take large pages where the system has them: fewer addresses to translate.
    let isLarge = bytes >= Self.largePage
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: bytes, alignment: isLarge ? Self.largePage : 64)
    #if os(Linux)
    // Only advice, about memory that was allocated above; it may be declined.
    if isLarge { _ = unsafe madvise(raw, bytes, MADV_HUGEPAGE) }
    #endif
    // The memory was allocated above for this many elements.
    let typed = unsafe raw.bindMemory(to: Scalar.self, capacity: max(count, 1))
    unsafe storage = UnsafeMutableBufferPointer(start: typed, count: count)
    unsafe storage.initialize(repeating: value)
    whole = nil
  }

  /// Makes a buffer of some elements of another one.
  private init(_ range: Range<Int>, of whole: AlignedBuffer) {
    precondition(range.lowerBound >= 0 && range.upperBound <= whole.count)
    // The elements lie inside of the other buffer, which lives as long as this one.
    unsafe storage = UnsafeMutableBufferPointer(rebasing: whole.storage[range])
    self.whole = whole
  }

  /// Allocates several buffers behind each other, so that small ones share large pages too.
  ///
  /// - Parameters:
  ///   - value: What every element holds at first.
  ///   - counts: For each buffer: the number of elements.
  /// - Returns: The buffers; their memory is freed with the last of them.
  /// - Precondition: No count is negative.
  public static func several(repeating value: Scalar, counts: [Int]) -> [AlignedBuffer] {
    var end = 0
    return several(
      repeating: value,
      places: counts.map { count in
        let start = end
        end += (count + 63) & ~63
        return start..<start + count
      })
  }

  /// Allocates several buffers in one piece of memory, in which they may overlap.
  ///
  /// - Parameters:
  ///   - value: What every element holds at first.
  ///   - places: For each buffer: the places of its elements; a write to one changes those that overlap
  ///     with it.
  /// - Returns: The buffers; their memory is freed with the last of them.
  public static func several(repeating value: Scalar, places: [Range<Int>]) -> [AlignedBuffer] {
    let whole = AlignedBuffer(repeating: value, count: places.map(\.upperBound).max() ?? 0)
    return places.map { AlignedBuffer($0, of: whole) }
  }

  /// The bytes of a large page.
  private static var largePage: Int { 1 << 21 }

  deinit {
    guard whole == nil else { return }
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

  /// Returns a run of elements, to be read and written.
  ///
  /// - Parameter range: The elements.
  /// - Returns: Their span.
  /// - Precondition: No other span of them is used while this one is written to.
  @_lifetime(borrow self)
  public func mutableSpan(of range: Range<Int>) -> MutableSpan<Scalar> {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= count, "\(range) of \(count) elements")
    // The range lies inside of the storage; the span cannot outlive this object, which owns it.
    let part = unsafe UnsafeMutableBufferPointer(rebasing: storage[range])
    return unsafe _overrideLifetime(MutableSpan(_unsafeElements: part), borrowing: self)
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

  /// Copies a run of elements of another buffer.
  ///
  /// - Parameters:
  ///   - source: The other buffer.
  ///   - start: Where the elements begin in it.
  ///   - range: The places that they take here.
  public func copy(from source: AlignedBuffer, at start: Int, to range: Range<Int>) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= count && start >= 0
        && start + range.count <= source.count,
      "\(range) of \(count) elements, from \(start) of \(source.count)")
    guard let from = unsafe source.storage.baseAddress, let to = unsafe storage.baseAddress else {
      return
    }
    // Both extents were checked above; the elements may be moved byte by byte.
    unsafe UnsafeMutableRawPointer(to + range.lowerBound).copyMemory(
      from: from + start, byteCount: range.count * MemoryLayout<Scalar>.stride)
  }

  /// Copies the elements into an array.
  ///
  /// - Returns: A copy of the elements.
  public func array() -> [Scalar] { unsafe Array(storage) }
}
