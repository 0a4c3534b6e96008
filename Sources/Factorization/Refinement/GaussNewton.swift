import BlockKernels
import OperatorNetworks

/// Gauss–Newton steps for the residuals of a preconditioner, with conjugate gradients on the normal equations.
struct GaussNewton {
  typealias Vectors = AlignedBuffer<Double>

  /// The most Gauss–Newton steps.
  var steps = 8
  /// The most iterations of conjugate gradients in a step.
  var innerIterations = 200
  /// The relative residual of the normal equations at which a step is exact enough.
  var innerTolerance = 1e-3
  /// The weights of ‖K − I‖² and ‖K⁻¹ − I‖².
  var weights = (direct: 1.0, inverse: 1.0)

  /// What one step did.
  struct Step {
    let squares: (direct: Double, inverse: Double)
    let innerIterations: Int
    let length: Double
  }

  /// Improves parameters.
  ///
  /// - Parameters:
  ///   - parameters: The start; replaced.
  ///   - residual: The residuals.
  ///   - isFree: For each parameter whether it may change.
  ///   - report: Receives each step.
  /// - Throws: `LAPACKError` if the start is singular.
  func run(
    _ parameters: Vectors, _ residual: FactorResidual, isFree: [Bool], report: (Step) -> Void
  ) throws {
    try residual.update(parameters)
    var loss = self.loss(residual)
    for _ in 0..<steps {
      let (direction, inner) = direction(parameters.count, residual, isFree)
      let start = parameters.scaled(1)
      var length = 1.0
      var isBetter = false
      while length > 1e-4 {
        parameters.copy(start)
        parameters.add(direction, times: length)
        // A step may end at a singular factor.
        if (try? residual.update(parameters)) != nil {
          let found = self.loss(residual)
          if found < loss {
            isBetter = true
            let gain = (loss - found) / loss
            loss = found
            report(Step(squares: residual.squares, innerIterations: inner, length: length))
            if gain < 1e-3 { return }
            break
          }
        }
        length /= 2
      }
      guard isBetter else {
        parameters.copy(start)
        return try residual.update(parameters)
      }
    }
  }

  private func loss(_ residual: FactorResidual) -> Double {
    let squares = residual.squares
    return weights.direct * squares.direct + weights.inverse * squares.inverse
  }

  /// Minimizes ‖J δ + r‖² by conjugate gradients on the normal equations.
  private func direction(
    _ count: Int, _ residual: FactorResidual, _ isFree: [Bool]
  ) -> (Vectors, Int) {
    func adjoint(_ pair: (direct: Vectors, inverse: Vectors)) -> Vectors {
      let weighted = (pair.direct.scaled(weights.direct), pair.inverse.scaled(weights.inverse))
      let result = residual.adjoint(weighted)
      var span = result.mutableSpan
      for place in 0..<count where !isFree[place] { span[place] = 0 }
      return result
    }
    let x = Vectors(repeating: 0, count: count)
    let r = adjoint(residual.residuals).scaled(-1)
    let p = r.scaled(1)
    var gamma = r.dot(r)
    let first = gamma
    for iteration in 1...innerIterations {
      let q = residual.derivative(p)
      let curvature =
        weights.direct * q.direct.dot(q.direct) + weights.inverse * q.inverse.dot(q.inverse)
      guard curvature > 0 else { return (x, iteration) }
      let alpha = gamma / curvature
      let s = adjoint(q)
      x.add(p, times: alpha)
      r.add(s, times: -alpha)
      let next = r.dot(r)
      if next <= innerTolerance * innerTolerance * first { return (x, iteration) }
      p.scale(next / gamma, adding: r)
      gamma = next
    }
    return (x, innerIterations)
  }
}
