import BlockKernels

extension BlockProduct {
  /// Plans the products W x and those of the weight gradient, row by row.
  ///
  /// Entries whose sources are neighbours, and whose blocks are neighbours in the stacked weights,
  /// form a run: one product.
  func planRows(hasProducts: Bool) {
    let pattern = shape.pattern
    coversGroup = placement.rows.map { row in
      // Each slot of the group once: the gradient of the row fills that of the group.
      let slots = pattern.entries(of: row).map { pattern.slots[$0] }
      return slots.count == pattern.slotCounts[Int(pattern.groups[row])]
        && Set(slots).count == slots.count
    }
    for (index, row) in placement.rows.enumerated() {
      let group = Int(pattern.groups[row])
      var isFirst = true
      let outputs = shape.target.channels(of: row)
      let stacked = shape.groupInputs[group]
      var entries = pattern.entries(of: row)
      while let first = entries.first {
        let end = runEnd(from: first, before: entries.upperBound)
        entries = end..<entries.upperBound
        // A rank holds all boxes of a run, and neighbours stand beside each other.
        let (firstBox, lastBox) = (Int(pattern.sources[first]), Int(pattern.sources[end - 1]))
        let inputs = shape.source.starts[lastBox + 1] - shape.source.starts[firstBox]
        // A box without channels takes part in nothing.
        guard outputs > 0 && inputs > 0 else { continue }
        let weightOffset = shape.weightStarts[group] + Int(shape.entryInputs[first])
        // Blocks with a function of their own are computed one by one.
        if hasProducts {
          let product = ProductShape(
            m: samples, n: outputs, k: inputs, ldb: stacked,
            accumulates: !hasBlocks && (rows.accumulates || !isFirst))
          rows.list.append(
            PlannedProduct(
              kernel: kernel(product), a: buffers.byRow.x.start(of: firstBox) * samples,
              b: weightStart + weightOffset,
              c: hasBlocks
                ? ownEntryStart(first) : buffers.byRow.y.start(of: row) * samples),
            product)
        }
        let gradient = ProductShape(
          m: inputs, n: outputs, k: samples, lda: transposedStride, ldb: samples, ldc: stacked,
          accumulates: rowSums == nil ? accumulatesWeights : !coversGroup[index])
        weights.append(
          PlannedProduct(
            kernel: kernel(gradient),
            a: buffers.gradient.x.start(of: firstBox) - panels[Int(rowPanels[index])].start,
            b: hasBlocks
              ? ownEntryStart(first) : buffers.gradient.y.start(of: row) * samples,
            // The gradient of shared weights is formed on a stack.
            c: rowSums == nil ? weightStart + weightOffset : Int(shape.entryInputs[first])),
          gradient)
        isFirst = false
      }
      rows.list.closeGroup()
      weights.closeGroup()
    }
  }

  /// Returns where the run that begins with an entry ends.
  func runEnd(from first: Int, before bound: Int) -> Int {
    let pattern = shape.pattern
    var end = first + 1
    guard !hasBlocks else { return end }
    while end < bound, pattern.sources[end] == pattern.sources[end - 1] + 1 {
      let channels = shape.source.channels(of: Int(pattern.sources[end - 1]))
      guard shape.entryInputs[end] == shape.entryInputs[end - 1] + Int32(channels) else { break }
      end += 1
    }
    return end
  }

  /// Plans the products Wᵀ y, source by source.
  ///
  /// Targets that are neighbours form a run, since the packed weights are stacked by source.
  func planColumns(_ columns: PatternColumns) {
    for (index, source) in placement.sources.enumerated() {
      let channels = shape.source.channels(of: source)
      let packStart = packing.sourceStarts[index]
      let stacked = packing.stackedOutputs[index]
      var links = columns.links(of: source)
      var packedRow = 0
      var isFirst = true
      while let first = links.first {
        var end = first + 1
        var outputs = shape.target.channels(of: Int(columns.targets[first]))
        while !hasBlocks, end < links.upperBound,
          columns.targets[end] == columns.targets[end - 1] + 1
        {
          outputs += shape.target.channels(of: Int(columns.targets[end]))
          end += 1
        }
        links = end..<links.upperBound
        guard channels > 0 && outputs > 0 else {
          packedRow += outputs
          continue
        }
        let (row, entry) = (Int(columns.targets[first]), Int(columns.entries[first]))
        let gradient: Int
        if !hasBlocks {
          gradient = buffers.byColumn.y.start(of: row) * samples
        } else if placement.rows.contains(row) {
          gradient = ownEntryStart(entry)
        } else {
          gradient = planRemoteBlock(entry, row: row, source: source)
        }
        let product = ProductShape(
          m: samples, n: channels, k: outputs, ldb: stacked,
          accumulates: self.columns.accumulates || !isFirst)
        self.columns.list.append(
          PlannedProduct(
            kernel: kernel(product), a: gradient, b: packStart + packedRow,
            c: buffers.byColumn.x.start(of: source) * samples),
          product)
        packedRow += outputs
        isFirst = false
      }
      self.columns.list.closeGroup()
    }
  }

  /// Returns where the values of an entry of one of this rank's rows begin.
  private func ownEntryStart(_ entry: Int) -> Int {
    entryStarts[entry - shape.pattern.rowStarts[placement.rows.lowerBound]]
  }

  /// Plans the values of an entry of another rank's row; returns where they begin.
  private func planRemoteBlock(_ entry: Int, row: Int, source: Int) -> Int {
    let outputs = shape.target.channels(of: row)
    let start = entryScratchCount
    entryScratchCount += outputs * samples
    guard let (place, stride) = packing.remotePlaces[entry] else {
      preconditionFailure("\(shape.name): no weights for entry \(entry)")
    }
    remoteBlocks.append(
      RemoteBlock(
        product: PlannedProduct(
          kernel: kernel(
            ProductShape(
              m: samples, n: outputs, k: shape.source.channels(of: source), ldb: stride,
              accumulates: false)),
          a: buffers.byRow.x.start(of: source) * samples, b: place, c: start),
        gradient: buffers.byColumn.y.start(of: row) * samples, count: outputs * samples))
    return start
  }
}

/// An entry of another rank's row: its product, and where the gradient of that row stands.
struct RemoteBlock: Sendable {
  let product: PlannedProduct
  let gradient: Int
  let count: Int
}
