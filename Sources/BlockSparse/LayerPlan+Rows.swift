import BlockKernels

extension LayerPlan {
  /// Plans the forward products and those of the weight gradient, row by row.
  ///
  /// Entries whose sources are neighbours, and whose blocks are neighbours in the stacked weights,
  /// form a run: one product.
  mutating func planRows() {
    let pattern = layer.pattern
    let held = placement.sourceValues
    for (index, row) in placement.rows.enumerated() {
      let group = Int(pattern.groups[row])
      let outputs = layer.target.channels(of: row)
      let stacked = layer.groupInputs[group]
      var entries = pattern.entries(of: row)
      while let first = entries.first {
        let end = runEnd(from: first, before: entries.upperBound)
        entries = end..<entries.upperBound
        // A rank holds all boxes of a run, and neighbours stand beside each other.
        let (firstBox, lastBox) = (Int(pattern.sources[first]), Int(pattern.sources[end - 1]))
        let source = held.start(of: firstBox)
        let inputs = layer.source.starts[lastBox + 1] - layer.source.starts[firstBox]
        let weightOffset = layer.weightStarts[group] + Int(layer.entryInputs[first])
        let hasEntries = !entryStarts.isEmpty
        forward.products.append(
          PlannedProduct(
            kernel: kernel(
              ProductShape(
                m: samples, n: outputs, k: inputs, ldb: stacked, accumulates: !hasEntries)),
            a: source * samples, b: weightStart + weightOffset,
            c: hasEntries ? entryStarts[first] : rowValues[index]))
        weights.products.append(
          PlannedProduct(
            kernel: kernel(
              ProductShape(
                m: inputs, n: outputs, k: samples, lda: held.channelCount, ldb: samples,
                ldc: stacked, accumulates: layer.isShared)),
            a: source, b: hasEntries ? entryStarts[first] : rowGradients[index],
            c: weightStart + weightOffset))
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
  mutating func planSources(_ columns: PatternColumns) {
    for (index, source) in placement.sources.enumerated() {
      let channels = layer.source.channels(of: source)
      let packStart = packing.sourceStarts[index]
      let stacked = packing.stackedOutputs[index]
      var links = columns.links(of: source)
      var packedRow = 0
      var isFirst = true
      while let first = links.first {
        var end = first + 1
        var outputs = layer.target.channels(of: Int(columns.targets[first]))
        while entryStarts.isEmpty, end < links.upperBound,
          columns.targets[end] == columns.targets[end - 1] + 1
        {
          outputs += layer.target.channels(of: Int(columns.targets[end]))
          end += 1
        }
        links = end..<links.upperBound
        let gradient =
          entryStarts.isEmpty
          ? placement.targetGradients.start(of: Int(columns.targets[first])) * samples
          : entryStarts[Int(columns.entries[first])]
        inputs.products.append(
          PlannedProduct(
            kernel: kernel(
              ProductShape(
                m: samples, n: channels, k: outputs, ldb: stacked,
                accumulates: accumulatesInput || !isFirst)),
            a: gradient, b: packStart + packedRow,
            c: placement.sourceGradients.start(of: source) * samples))
        packedRow += outputs
        isFirst = false
      }
      inputs.closeGroup()
    }
  }
}
