import BlockKernels

extension AlignedBuffer<Double> {
  /// A copy, times a factor.
  func scaled(_ factor: Double) -> AlignedBuffer<Double> {
    let result = AlignedBuffer(repeating: 0, count: count)
    result.add(self, times: factor)
    return result
  }

  /// Replaces the first elements by those of another buffer.
  func copy(_ other: AlignedBuffer<Double>, at first: Int = 0) {
    let source = other.span
    var target = mutableSpan
    for place in 0..<other.count { target[first + place] = source[place] }
  }

  /// Adds a multiple of another buffer.
  func add(_ other: AlignedBuffer<Double>, times factor: Double) {
    let source = other.span
    var target = mutableSpan
    for place in 0..<other.count { target[place] += factor * source[place] }
  }

  /// Multiplies all elements by a factor and adds another buffer: x ← factor x + y.
  func scale(_ factor: Double, adding other: AlignedBuffer<Double>) {
    let source = other.span
    var target = mutableSpan
    for place in 0..<other.count { target[place] = factor * target[place] + source[place] }
  }

  /// The sum of the products with another buffer, from the first element on.
  func dot(_ other: AlignedBuffer<Double>) -> Double {
    let (left, right) = (span, other.span)
    var sum = 0.0
    for place in 0..<count { sum += left[place] * right[place] }
    return sum
  }
}
