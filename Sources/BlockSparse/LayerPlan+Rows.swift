import BlockKernels

extension LayerPlan {
  /// Plans the forward products and those of the weight gradient, row by row.
  ///
  /// Entries whose sources are neighbours, and whose blocks are neighbours in the stacked weights,
  /// form a run: one product.
  func planRows() {
    let pattern = layer.pattern
    let held = placement.sourceValues
    coversGroup = placement.rows.map { row in
      // Each slot of the group once: the gradient of the row fills that of the group.
      let slots = pattern.entries(of: row).map { pattern.slots[$0] }
      return slots.count == pattern.slotCounts[Int(pattern.groups[row])]
        && Set(slots).count == slots.count
    }
    for (index, row) in placement.rows.enumerated() {
      let group = Int(pattern.groups[row])
      var isFirst = true
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
        // A box without channels takes part in nothing.
        guard outputs > 0 && inputs > 0 else { continue }
        let weightOffset = layer.weightStarts[group] + Int(layer.entryInputs[first])
        // Blocks with a function of their own are computed one by one.
        let product = ProductShape(
          m: samples, n: outputs, k: inputs, ldb: stacked,
          accumulates: entryStarts.isEmpty && !isFirst)
        forward.append(
          PlannedProduct(
            kernel: kernel(product), a: source * samples, b: weightStart + weightOffset,
            c: entryStarts.isEmpty ? rows[index].values : ownEntryStart(first)),
          product)
        let gradient = ProductShape(
          m: inputs, n: outputs, k: samples, lda: transposedStride, ldb: samples, ldc: stacked,
          accumulates: rowSums != nil && !coversGroup[index])
        weights.append(
          PlannedProduct(
            kernel: kernel(gradient), a: source - panels[Int(rowPanels[index])].start,
            b: entryStarts.isEmpty ? rows[index].gradients : ownEntryStart(first),
            // The gradient of shared weights is formed on a stack.
            c: rowSums == nil ? weightStart + weightOffset : Int(layer.entryInputs[first])),
          gradient)
        isFirst = false
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
  func planSources(_ columns: PatternColumns) {
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
        guard channels > 0 && outputs > 0 else {
          packedRow += outputs
          continue
        }
        let (row, entry) = (Int(columns.targets[first]), Int(columns.entries[first]))
        let gradient: Int
        if entryStarts.isEmpty {
          gradient = placement.targetGradients.start(of: row) * samples
        } else if placement.rows.contains(row) {
          gradient = ownEntryStart(entry)
        } else {
          gradient = planRemoteBlock(entry, row: row, source: source)
        }
        let product = ProductShape(
          m: samples, n: channels, k: outputs, ldb: stacked,
          accumulates: accumulatesInput || !isFirst)
        inputs.append(
          PlannedProduct(
            kernel: kernel(product), a: gradient, b: packStart + packedRow,
            c: placement.sourceGradients.start(of: source) * samples),
          product)
        packedRow += outputs
        isFirst = false
      }
      inputs.closeGroup()
    }
  }

  /// Returns where the values of an entry of one of this rank's rows begin.
  private func ownEntryStart(_ entry: Int) -> Int {
    entryStarts[entry - layer.pattern.rowStarts[placement.rows.lowerBound]]
  }

  /// Plans the values of an entry of another rank's row; returns where they begin.
  private func planRemoteBlock(_ entry: Int, row: Int, source: Int) -> Int {
    let outputs = layer.target.channels(of: row)
    let start = entryScratchCount
    entryScratchCount += outputs * samples
    guard let (place, stride) = packing.remotePlaces[entry] else {
      preconditionFailure("\(layer.name): no weights for entry \(entry)")
    }
    remoteBlocks.append(
      RemoteBlock(
        product: PlannedProduct(
          kernel: kernel(
            ProductShape(
              m: samples, n: outputs, k: layer.source.channels(of: source), ldb: stride,
              accumulates: false)),
          a: placement.sourceValues.start(of: source) * samples, b: place, c: start),
        gradient: placement.targetGradients.start(of: row) * samples, count: outputs * samples))
    return start
  }
}

/// An entry of another rank's row: its product, and where the gradient of that row stands.
struct RemoteBlock: Sendable {
  let product: PlannedProduct
  let gradient: Int
  let count: Int
}

extension LayerPlan {
  /// Computes the gradients with respect to W_c x_j for entries of other ranks' rows; needed before the
  /// gradient of the input, by layers with a function of each block.
  ///
  /// - Parameters:
  ///   - parameters: The parameters of this rank.
  ///   - remote: The weights of other ranks.
  ///   - source: x.
  ///   - gradient: The gradients of the targets, those of other ranks among them.
  ///   - entries: The scratch of the forward pass, of which the part behind that of this rank's rows is
  ///     replaced.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func remoteEntryGradients(
    parameters: Span<Scalar>, remote: Span<Scalar>, source: Span<Scalar>, gradient: Span<Scalar>,
    entries: inout MutableSpan<Scalar>
  ) {
    let factor = layer.rowsOwnWeights ? remote : parameters
    for block in remoteBlocks {
      let (product, start) = (block.product, block.gradient)
      kernels[Int(product.kernel)](
        source, at: product.a, factor, at: product.b, into: &entries, at: product.c)
      precondition(start + block.count <= gradient.count)
      unsafe gradient.withUnsafeBufferPointer { g in
        unsafe entries.withUnsafeMutableBufferPointer { entries in
          guard let g = g.baseAddress, let entries = entries.baseAddress else { return }
          // The product was checked to lie inside of the scratch, and the row above.
          let values = unsafe entries + product.c
          unsafe layer.blockActivation.apply(values, count: block.count)
          unsafe RowKernels.multiplyByDerivative(
            g + start, at: values, into: values, count: block.count, of: layer.blockActivation)
        }
      }
    }
  }

  /// Whether ``remoteEntryGradients(parameters:remote:source:gradient:entries:)`` has something to do.
  public var hasRemoteEntries: Bool { !remoteBlocks.isEmpty }
}
