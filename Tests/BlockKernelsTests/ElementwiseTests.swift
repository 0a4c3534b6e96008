import BlockKernels
import Testing

@Suite struct ElementwiseTests {
  /// Channels and samples, from nothing to more than a tile.
  static let sizes = [
    (0, 16), (7, 0), (1, 16), (1, 1), (5, 32), (6, 48), (16, 64), (17, 16), (40, 80),
  ]

  @Test(arguments: sizes)
  func transposeSwapsIndices(channels: Int, samples: Int) {
    for stride in [channels, channels + 5] {
      let values: [Float] = scalars(channels * samples, seed: 6)
      let before: [Float] = scalars(stride * samples + 2, seed: 7)
      var result = before
      var span = result.mutableSpan
      Elementwise.transpose(
        values.span, channels: channels, samples: samples, stride: stride, into: &span)
      for place in before.indices {
        let (s, c) = stride == 0 ? (samples, 0) : (place / stride, place % stride)
        let isInside = s < samples && c < channels
        #expect(result[place] == (isInside ? values[c * samples + s] : before[place]))
      }
    }
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func oneWrongNumberIsFound(value: Double) {
    let buffer = AlignedBuffer<Double>(repeating: 1e300, count: 37)
    #expect(Elementwise.areFinite(buffer))
    for place in [0, 15, 16, 35, 36] {
      buffer[place] = value
      #expect(!Elementwise.areFinite(buffer), "at \(place)")
      buffer[place] = -3
    }
    #expect(Elementwise.areFinite(AlignedBuffer<Float>(repeating: 0, count: 0)))
  }

  @Test func runsAreAddedCopiedAndCleared() {
    let source: [Double] = scalars(30, seed: 8)
    let before: [Double] = scalars(30, seed: 9)
    var (sum, copy, cleared) = (before, before, before)
    var sumSpan = sum.mutableSpan
    Elementwise.add(source.span, at: 11, to: &sumSpan, in: 4..<20)
    var copySpan = copy.mutableSpan
    Elementwise.copy(source.span, at: 0, to: &copySpan, in: 13..<30)
    var clearedSpan = cleared.mutableSpan
    Elementwise.clear(&clearedSpan, in: 3..<5)
    for i in 0..<30 {
      #expect(sum[i] == ((4..<20).contains(i) ? before[i] + source[i + 7] : before[i]))
      #expect(copy[i] == (i >= 13 ? source[i - 13] : before[i]))
      #expect(cleared[i] == (i == 3 || i == 4 ? 0 : before[i]))
    }
  }

  @Test func runsBeyondTheStorageTrap() async {
    await #expect(processExitsWith: .failure) {
      var values = [Float](repeating: 0, count: 8)
      var span = values.mutableSpan
      Elementwise.clear(&span, in: 0..<9)
    }
    await #expect(processExitsWith: .failure) {
      var values = [Float](repeating: 0, count: 8)
      var span = values.mutableSpan
      Elementwise.add([Float](repeating: 0, count: 8).span, at: 5, to: &span, in: 0..<4)
    }
  }
}
