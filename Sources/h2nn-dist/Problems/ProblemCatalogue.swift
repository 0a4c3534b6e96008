import ClusterTrees
import Datasets
import MessagePassing
import OperatorProblems
import Training

/// The problems that `generate` knows, in the order of the help.
///
/// To add one: make the problem conform to ``CataloguedProblem`` in a file of `Problems/`, and list it
/// here.
enum ProblemCatalogue {
  static let all = [
    ProblemEntry(RadiativeTransfer1D.self), ProblemEntry(RadiativeTransfer2D.self),
    ProblemEntry(CustomOperator.self), ProblemEntry(NBody.self),
    ProblemEntry(NonlinearSchrodinger<1>.self), ProblemEntry(NonlinearSchrodinger<2>.self),
    ProblemEntry(KohnSham<1>.self), ProblemEntry(KohnSham<2>.self),
  ]

  static let names = all.map(\.name)

  /// Finds the problem that the command line names.
  static func entry(_ name: String?) throws(RunError) -> ProblemEntry {
    let known = "one of \(names.joined(separator: ", "))"
    guard let name else { throw .usage("generate: which problem? Needed is \(known)") }
    if let entry = all.first(where: { $0.name == name }) { return entry }
    let hint = Suggestion.nearest(to: name, among: names).map { "did you mean \($0)?" }
    throw .usage("generate: unknown problem '\(name)'; \(hint ?? "needed is \(known)")")
  }
}

/// Where the fields of a dataset stand.
struct ProblemPoints {
  /// The shape of an input, from `--points` or from the file of `--inputs`.
  let shape: [Int]
  /// The points that the file of `--inputs` gives; nil without that file.
  var given: (inputs: PointSet, outputs: PointSet?)?
}

/// A problem with its description and options for the command line.
protocol CataloguedProblem: OperatorProblem, SendableMetatype, ~Copyable {
  associatedtype Options: Sendable

  /// What the problem is, for the title of its options.
  static var summary: String { get }

  /// The grid by default; `--points` needs as many sizes.
  static var standardPoints: [Int] { get }

  /// Whether `--inputs` may give fields on any points; if not, these stand on a uniform grid.
  static var takesClouds: Bool { get }

  /// The options of the distribution of input fields, which `--inputs` replaces.
  static var fieldOptions: [OptionSpec] { get }

  /// The other options of the problem.
  static var ownOptions: [OptionSpec] { get }

  /// Reads the options of an instance.
  ///
  /// - Parameters:
  ///   - arguments: The command line; what is not given has its default.
  ///   - points: Where the fields stand.
  /// - Returns: The options.
  /// - Throws: `RunError` (64) if a text is no value of its option.
  static func options(
    _ arguments: Arguments, on points: ProblemPoints
  ) throws(RunError) -> Options

  /// Makes an instance, with scratch memory of its own.
  init(options: Options) throws(ProblemError)
}

extension CataloguedProblem where Self: ~Copyable {
  static var takesClouds: Bool { false }
  static var ownOptions: [OptionSpec] { [] }
}

/// A problem of the catalogue, of any type.
struct ProblemEntry: Sendable {
  let name: String
  let summary: String
  let standardPoints: [Int]
  let takesClouds: Bool
  let fieldOptions: [OptionSpec]
  let ownOptions: [OptionSpec]
  /// Reads the options, to find wrong ones.
  let check: @Sendable (Arguments, ProblemPoints) throws(RunError) -> Void
  /// Makes an instance and writes its samples, collectively.
  let generate:
    @Sendable (GenerateCommand, ProblemPoints, Dataset?, borrowing Communicator) throws -> Void

  init<P: CataloguedProblem & ~Copyable>(_: P.Type) {
    name = P.name
    summary = P.summary
    standardPoints = P.standardPoints
    takesClouds = P.takesClouds
    fieldOptions = P.fieldOptions
    ownOptions = P.ownOptions
    check = { (arguments, points) throws(RunError) in
      _ = try P.options(arguments, on: points)
    }
    generate = { command, points, given, world in
      var problem = try P(options: try P.options(command.arguments, on: points))
      try command.write(&problem, given, on: world)
    }
  }

  /// The options of the problem as a group of the help.
  var group: (title: String, options: [OptionSpec]) {
    let points = standardPoints.map { "\($0)" }.joined(separator: "x")
    return ("\(name): \(summary) (--points \(points))", fieldOptions + ownOptions)
  }

  /// The number of dimensions in words.
  private var dimensions: String {
    let words = ["one dimension", "two dimensions", "three dimensions"]
    return words[standardPoints.count - 1]
  }

  /// Returns the grid that `--points` asks for.
  func shape(_ arguments: Arguments) throws(RunError) -> [Int] {
    let shape = try arguments.shape("points") ?? standardPoints
    guard shape.count == standardPoints.count else {
      throw .usage(
        "--points \(arguments.text("points") ?? ""): \(name) has \(dimensions), as in --points "
          + standardPoints.map { "\($0)" }.joined(separator: "x"))
    }
    return shape
  }

  /// Returns the points of given fields.
  func points(of given: Dataset, _ inputName: String) throws(RunError) -> ProblemPoints {
    let shape = given.points.gridShape
    guard takesClouds || shape?.count == standardPoints.count else {
      throw .data(
        "\(given.path):\(inputName): \(name) needs fields on a uniform grid in \(dimensions), samples × "
          + (standardPoints.count == 1
            ? "points" : standardPoints.indices.map { "n\($0 + 1)" }.joined(separator: " × ")))
    }
    return ProblemPoints(
      shape: shape ?? [given.points.count], given: (given.points, given.outputPoints))
  }

  /// Refuses options that belong to other problems, or that given input fields make meaningless.
  func refuseForeign(_ arguments: Arguments) throws(RunError) {
    let own = Set((fieldOptions + ownOptions).map(\.name))
    let others = Set(
      ProblemCatalogue.all.flatMap { ($0.fieldOptions + $0.ownOptions).map(\.name) })
    for name in arguments.values.keys.sorted() where others.subtracting(own).contains(name) {
      let known = own.sorted().map { "--\($0)" }.joined(separator: ", ")
      throw .usage("generate: --\(name) is no option of \(self.name), which has \(known)")
    }
    let fromFile = Set(["points", "samples", "seed"] + fieldOptions.map(\.name))
    let ofFile = Set(OptionGroups.layout.options.map(\.name))
    for name in arguments.values.keys.sorted() {
      if arguments.has("inputs"), fromFile.contains(name) {
        throw .usage("generate: --\(name) has no meaning with --inputs, whose fields are labelled")
      }
      if !arguments.has("inputs"), ofFile.contains(name) {
        throw .usage("generate: --\(name) has no meaning without --inputs, whose file it describes")
      }
    }
  }
}
