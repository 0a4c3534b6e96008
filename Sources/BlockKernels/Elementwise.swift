/// Kernels over matrices of samples × channels, column-major: the samples of a channel are contiguous.
public enum Elementwise {
  /// Returns whether a run of elements lies inside a storage.
  @inlinable static func lies(_ start: Int, _ count: Int, in total: Int) -> Bool {
    start >= 0 && count >= 0 && start + count <= total
  }

  /// Fills each channel with its bias.
  ///
  /// - Parameters:
  ///   - bias: Storage of the biases.
  ///   - biasStart: Where the biases of these channels begin.
  ///   - channels: The number of channels.
  ///   - samples: The number of samples.
  ///   - values: The storage to fill.
  ///   - start: Where in `values` the first channel begins.
  @inlinable public static func fill<Scalar: KernelScalar>(
    bias: Span<Scalar>, at biasStart: Int, channels: Int, samples: Int,
    into values: inout MutableSpan<Scalar>, at start: Int
  ) {
    precondition(
      lies(biasStart, channels, in: bias.count)
        && lies(start, channels * samples, in: values.count),
      "\(channels) channels of \(samples) samples")
    unsafe bias.withUnsafeBufferPointer { b in
      unsafe values.withUnsafeMutableBufferPointer { y in
        // Both extents were checked above.
        for c in 0..<channels {
          let value = unsafe b[biasStart + c]
          let first = start + c * samples
          for i in first..<first + samples { unsafe y[i] = value }
        }
      }
    }
  }

  /// Copies elements and adds to each channel its bias: y = x + b.
  ///
  /// - Parameters:
  ///   - source: The storage of x.
  ///   - sourceStart: Where in `source` the first channel begins.
  ///   - bias: Storage of the biases.
  ///   - biasStart: Where the biases of these channels begin.
  ///   - channels: The number of channels.
  ///   - samples: The number of samples.
  ///   - values: The storage of y.
  ///   - start: Where in `values` the first channel begins.
  @inlinable public static func fill<Scalar: KernelScalar>(
    from source: Span<Scalar>, at sourceStart: Int, bias: Span<Scalar>, at biasStart: Int,
    channels: Int, samples: Int, into values: inout MutableSpan<Scalar>, at start: Int
  ) {
    precondition(
      lies(biasStart, channels, in: bias.count)
        && lies(start, channels * samples, in: values.count)
        && lies(sourceStart, channels * samples, in: source.count),
      "\(channels) channels of \(samples) samples")
    unsafe source.withUnsafeBufferPointer { x in
      unsafe bias.withUnsafeBufferPointer { b in
        unsafe values.withUnsafeMutableBufferPointer { y in
          // The extents were checked above.
          for c in 0..<channels {
            let value = unsafe b[biasStart + c]
            let first = start + c * samples
            let shift = sourceStart - start
            for i in first..<first + samples { unsafe y[i] = x[i + shift] + value }
          }
        }
      }
    }
  }

  /// Sums each channel over its samples, in 16 lanes and in a fixed order.
  ///
  /// - Parameters:
  ///   - values: The storage.
  ///   - start: Where the first channel begins.
  ///   - channels: The number of channels.
  ///   - samples: The number of samples, a multiple of 16.
  ///   - sums: Where the sums go.
  ///   - sumStart: Where in `sums` the first one stands.
  ///   - accumulates: Whether the sums are added to what stands there.
  @inlinable public static func sumOverSamples<Scalar: KernelScalar>(
    _ values: Span<Scalar>, at start: Int, channels: Int, samples: Int,
    into sums: inout MutableSpan<Scalar>, at sumStart: Int, accumulates: Bool
  ) {
    precondition(
      samples % 16 == 0 && lies(start, channels * samples, in: values.count)
        && lies(sumStart, channels, in: sums.count),
      "\(channels) channels of \(samples) samples")
    unsafe values.withUnsafeBufferPointer { y in
      unsafe sums.withUnsafeMutableBufferPointer { out in
        // The extents were checked above.
        for c in 0..<channels {
          var lanes = SIMD16<Scalar>()
          var i = start + c * samples
          let end = i + samples
          while i < end {
            for lane in 0..<16 { unsafe lanes[lane] += y[i + lane] }
            i += 16
          }
          let eight = lanes.lowHalf + lanes.highHalf
          let four = eight.lowHalf + eight.highHalf
          let two = four.lowHalf + four.highHalf
          let sum = two.x + two.y
          unsafe out[sumStart + c] = accumulates ? out[sumStart + c] + sum : sum
        }
      }
    }
  }

  /// Transposes a samples × channels matrix: the channels of a sample become contiguous.
  ///
  /// - Parameters:
  ///   - values: The storage, `[channel][sample]`.
  ///   - start: Where the first channel begins.
  ///   - channels: The number of channels.
  ///   - samples: The number of samples.
  ///   - result: The storage of the transpose, `[sample][channel]`, from its beginning.
  @inlinable public static func transpose<Scalar: KernelScalar>(
    _ values: Span<Scalar>, at start: Int, channels: Int, samples: Int,
    into result: inout MutableSpan<Scalar>
  ) {
    precondition(
      lies(start, channels * samples, in: values.count) && channels * samples <= result.count,
      "\(channels) channels of \(samples) samples")
    unsafe values.withUnsafeBufferPointer { x in
      unsafe result.withUnsafeMutableBufferPointer { t in
        // The extents were checked above. Tiles keep both sides in the cache.
        var c0 = 0
        while c0 < channels {
          let c1 = min(c0 + 16, channels)
          for s in 0..<samples {
            for c in c0..<c1 { unsafe t[s * channels + c] = x[start + c * samples + s] }
          }
          c0 = c1
        }
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
        // Both extents were checked above.
        let shift = sourceStart - range.lowerBound
        for i in range { unsafe y[i] += x[i + shift] }
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
        // Both extents were checked above.
        let shift = sourceStart - range.lowerBound
        for i in range { unsafe y[i] = x[i + shift] }
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
}
