import BlockKernels

extension LayerPlan {
  /// Plans the forward products and those of the weight gradient, row by row.
  ///
  /// Entries whose sources are neighbours, and whose blocks are neighbours in the stacked weights,
  /// form a run: one product.
  mutating func planRows() {
    let pattern = layer.pattern
    for row in 0..<pattern.targetCount {
      let group = Int(pattern.groups[row])
      let outputs = layer.target.channels(of: row)
      let stacked = layer.groupInputs[group]
      var entries = pattern.entries(of: row)
      while let first = entries.first {
        let end = runEnd(from: first, before: entries.upperBound)
        entries = end..<entries.upperBound
        let source = layer.source.starts[Int(pattern.sources[first])]
        let last = Int(pattern.sources[end - 1])
        let inputs = layer.source.starts[last + 1] - source
        let weightOffset = layer.weightStarts[group] + Int(layer.entryInputs[first])
        let result =
          entryStarts.isEmpty ? layer.target.starts[row] * samples : entryStarts[first]
        forward.products.append(
          PlannedProduct(
            kernel: kernel(
              ProductShape(
                m: samples, n: outputs, k: inputs, ldb: stacked,
                accumulates: entryStarts.isEmpty)),
            a: source * samples, b: weightStart + weightOffset, c: result))
        weights.products.append(
          PlannedProduct(
            kernel: kernel(
              ProductShape(
                m: inputs, n: outputs, k: samples, lda: layer.source.channelCount, ldb: samples,
                ldc: stacked, accumulates: layer.isShared)),
            a: source, b: result, c: weightStart + weightOffset))
      }
      forward.closeGroup()
      weights.closeGroup()
    }
  }

  /// Returns where the run that begins with an entry ends.
  func runEnd(from first: Int, before bound: Int) -> Int {
    let pattern = layer.pattern
    var end = first + 1
    guard entryStarts.isEmpty else { return end }
    while end < bound, pattern.sources[end] == pattern.sources[end - 1] + 1 {
      let channels = layer.source.channels(of: Int(pattern.sources[end - 1]))
      guard layer.entryInputs[end] == layer.entryInputs[end - 1] + Int32(channels) else { break }
      end += 1
    }
    return end
  }

  /// Plans the products of the input gradient, source by source.
  ///
  /// Targets that are neighbours form a run, since the packed weights are stacked by source.
  mutating func planSources() {
    for source in 0..<layer.source.boxCount {
      let channels = layer.source.channels(of: source)
      let packStart = packing.sourceStarts[source]
      let stacked = packing.stackedOutputs[source]
      var links = packing.links(of: source)
      var packedRow = 0
      var isFirst = true
      while let first = links.first {
        var end = first + 1
        var outputs = layer.target.channels(of: Int(packing.targets[first]))
        while entryStarts.isEmpty, end < links.upperBound,
          packing.targets[end] == packing.targets[end - 1] + 1
        {
          outputs += layer.target.channels(of: Int(packing.targets[end]))
          end += 1
        }
        links = end..<links.upperBound
        let gradient =
          entryStarts.isEmpty
          ? layer.target.starts[Int(packing.targets[first])] * samples
          : entryStarts[Int(packing.entries[first])]
        inputs.products.append(
          PlannedProduct(
            kernel: kernel(
              ProductShape(
                m: samples, n: channels, k: outputs, ldb: stacked,
                accumulates: accumulatesInput || !isFirst)),
            a: gradient, b: packStart + packedRow, c: layer.source.starts[source] * samples))
        packedRow += outputs
        isFirst = false
      }
      inputs.closeGroup()
    }
  }
}
