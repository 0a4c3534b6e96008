public import BlockKernels

/// Sums in one order, on any processor: eight lanes, added up in the end.
public enum OrderedSums {
  /// Σ aᵢ bᵢ.
  public static func dot(_ a: AlignedBuffer<Double>, _ b: AlignedBuffer<Double>) -> Double {
    precondition(a.count == b.count, "\(a.count) and \(b.count) numbers")
    return dot(a, b, in: 0..<a.count)
  }

  /// Σ aᵢ bᵢ over some elements.
  public static func dot(
    _ a: AlignedBuffer<Double>, _ b: AlignedBuffer<Double>, in range: Range<Int>
  ) -> Double {
    let (a, b) = (a.span.extracting(range), b.span.extracting(range))
    return unsafe a.withUnsafeBufferPointer { a in
      unsafe b.withUnsafeBufferPointer { b in
        var (one, two, rest, i) = (SIMD8<Double>(), SIMD8<Double>(), 0.0, 0)
        guard let x = unsafe UnsafeRawPointer(a.baseAddress),
          let y = unsafe UnsafeRawPointer(b.baseAddress)
        else { return 0 }
        // Both have as many elements; sixteen of them are there.
        while i &+ 16 <= a.count {
          let first = i &* 8
          one +=
            unsafe x.loadUnaligned(fromByteOffset: first, as: SIMD8<Double>.self)
            * y.loadUnaligned(fromByteOffset: first, as: SIMD8<Double>.self)
          two +=
            unsafe x.loadUnaligned(fromByteOffset: first &+ 64, as: SIMD8<Double>.self)
            * y.loadUnaligned(fromByteOffset: first &+ 64, as: SIMD8<Double>.self)
          i &+= 16
        }
        while i < a.count {
          unsafe rest += a[i] * b[i]
          i &+= 1
        }
        return (one + two).sum() + rest
      }
    }
  }

  /// y ← y x, element by element.
  public static func multiply(_ y: AlignedBuffer<Double>, by x: AlignedBuffer<Double>) {
    precondition(x.count == y.count, "\(x.count) and \(y.count) numbers")
    let x = x.span
    var y = y.mutableSpan
    unsafe x.withUnsafeBufferPointer { x in
      unsafe y.withUnsafeMutableBufferPointer { y in
        // Both have as many elements.
        for i in x.indices { unsafe y[i] *= x[i] }
      }
    }
  }

  /// y ← y + x², element by element.
  public static func addSquares(of x: AlignedBuffer<Double>, to y: AlignedBuffer<Double>) {
    precondition(x.count == y.count, "\(x.count) and \(y.count) numbers")
    let x = x.span
    var y = y.mutableSpan
    unsafe x.withUnsafeBufferPointer { x in
      unsafe y.withUnsafeMutableBufferPointer { y in
        // Both have as many elements.
        for i in x.indices { unsafe y[i] += x[i] * x[i] }
      }
    }
  }

  /// z ← x y, element by element.
  public static func multiply(
    _ x: AlignedBuffer<Double>, by y: AlignedBuffer<Double>, into z: AlignedBuffer<Double>
  ) {
    let (x, y) = (x.span, y.span)
    var z = z.mutableSpan
    precondition(x.count == y.count && y.count == z.count)
    unsafe x.withUnsafeBufferPointer { x in
      unsafe y.withUnsafeBufferPointer { y in
        unsafe z.withUnsafeMutableBufferPointer { z in
          // All have as many elements.
          for i in x.indices { unsafe z[i] = x[i] * y[i] }
        }
      }
    }
  }

  /// z ← z + a x y, element by element.
  public static func multiplyAdd(
    _ x: AlignedBuffer<Double>, by y: AlignedBuffer<Double>, times factor: Double,
    to z: AlignedBuffer<Double>
  ) {
    let (x, y) = (x.span, y.span)
    var z = z.mutableSpan
    precondition(x.count == y.count && y.count == z.count)
    unsafe x.withUnsafeBufferPointer { x in
      unsafe y.withUnsafeBufferPointer { y in
        unsafe z.withUnsafeMutableBufferPointer { z in
          // All have as many elements.
          for i in x.indices { unsafe z[i] += factor * x[i] * y[i] }
        }
      }
    }
  }

  /// Σ wᵢ xᵢ².
  public static func weightedSquare(_ x: AlignedBuffer<Double>, by w: AlignedBuffer<Double>)
    -> Double
  {
    let (x, w) = (x.span, w.span)
    precondition(x.count == w.count)
    var sum = SIMD8<Double>()
    var (rest, i) = (0.0, 0)
    while i + 8 <= x.count {
      for lane in 0..<8 { sum[lane] += w[i + lane] * x[i + lane] * x[i + lane] }
      i += 8
    }
    while i < x.count {
      rest += w[i] * x[i] * x[i]
      i += 1
    }
    return sum.sum() + rest
  }
}
