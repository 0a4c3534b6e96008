internal import BlockKernels
public import ClusterTrees
import SpecialFunctions

/// The potentials of charges on a cloud of points.
///
/// u_j = 1/N Σ_i q_i / |x_i - y_j| with N sources x_i, by direct summation. Where a source and a receiver
/// y_j coincide, as all do if the receivers are the sources, the term is left out.
public struct NBody: OperatorProblem, ~Copyable {
  /// The law of the charges, which are independent.
  public enum Charges: String, CaseIterable, Sendable {
    /// Standard normal numbers.
    case normal
    /// Uniform numbers between -1 and 1.
    case uniform
    /// Uniform numbers between 0 and 1, such as masses.
    case positive
  }

  /// The options of the problem.
  public struct Options: Equatable, Sendable {
    /// The points x of the charges.
    public var sources: PointSet
    /// The points y of the potentials; nil for those of the charges.
    public var receivers: PointSet?
    /// The law of the charges; normal by default.
    public var charges: Charges

    /// Creates options.
    ///
    /// - Parameters:
    ///   - sources: The points of the charges.
    ///   - receivers: The points of the potentials; nil for those of the charges.
    ///   - charges: The law of the charges.
    public init(sources: PointSet, receivers: PointSet? = nil, charges: Charges = .normal) {
      self.sources = sources
      self.receivers = receivers
      self.charges = charges
    }
  }

  /// What a cloud of points is for.
  public enum Role: UInt32, Sendable {
    /// Points of charges.
    case sources = 0x434c_4f53
    /// Points of potentials.
    case receivers = 0x434c_4f52
  }

  /// The name on the command line and in data sets.
  public static var name: String { "n-body" }

  /// The purpose of the random numbers of charges.
  private static var purpose: UInt32 { 0x4348_4152 }

  /// The options that the instance was made with.
  public let options: Options
  /// The coordinates of the sources, `[coordinate][source]`, padded to whole lanes.
  private let coordinates: AlignedBuffer<VectorFunctions.Lanes>
  /// The charges, padded by zeros.
  private let charges: AlignedBuffer<VectorFunctions.Lanes>

  /// Draws a cloud of independent points, uniform in the unit cube.
  ///
  /// - Parameters:
  ///   - count: The number of points.
  ///   - dimension: The number of coordinates, 1 to 3.
  ///   - seed: The user's seed.
  ///   - role: What the points are for; clouds of different roles are independent.
  /// - Returns: The points; a longer cloud begins with the same ones.
  /// - Throws: ``ProblemError`` if there is no such cloud.
  public static func cloud(
    count: Int, dimension: Int, seed: Int64, role: Role
  ) throws(ProblemError) -> PointSet {
    var coordinates: [Double] = []
    coordinates.reserveCapacity(max(count, 0) * dimension)
    for point in 0..<max(count, 0) {
      var random = RandomStream(seed: seed, purpose: role.rawValue, index: UInt64(point))
      for _ in 0..<dimension { coordinates.append(random.uniform()) }
    }
    do throws(ClusterTreeError) {
      return try PointSet(coordinates: coordinates, dimension: dimension)
    } catch {
      throw .invalidOption(
        name: "cloud", value: "\(count) points of \(dimension) dimensions", needed: error.message)
    }
  }

  /// Prepares the sums.
  ///
  /// - Parameter options: The options.
  /// - Throws: ``ProblemError`` if the receivers have another dimension than the sources.
  public init(options: Options) throws(ProblemError) {
    let (sources, lanes) = (options.sources, VectorFunctions.Lanes.scalarCount)
    if let receivers = options.receivers, receivers.dimension != sources.dimension {
      throw .invalidOption(
        name: "receivers", value: "points of \(receivers.dimension) dimensions",
        needed: "\(sources.dimension) as of the sources")
    }
    self.options = options
    let chunks = (sources.count + lanes - 1) / lanes
    coordinates = AlignedBuffer(repeating: .zero, count: sources.dimension * chunks)
    charges = AlignedBuffer(repeating: .zero, count: chunks)
    for i in 0..<sources.count {
      for axis in 0..<sources.dimension {
        coordinates[axis * chunks + i / lanes][i % lanes] =
          sources.coordinates[i * sources.dimension + axis]
      }
    }
  }

  /// The shape of the charges.
  public var points: [Int] { options.sources.gridShape ?? [options.sources.count] }

  /// The shape of the potentials.
  public var outputShape: [Int] {
    options.receivers.map { $0.gridShape ?? [$0.count] } ?? points
  }

  /// The points of the charges, unless they are a grid.
  public var cloud: PointSet? { options.sources.gridShape == nil ? options.sources : nil }

  /// The points of the potentials, if they have their own.
  public var outputCloud: PointSet? { options.receivers }

  /// The charges have no parameters.
  public var parameterNames: [(name: String, columns: Int)] { [] }

  /// No dataset but the points is common to all samples.
  public var constants: [(name: String, values: [Double])] { [] }

  /// The law of charges and points.
  public var fieldAttributes: [(name: String, value: AttributeValue)] {
    [
      ("charges", .text(options.charges.rawValue)),
      ("points", .text("independent, uniform in the unit cube")),
    ]
  }

  /// The parameters of the problem.
  public var attributes: [(name: String, value: AttributeValue)] {
    [
      ("equation", .text("u_j = 1/N sum_i q_i / |x_i - y_j|, without terms of distance zero")),
      ("dimension", .integer(options.sources.dimension)),
      ("receivers", .text(options.receivers == nil ? "the sources" : "/OutputPoints")),
      ("solver", .text("direct summation in float64")),
    ]
  }

  /// Draws the charges of one sample.
  ///
  /// - Parameters:
  ///   - seed: The user's seed.
  ///   - index: The number of the sample.
  ///   - input: Becomes the charges.
  ///   - parameters: An empty span.
  /// - Precondition: `index >= 0`, and the spans have the right sizes.
  public mutating func sample(
    seed: Int64, index: Int, input: inout MutableSpan<Double>,
    parameters: inout MutableSpan<Double>
  ) {
    precondition(index >= 0, "the sample \(index)")
    precondition(input.count == pointCount, "\(input.count) values for \(pointCount) points")
    var random = RandomStream(seed: seed, purpose: Self.purpose, index: UInt64(index))
    for i in 0..<input.count {
      switch options.charges {
      case .normal: input[i] = Self.normal(&random)
      case .uniform: input[i] = random.uniform(in: -1...1)
      case .positive: input[i] = random.uniform()
      }
    }
  }

  /// Draws from the standard normal distribution (Marsaglia's polar method), with our own logarithm.
  private static func normal(_ random: inout RandomStream) -> Double {
    while true {
      let (a, b) = (random.uniform(in: -1...1), random.uniform(in: -1...1))
      let square = a * a + b * b
      guard square > 0, square < 1 else { continue }
      let logarithm = VectorFunctions.log(.init(repeating: square))[0]
      return a * (-2 * logarithm / square).squareRoot()
    }
  }

  /// Sums up the potentials.
  ///
  /// - Parameters:
  ///   - input: The charges.
  ///   - output: Becomes the potentials.
  /// - Precondition: The spans have as many values as there are points.
  /// - Throws: ``ProblemError`` if a charge is not finite.
  /// - Complexity: O(N M) for M receivers, no allocation.
  public mutating func solve(
    input: Span<Double>, output: inout MutableSpan<Double>
  ) throws(ProblemError) {
    precondition(
      input.count == pointCount && output.count == outputCount,
      "\(input.count) and \(output.count) values for \(pointCount) and \(outputCount) points")
    let lanes = VectorFunctions.Lanes.scalarCount
    for i in 0..<input.count {
      guard input[i].isFinite else {
        throw .inadmissibleInput(point: i, value: input[i], needed: "a finite number")
      }
      charges[i / lanes][i % lanes] = input[i]
    }
    let receivers = options.receivers ?? options.sources
    let norm = 1 / Double(input.count)
    let receiverCoordinates = receivers.coordinates.span
    for j in 0..<output.count {
      output[j] = norm * potential(receiverCoordinates, j * receivers.dimension)
    }
  }

  /// Sums up the potential at one receiver, whose coordinates begin at a place.
  private func potential(_ receivers: Span<Double>, _ place: Int) -> Double {
    let coordinates = coordinates.span
    let charges = charges.span
    let chunks = charges.count
    var sum = VectorFunctions.Lanes.zero
    for chunk in 0..<chunks {
      var square = VectorFunctions.Lanes.zero
      for axis in 0..<options.sources.dimension {
        let difference = coordinates[axis * chunks + chunk] - receivers[place + axis]
        square += difference * difference
      }
      let inverse = 1 / square.squareRoot()
      sum += charges[chunk] * inverse.replacing(with: 0, where: square .== 0)
    }
    return VectorFunctions.sum(sum)
  }
}
