/// One row of steps: up to eight numbers y = y₀ + Σ w_k x_k, where w_k is a column of weights and x_k one number.
struct RowStep {
  /// The place of y among the rows of the values.
  let target: Int32
  /// The place of y₀; −1 for zero.
  let initial: Int32
  /// The number of products.
  let inputs: Int32
  /// The numbers in y: 8, 4, 2 or 1.
  let lanes: Int32
}

/// Runs row steps one after the other, for 1 to 16 vectors at once.
///
/// Values are `[row][vector]`, weights `[step][input][lane]`, and indices `[step][input]`, the rows of the x_k. A number is
/// (y₀ + w_0 x_0 + w_2 x_2 + …) + (w_1 x_1 + w_3 x_3 + …), each product rounded before it is added: on every processor,
/// and with any number of vectors. Two sums halve the time in which each addition waits for the one before.
///
/// The kernel checks nothing: who makes one has checked that all rows are among the values, that no step reads a row
/// that it writes, but for y₀, and that the weights and indices of all steps exist.
@unsafe
struct StepKernel {
  let values: UnsafeMutablePointer<Double>
  /// The number of vectors.
  let width: Int
  var weights: UnsafePointer<Double>
  var indices: UnsafePointer<Int32>

  /// Runs steps.
  mutating func run(_ steps: UnsafePointer<RowStep>, count: Int) {
    if unsafe width == 1 {
      for number in 0..<count {
        let step = unsafe steps[number]
        switch step.lanes {
        case 8: unsafe runOne(step, SIMD8<Double>.self)
        case 4: unsafe runOne(step, SIMD4<Double>.self)
        case 2: unsafe runOne(step, SIMD2<Double>.self)
        default: unsafe runOne(step, Double.self)
        }
      }
    } else {
      for number in 0..<count { unsafe runSeveral(steps[number]) }
    }
  }

  /// Runs a step for one vector: lanes are the numbers of y.
  @inline(__always)
  private mutating func runOne<Lanes: StepLanes>(_ step: RowStep, _: Lanes.Type) {
    let (x, y) = unsafe (UnsafePointer(values), values)
    var (weights, indices) = unsafe (weights, indices)
    var even = step.initial < 0 ? Lanes.zero : unsafe Lanes(at: x + Int(step.initial))
    var odd = Lanes.zero
    var left = Int(step.inputs)
    while left >= 2 {
      unsafe even.add(x[Int(indices[0])], times: Lanes(at: weights))
      unsafe odd.add(x[Int(indices[1])], times: Lanes(at: weights + Lanes.width))
      unsafe weights += 2 &* Lanes.width
      unsafe indices += 2
      left &-= 2
    }
    if left > 0 {
      unsafe even.add(x[Int(indices[0])], times: Lanes(at: weights))
      unsafe weights += Lanes.width
      unsafe indices += 1
    }
    even.add(odd)
    unsafe even.store(at: y + Int(step.target))
    unsafe (self.weights, self.indices) = (weights, indices)
  }

  /// Runs a step for several vectors: lanes are vectors.
  @inline(__always)
  private mutating func runSeveral(_ step: RowStep) {
    var vector = 0
    let width = unsafe width
    while vector < width {
      switch width &- vector {
      case 4...: unsafe vector &+= run(step, vector, SIMD4<Double>.self)
      case 2...: unsafe vector &+= run(step, vector, SIMD2<Double>.self)
      default: unsafe vector &+= run(step, vector, Double.self)
      }
    }
    unsafe weights += Int(step.inputs) &* Int(step.lanes)
    unsafe indices += Int(step.inputs)
  }

  /// Runs a step for some of the vectors; returns how many.
  @inline(__always)
  private func run<Lanes: StepLanes>(_ step: RowStep, _ vector: Int, _: Lanes.Type) -> Int {
    switch step.lanes {
    case 8:
      unsafe runFour(step, 0, vector, Lanes.self)
      unsafe runFour(step, 4, vector, Lanes.self)
    case 4: unsafe runFour(step, 0, vector, Lanes.self)
    case 2:
      unsafe runRow(step, 0, vector, Lanes.self)
      unsafe runRow(step, 1, vector, Lanes.self)
    default: unsafe runRow(step, 0, vector, Lanes.self)
    }
    return Lanes.width
  }

  /// Computes four rows of a step.
  @inline(__always)
  private func runFour<Lanes: StepLanes>(
    _ step: RowStep, _ row: Int, _ vector: Int, _: Lanes.Type
  ) {
    let (x, width, stride) = unsafe (UnsafePointer(values) + vector, width, Int(step.lanes))
    var (weights, indices) = unsafe (weights + row, indices)
    var (a, b, c, d) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    if step.initial >= 0 {
      let start = unsafe x + (Int(step.initial) &+ row) &* width
      unsafe a = Lanes(at: start)
      unsafe b = Lanes(at: start + width)
      unsafe c = Lanes(at: start + 2 &* width)
      unsafe d = Lanes(at: start + 3 &* width)
    }
    var (e, f, g, h) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    var left = Int(step.inputs)
    while left >= 2 {
      let even = unsafe Lanes(at: x + Int(indices[0]) &* width)
      unsafe a.add(weights[0], times: even)
      unsafe b.add(weights[1], times: even)
      unsafe c.add(weights[2], times: even)
      unsafe d.add(weights[3], times: even)
      unsafe weights += stride
      let odd = unsafe Lanes(at: x + Int(indices[1]) &* width)
      unsafe e.add(weights[0], times: odd)
      unsafe f.add(weights[1], times: odd)
      unsafe g.add(weights[2], times: odd)
      unsafe h.add(weights[3], times: odd)
      unsafe weights += stride
      unsafe indices += 2
      left &-= 2
    }
    if left > 0 {
      let even = unsafe Lanes(at: x + Int(indices[0]) &* width)
      unsafe a.add(weights[0], times: even)
      unsafe b.add(weights[1], times: even)
      unsafe c.add(weights[2], times: even)
      unsafe d.add(weights[3], times: even)
    }
    a.add(e)
    b.add(f)
    c.add(g)
    d.add(h)
    let y = unsafe values + ((Int(step.target) &+ row) &* width &+ vector)
    unsafe a.store(at: y)
    unsafe b.store(at: y + width)
    unsafe c.store(at: y + 2 &* width)
    unsafe d.store(at: y + 3 &* width)
  }

  /// Computes one row of a step.
  @inline(__always)
  private func runRow<Lanes: StepLanes>(
    _ step: RowStep, _ row: Int, _ vector: Int, _: Lanes.Type
  ) {
    let (x, width, stride) = unsafe (UnsafePointer(values) + vector, width, Int(step.lanes))
    var (weights, indices) = unsafe (weights + row, indices)
    var even = Lanes.zero
    if step.initial >= 0 { unsafe even = Lanes(at: x + (Int(step.initial) &+ row) &* width) }
    var odd = Lanes.zero
    var left = Int(step.inputs)
    while left >= 2 {
      unsafe even.add(weights[0], times: Lanes(at: x + Int(indices[0]) &* width))
      unsafe odd.add(weights[stride], times: Lanes(at: x + Int(indices[1]) &* width))
      unsafe weights += 2 &* stride
      unsafe indices += 2
      left &-= 2
    }
    if left > 0 {
      unsafe even.add(weights[0], times: Lanes(at: x + Int(indices[0]) &* width))
    }
    even.add(odd)
    unsafe even.store(at: values + ((Int(step.target) &+ row) &* width &+ vector))
  }
}

/// Numbers that are summed at once.
protocol StepLanes: BitwiseCopyable {
  static var width: Int { get }
  static var zero: Self { get }
  /// Reads numbers.
  @unsafe init(at place: UnsafePointer<Double>)
  /// Adds the products of a number with others.
  mutating func add(_ factor: Double, times other: Self)
  /// Adds other numbers.
  mutating func add(_ other: Self)
  /// Writes the numbers.
  @unsafe func store(at place: UnsafeMutablePointer<Double>)
}

extension Double: StepLanes {
  static var width: Int { 1 }

  @inline(__always)
  init(at place: UnsafePointer<Double>) { self = unsafe place.pointee }

  @inline(__always)
  mutating func add(_ factor: Double, times other: Double) { self += factor * other }

  @inline(__always)
  mutating func add(_ other: Double) { self += other }

  @inline(__always)
  func store(at place: UnsafeMutablePointer<Double>) { unsafe place.pointee = self }
}

extension StepLanes where Self: SIMD, Scalar == Double {
  static var width: Int { scalarCount }

  @inline(__always)
  init(at place: UnsafePointer<Double>) {
    self = unsafe UnsafeRawPointer(place).loadUnaligned(as: Self.self)
  }

  @inline(__always)
  mutating func add(_ factor: Double, times other: Self) {
    self += Self(repeating: factor) * other
  }

  @inline(__always)
  mutating func add(_ other: Self) { self += other }

  @inline(__always)
  func store(at place: UnsafeMutablePointer<Double>) {
    unsafe UnsafeMutableRawPointer(place).storeBytes(of: self, as: Self.self)
  }
}

extension SIMD2<Double>: StepLanes {}
extension SIMD4<Double>: StepLanes {}
extension SIMD8<Double>: StepLanes {}
