package import BlockKernels

/// Updates of blocks of vectors, element by element: their bits do not depend on how the rows are spread.
///
/// The elements stand at the same places in all blocks.
package enum VectorKernels {
  /// Adds a multiple: y += a x.
  ///
  /// - Parameters:
  ///   - x: The block that is added.
  ///   - factor: a.
  ///   - y: The block that is changed.
  ///   - range: The elements.
  package static func add(
    _ x: AlignedBuffer<Double>, times factor: Double, to y: inout MutableSpan<Double>,
    in range: Range<Int>
  ) {
    check(range, x.count, y.count)
    let x = x.span
    unsafe x.withUnsafeBufferPointer { x in
      unsafe y.withUnsafeMutableBufferPointer { y in
        // The range was checked above.
        for i in range { unsafe y[i] += factor * x[i] }
      }
    }
  }

  /// Adds a multiple: y += a x.
  ///
  /// - Parameters:
  ///   - x: The block that is added.
  ///   - factor: a.
  ///   - y: The block that is changed.
  ///   - range: The elements.
  package static func add(
    _ x: AlignedBuffer<Double>, times factor: Double, to y: AlignedBuffer<Double>,
    in range: Range<Int>
  ) {
    var y = y.mutableSpan
    add(x, times: factor, to: &y, in: range)
  }

  /// Multiplies a block and adds another one: y = x + a y.
  ///
  /// - Parameters:
  ///   - x: The block that is added.
  ///   - factor: a.
  ///   - y: The block that is changed.
  ///   - range: The elements.
  package static func add(
    _ x: AlignedBuffer<Double>, toMultiple factor: Double, of y: AlignedBuffer<Double>,
    in range: Range<Int>
  ) {
    check(range, x.count, y.count)
    let x = x.span
    var y = y.mutableSpan
    unsafe x.withUnsafeBufferPointer { x in
      unsafe y.withUnsafeMutableBufferPointer { y in
        // The range was checked above.
        for i in range { unsafe y[i] = x[i] + factor * y[i] }
      }
    }
  }

  /// Subtracts a block from another one and multiplies: y = a (x − y).
  ///
  /// - Parameters:
  ///   - x: The block from which is subtracted.
  ///   - factor: a.
  ///   - y: The block that is changed.
  ///   - range: The elements.
  package static func subtract(
    from x: Span<Double>, times factor: Double, _ y: AlignedBuffer<Double>, in range: Range<Int>
  ) {
    check(range, x.count, y.count)
    var y = y.mutableSpan
    unsafe x.withUnsafeBufferPointer { x in
      unsafe y.withUnsafeMutableBufferPointer { y in
        // The range was checked above.
        for i in range { unsafe y[i] = factor * (x[i] - y[i]) }
      }
    }
  }

  /// Multiplies by a number: y = a x.
  ///
  /// - Parameters:
  ///   - x: The block that is read.
  ///   - factor: a.
  ///   - y: The block that is changed, another one.
  ///   - range: The elements.
  package static func multiply(
    _ x: Span<Double>, by factor: Double, into y: inout MutableSpan<Double>, in range: Range<Int>
  ) {
    check(range, x.count, y.count)
    unsafe x.withUnsafeBufferPointer { x in
      unsafe y.withUnsafeMutableBufferPointer { y in
        // The range was checked above.
        for i in range { unsafe y[i] = factor * x[i] }
      }
    }
  }

  /// Multiplies by a number: y = a x.
  ///
  /// - Parameters:
  ///   - x: The block that is read.
  ///   - factor: a.
  ///   - y: The block that is changed, another one.
  ///   - range: The elements.
  package static func multiply(
    _ x: Span<Double>, by factor: Double, into y: AlignedBuffer<Double>, in range: Range<Int>
  ) {
    var y = y.mutableSpan
    multiply(x, by: factor, into: &y, in: range)
  }

  /// Multiplies by a number: y = a x.
  ///
  /// - Parameters:
  ///   - x: The block that is read.
  ///   - factor: a.
  ///   - y: The block that is changed, another one.
  ///   - range: The elements.
  package static func multiply(
    _ x: AlignedBuffer<Double>, by factor: Double, into y: AlignedBuffer<Double>,
    in range: Range<Int>
  ) {
    let x = x.span
    multiply(x, by: factor, into: y, in: range)
  }

  /// Multiplies by a number in place: y = a y.
  ///
  /// - Parameters:
  ///   - y: The block.
  ///   - factor: a.
  ///   - range: The elements.
  package static func scale(_ y: AlignedBuffer<Double>, by factor: Double, in range: Range<Int>) {
    check(range, y.count, y.count)
    var y = y.mutableSpan
    // The range was checked above.
    unsafe y.withUnsafeMutableBufferPointer { y in for i in range { unsafe y[i] *= factor } }
  }

  /// Sets elements to zero.
  ///
  /// - Parameters:
  ///   - y: The block.
  ///   - range: The elements.
  package static func clear(_ y: inout MutableSpan<Double>, in range: Range<Int>) {
    check(range, y.count, y.count)
    // The range was checked above.
    unsafe y.withUnsafeMutableBufferPointer { y in for i in range { unsafe y[i] = 0 } }
  }

  private static func check(_ range: Range<Int>, _ first: Int, _ second: Int) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= min(first, second),
      "\(range) of \(first) and \(second) elements")
  }
}
