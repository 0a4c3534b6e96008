import BlockKernels
import Testing

@Suite struct AlignedBufferTests {
  @Test(arguments: [0, 1, 15, 1000])
  func elementsAreAlignedAndKept(count: Int) {
    let buffer = AlignedBuffer<Float>(repeating: 2.5, count: count)
    #expect(buffer.count == count && buffer.array() == [Float](repeating: 2.5, count: count))
    // Only the address is looked at.
    let address = unsafe buffer.span.withUnsafeBufferPointer {
      UInt(bitPattern: $0.baseAddress)
    }
    #expect(address % 64 == 0)
    buffer.fill(-1)
    #expect(buffer.array() == [Float](repeating: -1, count: count))
    if count > 0 {
      buffer[count - 1] = 7
      var span = buffer.mutableSpan
      span[0] += 1
      #expect(buffer[0] == (count == 1 ? 8 : 0) && buffer.span[count - 1] == (count == 1 ? 8 : 7))
    }
  }

  @Test(arguments: [-1, 3])
  func elementsOutsideTrap(index: Int) async {
    await #expect(processExitsWith: .failure) { [index] in
      _ = AlignedBuffer<Float>(repeating: 0, count: 3)[index]
    }
  }
}
