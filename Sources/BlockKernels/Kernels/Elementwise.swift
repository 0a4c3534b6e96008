internal import CProcessor

/// Kernels over matrices of samples × channels, column-major: the samples of a channel are contiguous.
public enum Elementwise {
  /// Returns whether a run of elements lies inside a storage.
  @inlinable static func lies(_ start: Int, _ count: Int, in total: Int) -> Bool {
    start >= 0 && count >= 0 && start + count <= total
  }

  /// Transposes a samples × channels matrix: the channels of a sample become contiguous.
  ///
  /// - Parameters:
  ///   - values: The storage, `[channel][sample]`.
  ///   - channels: The number of channels.
  ///   - samples: The number of samples.
  ///   - stride: How far the samples of the transpose are apart, at least the number of channels.
  ///   - result: The storage of the transpose, `[sample][channel]`.
  @inlinable public static func transpose<Scalar: KernelScalar>(
    _ values: Span<Scalar>, channels: Int, samples: Int, stride: Int,
    into result: inout MutableSpan<Scalar>
  ) {
    guard channels > 0 && samples > 0 else { return }
    precondition(
      stride >= channels && channels * samples <= values.count
        && (samples - 1) * stride + channels <= result.count,
      "\(channels) channels of \(samples) samples")
    unsafe values.withUnsafeBufferPointer { x in
      unsafe result.withUnsafeMutableBufferPointer { t in
        guard let x = x.baseAddress, let t = t.baseAddress else { return }
        // Both extents were checked above.
        unsafe Scalar.transpose(x, rows: samples, columns: channels, into: t, stride: stride)
      }
    }
  }

  /// Adds one run of elements to another: y += x.
  ///
  /// - Parameters:
  ///   - source: The storage of x.
  ///   - sourceStart: Where x begins.
  ///   - values: The storage of y.
  ///   - range: The elements of y.
  @inlinable public static func add<Scalar: KernelScalar>(
    _ source: Span<Scalar>, at sourceStart: Int, to values: inout MutableSpan<Scalar>,
    in range: Range<Int>
  ) {
    precondition(
      lies(range.lowerBound, range.count, in: values.count)
        && lies(sourceStart, range.count, in: source.count),
      "\(range) of \(values.count) elements")
    unsafe source.withUnsafeBufferPointer { x in
      unsafe values.withUnsafeMutableBufferPointer { y in
        guard let x = x.baseAddress, let y = y.baseAddress else { return }
        // Both extents were checked above.
        unsafe RowKernels.add(x + sourceStart, to: y + range.lowerBound, count: range.count)
      }
    }
  }

  /// Copies one run of elements: y = x.
  ///
  /// - Parameters:
  ///   - source: The storage of x.
  ///   - sourceStart: Where x begins.
  ///   - values: The storage of y.
  ///   - range: The elements of y.
  @inlinable public static func copy<Scalar: KernelScalar>(
    _ source: Span<Scalar>, at sourceStart: Int, to values: inout MutableSpan<Scalar>,
    in range: Range<Int>
  ) {
    precondition(
      lies(range.lowerBound, range.count, in: values.count)
        && lies(sourceStart, range.count, in: source.count),
      "\(range) of \(values.count) elements")
    unsafe source.withUnsafeBufferPointer { x in
      unsafe values.withUnsafeMutableBufferPointer { y in
        guard let x = x.baseAddress, let y = y.baseAddress else { return }
        // Both extents were checked above.
        unsafe (y + range.lowerBound).update(from: x + sourceStart, count: range.count)
      }
    }
  }
}

extension Elementwise {
  /// Adds one run of elements to another one of the same storage: y += x.
  ///
  /// - Parameters:
  ///   - values: The storage.
  ///   - sourceStart: Where x begins.
  ///   - range: The elements of y, apart from those of x.
  @inlinable public static func add<Scalar: KernelScalar>(
    within values: inout MutableSpan<Scalar>, from sourceStart: Int, to range: Range<Int>
  ) {
    precondition(
      lies(range.lowerBound, range.count, in: values.count)
        && lies(sourceStart, range.count, in: values.count)
        && !range.overlaps(sourceStart..<sourceStart + range.count),
      "\(range) and as many from \(sourceStart) of \(values.count) elements")
    unsafe values.withUnsafeMutableBufferPointer { values in
      guard let start = values.baseAddress else { return }
      // Both extents were checked above.
      let (x, y) = unsafe (start + sourceStart, start + range.lowerBound)
      for i in 0..<range.count { unsafe y[i] += x[i] }
    }
  }

  /// Sets a run of elements to zero.
  ///
  /// - Parameters:
  ///   - values: The storage.
  ///   - range: The elements.
  @inlinable public static func clear<Scalar: KernelScalar>(
    _ values: inout MutableSpan<Scalar>, in range: Range<Int>
  ) {
    precondition(
      lies(range.lowerBound, range.count, in: values.count),
      "\(range) of \(values.count) elements")
    unsafe values.withUnsafeMutableBufferPointer { y in
      // The range was checked above.
      for i in range { unsafe y[i] = 0 }
    }
  }

  /// Returns whether all numbers of a buffer are finite.
  ///
  /// - Parameter values: The buffer.
  /// - Returns: Whether all of them are finite.
  @inlinable public static func areFinite<Scalar: KernelScalar>(
    _ values: AlignedBuffer<Scalar>
  ) -> Bool {
    let values = values.span
    return unsafe values.withUnsafeBufferPointer { values in
      guard let start = values.baseAddress else { return true }
      return unsafe areFinite(start, count: values.count)
    }
  }

  /// Returns whether numbers are finite.
  ///
  /// - Parameters:
  ///   - values: The numbers.
  ///   - count: How many.
  /// - Returns: Whether all of them are finite.
  @unsafe @inlinable @inline(__always)
  public static func areFinite<Scalar: KernelScalar>(
    _ values: UnsafePointer<Scalar>, count: Int
  ) -> Bool {
    // Lanes become NaN with the first number that is not finite.
    var (lanes, rest, i) = (SIMD16<Scalar>(), Scalar(0), 0)
    while i &+ 16 <= count {
      lanes += unsafe SIMD16(at: values + i) * 0
      i &+= 16
    }
    while i < count {
      rest += unsafe values[i] * 0
      i &+= 1
    }
    for lane in 0..<16 { rest += lanes[lane] }
    return rest == 0
  }

  /// Brings memory that will be read soon towards the processor.
  ///
  /// - Parameters:
  ///   - values: Where it begins; may lie outside of any allocation.
  ///   - count: How many elements.
  @unsafe public static func prefetch<Element>(_ values: UnsafePointer<Element>, count: Int) {
    unsafe cprocessor_prefetch(values, count * MemoryLayout<Element>.stride)
  }
}
