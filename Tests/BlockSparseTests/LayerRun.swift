import BlockKernels
import BlockSparse

/// A layer with buffers, inside a larger network's parameters.
final class LayerRun<Scalar: KernelScalar> {
  static var before: Int { 5 }
  static var after: Int { 7 }

  let plan: LayerPlan<Scalar>
  let parameterCount: Int
  let parameters: AlignedBuffer<Scalar>
  let source: AlignedBuffer<Scalar>
  let target: AlignedBuffer<Scalar>
  let targetGradient: AlignedBuffer<Scalar>
  let sourceGradient: AlignedBuffer<Scalar>
  let parameterGradient: AlignedBuffer<Scalar>
  let entries: AlignedBuffer<Scalar>
  let packed: AlignedBuffer<Scalar>
  let transposed: AlignedBuffer<Scalar>
  let scratch: AlignedBuffer<Scalar>
  /// Whether gradients go through f together with those of the parameters.
  var fusesActivation = false

  /// Results begin as NaN, so that what is not written shows.
  convenience init(
    _ layer: BlockSparseLayer, samples: Int, accumulatesInput: Bool = false,
    provider: ProductProvider = .automatic
  ) {
    self.init(
      LayerPlan(
        layer, samples: samples, parameterStart: Self.before, accumulatesInput: accumulatesInput,
        provider: provider), parameters: layer.parameterCount)
  }

  /// A layer that uses the weights of another one transposed.
  convenience init(
    transposing shape: BlockSparseLayer, activation: Activation = .identity, samples: Int,
    accumulatesInput: Bool = false, accumulatesWeights: Bool = false
  ) {
    self.init(
      LayerPlan(
        shape.transposed("transposed", activation: activation), transposing: shape,
        samples: samples,
        placement: LayerPlacement(transposing: shape, parameterStart: Self.before),
        accumulatesInput: accumulatesInput, accumulatesWeights: accumulatesWeights),
      parameters: shape.parameterCount)
  }

  init(_ plan: LayerPlan<Scalar>, parameters count: Int) {
    self.plan = plan
    let (layer, samples) = (plan.layer, plan.samples)
    parameterCount = count
    func buffer(_ count: Int) -> AlignedBuffer<Scalar> {
      AlignedBuffer(repeating: .nan, count: count)
    }
    parameters = buffer(Self.before + count + Self.after)
    parameterGradient = buffer(parameters.count)
    source = buffer(layer.source.channelCount * samples)
    sourceGradient = buffer(source.count)
    transposed = buffer(plan.transposedCount)
    target = buffer(layer.target.channelCount * samples)
    targetGradient = buffer(target.count)
    entries = buffer(plan.entryScratchCount)
    packed = buffer(plan.packedWeightCount)
    scratch = buffer(plan.gradientScratchCount)
  }

  func set(_ buffer: AlignedBuffer<Scalar>, _ values: [Double], at start: Int = 0) {
    for (i, value) in values.enumerated() { buffer[start + i] = Scalar(value) }
  }

  func setParameters(_ values: [Double]) {
    set(parameters, values, at: Self.before)
    pack()
  }

  // A span must not outlive what it is borrowed from, which for a property is one access: hence the
  // local names below.

  func pack() {
    let (parameters, packed) = (parameters, packed)
    var span = packed.mutableSpan
    plan.packWeights(parameters.span, into: &span)
  }

  @discardableResult
  func forward(_ x: [Double], adding addend: [Double]? = nil) -> [Scalar] {
    set(source, x)
    let (parameters, source, target, entries) = (parameters, source, target, entries)
    let packed = packed
    var entrySpan = entries.mutableSpan
    var span = target.mutableSpan
    if let addend {
      let term = AlignedBuffer<Scalar>(repeating: 0, count: addend.count)
      set(term, addend)
      plan.forward(
        parameters: parameters.span, packed: packed.span, source: source.span, adding: term.span,
        entries: &entrySpan, target: &span)
    } else {
      plan.forward(
        parameters: parameters.span, packed: packed.span, source: source.span,
        entries: &entrySpan, target: &span)
    }
    return target.array()
  }

  /// Computes all gradients of ⟨g, y⟩ for the last forward pass.
  func backward(_ g: [Double]) {
    set(targetGradient, g)
    let (source, target, gradient) = (source, target, targetGradient)
    let (entries, transposed, parameterGradient) = (entries, transposed, parameterGradient)
    let scratch = scratch
    var gradientSpan = gradient.mutableSpan
    var entrySpan = entries.mutableSpan
    // The gradient goes through f on its own, or with that of the parameters.
    let isFused = fusesActivation && plan.canFuseActivation
    if !isFused {
      plan.gradientBeforeActivation(
        target: target.span, gradient: &gradientSpan, entries: &entrySpan)
    }
    var transposedSpan = transposed.mutableSpan
    var parameterSpan = parameterGradient.mutableSpan
    var scratchSpan = scratch.mutableSpan
    plan.parameterGradient(
      source: source.span, transposed: &transposedSpan,
      activating: isFused ? target.span : nil, gradient: &gradientSpan, entries: entries.span,
      scratch: &scratchSpan, into: &parameterSpan)
    inputGradient()
  }

  func inputGradient() {
    let (packed, gradient, entries) = (packed, targetGradient, entries)
    let parameters = parameters
    let sourceGradient = sourceGradient
    var span = sourceGradient.mutableSpan
    plan.inputGradient(
      parameters: parameters.span, packed: packed.span, gradient: gradient.span,
      entries: entries.span, sourceGradient: &span)
  }

  /// The gradient of the layer's own parameters.
  var ownGradient: [Scalar] {
    Array(parameterGradient.array()[Self.before..<Self.before + parameterCount])
  }

  /// Whether the gradients of parameters of other layers were left alone.
  var othersAreUntouched: Bool {
    let gradient = parameterGradient.array()
    return gradient[..<Self.before].allSatisfy { $0.isNaN }
      && gradient[(Self.before + parameterCount)...].allSatisfy { $0.isNaN }
  }
}

/// Returns the largest difference of two arrays; infinity if one has a NaN, or the counts differ.
func distance<Scalar: KernelScalar>(_ found: [Scalar], _ expected: [Double]) -> Double {
  guard found.count == expected.count else { return .infinity }
  return zip(found, expected).reduce(0) {
    let difference = abs(Double($1.0) - $1.1)
    return difference.isNaN ? .infinity : max($0, difference)
  }
}

/// Returns ⟨x, y⟩.
func inner(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }

/// Whether the values are equal bit for bit.
func sameBits<Scalar: KernelScalar>(_ x: [Scalar], _ y: [Scalar]) -> Bool {
  x.count == y.count && zip(x, y).allSatisfy { $0 == $1 && $0.sign == $1.sign }
}
