import BlockKernels
import Testing

@Suite struct RowKernelsTests {
  static let sizes = [(0, 16), (1, 16), (5, 32), (6, 48), (16, 64), (17, 16), (40, 80)]

  /// Applies a kernel to some elements of an array.
  @safe private func change<Scalar: KernelScalar>(
    _ values: [Scalar], from start: Int, _ body: (UnsafeMutablePointer<Scalar>) -> Void
  ) -> [Scalar] {
    var result = values
    unsafe result.withUnsafeMutableBufferPointer { unsafe body(first(of: $0) + start) }
    return result
  }

  @Test(arguments: sizes, Activation.allCases)
  func rowsEndWithBiasAddendAndFunction(size: (Int, Int), activation: Activation) {
    finish(size, activation, Float.self)
    finish(size, activation, Double.self)
  }

  private func finish<Scalar: KernelScalar>(
    _ size: (Int, Int), _ activation: Activation, _: Scalar.Type
  ) {
    let (channels, samples) = size
    let bias: [Scalar] = scalars(channels + 1, seed: 1)
    let addend: [Scalar] = scalars(channels * samples + 3, seed: 2)
    let before: [Scalar] = scalars(channels * samples + 9, seed: 3)
    for hasAddend in [false, true] {
      let found = change(before, from: 5) { values in
        unsafe bias.withUnsafeBufferPointer { bias in
          unsafe addend.withUnsafeBufferPointer { addend in
            unsafe RowKernels.finish(
              values, bias: first(of: bias),
              addend: hasAddend ? first(of: addend) + 2 : nil, channels: channels,
              samples: samples, activation: activation)
          }
        }
      }
      let sums = change(before, from: 0) { _ in }.indices.map { place -> Scalar in
        let i = place - 5
        guard (0..<channels * samples).contains(i) else { return before[place] }
        return before[place] + bias[i / samples] + (hasAddend ? addend[i + 2] : 0)
      }
      let expected = change(sums, from: 5) {
        unsafe activation.apply($0, count: channels * samples)
      }
      #expect(found == expected)
    }
  }

  @Test(arguments: sizes)
  func sumsHaveSixteenLanes(channels: Int, samples: Int) {
    let values: [Float] = scalars(channels * samples + 9, seed: 4)
    let before: [Float] = scalars(channels + 3, seed: 5)
    do {
      var sums = before
      unsafe values.withUnsafeBufferPointer { values in
        unsafe sums.withUnsafeMutableBufferPointer { sums in
          unsafe RowKernels.sumOverSamples(
            first(of: values) + 7, channels: channels, samples: samples,
            into: first(of: sums) + 2)
        }
      }
      #expect(sums[0] == before[0] && sums[1] == before[1] && sums.last == before.last)
      for c in 0..<channels {
        // Lane l sums the samples l, l + 16, …; then halves are added to halves.
        var lanes = (0..<16).map { lane in
          stride(from: lane, to: samples, by: 16).reduce(Float(0)) {
            $0 + values[7 + c * samples + $1]
          }
        }
        while lanes.count > 1 {
          let half = lanes.count / 2
          lanes = (0..<half).map { lanes[$0] + lanes[$0 + half] }
        }
        #expect(sums[2 + c] == lanes[0])
      }
    }
  }

  @Test(arguments: Activation.allCases)
  func gradientsMatchLoops(activation: Activation) {
    gradientsMatchLoops(activation, Float.self)
    gradientsMatchLoops(activation, Double.self)
  }

  private func gradientsMatchLoops<Scalar: KernelScalar>(
    _ activation: Activation, _: Scalar.Type
  ) {
    let values: [Scalar] = scalars(50, seed: 4)
    let gradients: [Scalar] = scalars(50, seed: 5)
    func multiply(
      _ gradient: UnsafePointer<Scalar>, _ values: UnsafePointer<Scalar>,
      _ result: UnsafeMutablePointer<Scalar>
    ) {
      unsafe RowKernels.multiplyByDerivative(
        gradient, at: values, into: result, count: 32, of: activation)
    }
    let expected: [Scalar] = (0..<32).map { (place: Int) -> Scalar in
      gradients[place + 3] * activation.derivative(at: values[place + 11])
    }
    let elsewhere = change([Scalar](repeating: 7, count: 40), from: 2) { result in
      unsafe gradients.withUnsafeBufferPointer { g in
        unsafe values.withUnsafeBufferPointer {
          unsafe multiply(first(of: g) + 3, first(of: $0) + 11, result)
        }
      }
    }
    let (before, after) = ([Scalar](repeating: 7, count: 2), [Scalar](repeating: 7, count: 6))
    #expect(elsewhere == before + expected + after)
    // In place of the gradient, and of the values.
    let gradient = change(gradients, from: 3) { g in
      unsafe values.withUnsafeBufferPointer { unsafe multiply(g, first(of: $0) + 11, g) }
    }
    #expect(gradient == Array(gradients[..<3]) + expected + Array(gradients[35...]))
    let value = change(values, from: 11) { y in
      unsafe gradients.withUnsafeBufferPointer { unsafe multiply(first(of: $0) + 3, y, y) }
    }
    #expect(value == Array(values[..<11]) + expected + Array(values[43...]))
  }

  @Test func notANumberStaysNotANumber() {
    let nan = [Float](repeating: .nan, count: 16)
    let bias: [Float] = [0]
    let ended = change(nan, from: 0) { y in
      unsafe bias.withUnsafeBufferPointer {
        unsafe RowKernels.finish(
          y, bias: first(of: $0), addend: nil, channels: 1, samples: 16, activation: .relu)
      }
    }
    #expect(ended.allSatisfy { $0.isNaN })
    let gradient = change(nan, from: 0) { g in
      unsafe [Float](repeating: 0.25, count: 16).withUnsafeBufferPointer {
        unsafe RowKernels.multiplyByDerivative(
          g, at: first(of: $0), into: g, count: 16, of: .relu)
      }
    }
    #expect(gradient.allSatisfy { $0.isNaN })
  }

  @Test func clearingAndAdding() {
    let (x, y): ([Double], [Double]) = (scalars(40, seed: 1), scalars(40, seed: 2))
    let sum = change(y, from: 4) { y in
      unsafe x.withUnsafeBufferPointer {
        unsafe RowKernels.add(first(of: $0) + 7, to: y, count: 20)
      }
    }
    #expect(sum == y.indices.map { (4..<24).contains($0) ? y[$0] + x[$0 + 3] : y[$0] })
    let cleared = change(y, from: 3) { unsafe RowKernels.clear($0, count: 16) }
    #expect(cleared == y.indices.map { (3..<19).contains($0) ? 0 : y[$0] })
  }

  @Test func squareRoots() {
    let values: [Float] = (0..<37).map { Float($0) * 0.37 }
    #expect(
      change(values, from: 2) { unsafe Float.takeSquareRoots(of: $0, count: 30) }
        == values.indices.map { (2..<32).contains($0) ? values[$0].squareRoot() : values[$0] })
    let doubles: [Double] = [0, 2, .infinity]
    #expect(
      change(doubles, from: 0) { unsafe Double.takeSquareRoots(of: $0, count: 3) }
        == [0, 2.0.squareRoot(), .infinity])
  }
}
