import BlockKernels
import Testing

@Suite struct ElementwiseTests {
  /// Channels and samples, from nothing to more than a tile.
  static let sizes = [(0, 16), (1, 16), (1, 1), (5, 32), (6, 48), (16, 64), (17, 16), (40, 80)]

  @Test(arguments: sizes)
  func fillRepeatsTheBias(channels: Int, samples: Int) {
    let bias: [Float] = scalars(channels + 4, seed: 1)
    let before: [Float] = scalars(channels * samples + 9, seed: 2)
    var values = before
    var span = values.mutableSpan
    Elementwise.fill(
      bias: bias.span, at: 3, channels: channels, samples: samples, into: &span, at: 5)
    for i in values.indices {
      let isInside = (5..<5 + channels * samples).contains(i)
      #expect(values[i] == (isInside ? bias[3 + (i - 5) / samples] : before[i]))
    }
  }

  @Test(arguments: sizes)
  func fillAddsTheBiasToASource(channels: Int, samples: Int) {
    let bias: [Double] = scalars(channels + 4, seed: 1)
    let source: [Double] = scalars(channels * samples + 9, seed: 3)
    let before: [Double] = scalars(channels * samples + 9, seed: 2)
    var values = before
    var span = values.mutableSpan
    Elementwise.fill(
      from: source.span, at: 2, bias: bias.span, at: 3, channels: channels, samples: samples,
      into: &span,
      at: 5)
    for i in values.indices {
      let isInside = (5..<5 + channels * samples).contains(i)
      #expect(values[i] == (isInside ? source[i - 3] + bias[3 + (i - 5) / samples] : before[i]))
    }
  }

  @Test(arguments: [(0, 16), (1, 16), (5, 32), (6, 48), (16, 64), (17, 16), (40, 80)])
  func sumsHaveSixteenLanes(channels: Int, samples: Int) {
    let values: [Float] = scalars(channels * samples + 9, seed: 4)
    let before: [Float] = scalars(channels + 3, seed: 5)
    for accumulates in [false, true] {
      var sums = before
      var span = sums.mutableSpan
      Elementwise.sumOverSamples(
        values.span, at: 7, channels: channels, samples: samples, into: &span, at: 2,
        accumulates: accumulates)
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
        #expect(sums[2 + c] == (accumulates ? before[2 + c] + lanes[0] : lanes[0]))
      }
    }
  }

  @Test(arguments: sizes)
  func transposeSwapsIndices(channels: Int, samples: Int) {
    let values: [Float] = scalars(channels * samples + 3, seed: 6)
    let before: [Float] = scalars(channels * samples + 2, seed: 7)
    var result = before
    var span = result.mutableSpan
    Elementwise.transpose(values.span, at: 3, channels: channels, samples: samples, into: &span)
    for c in 0..<channels {
      for s in 0..<samples {
        #expect(result[s * channels + c] == values[3 + c * samples + s])
      }
    }
    #expect(result.suffix(2) == before.suffix(2))
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
