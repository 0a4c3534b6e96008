import OperatorProblems

extension OperatorProblem where Self: ~Copyable {
  /// Draws a sample into arrays.
  mutating func sample(seed: Int64, index: Int) -> (input: [Double], parameters: [Double]) {
    var input = [Double](repeating: .nan, count: pointCount)
    var parameters = [Double](repeating: .nan, count: parameterCount)
    do {
      var inputs = input.mutableSpan
      var numbers = parameters.mutableSpan
      sample(seed: seed, index: index, input: &inputs, parameters: &numbers)
    }
    return (input, parameters)
  }

  /// Labels an array.
  mutating func solve(_ input: [Double]) throws(ProblemError) -> [Double] {
    var output = [Double](repeating: .nan, count: outputCount)
    do {
      var span = output.mutableSpan
      try solve(input: input.span, output: &span)
    }
    return output
  }

  /// Labels a sampled array.
  mutating func solve(_ input: [Double], _ parameters: [Double]) throws(ProblemError) -> [Double] {
    var output = [Double](repeating: .nan, count: outputCount)
    do {
      var span = output.mutableSpan
      try solve(input: input.span, parameters: parameters.span, output: &span)
    }
    return output
  }
}

/// The centres of equal cells of [0, 1].
func cellCentres(_ n: Int) -> [Double] { (0..<n).map { (Double($0) + 0.5) / Double(n) } }

/// The largest absolute difference of two arrays.
func largestDifference(_ a: [Double], _ b: [Double]) -> Double {
  zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
}
