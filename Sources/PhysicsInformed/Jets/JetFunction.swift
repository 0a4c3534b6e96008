public import MessagePassing

/// A function between the layers of a network, with three derivatives.
public enum JetFunction: String, CaseIterable, Sendable, Codable {
  /// The hyperbolic tangent.
  case tanh
  /// The sine.
  case sine
  /// f(x) = log(1 + eˣ).
  case softplus

  /// Finds a function by its name.
  ///
  /// - Parameter name: The name.
  /// - Throws: `RunError` (64) if there is none, or if its second derivative would be lost.
  public init(named name: String) throws(RunError) {
    if let found = JetFunction(rawValue: name) {
      self = found
      return
    }
    let known = Self.allCases.map(\.rawValue).joined(separator: ", ")
    guard name != "relu", name != "elu" else {
      throw .usage(
        "`function` \(name): its second derivative is zero or jumps, so that second derivatives of the solution are lost; use one of \(known)"
      )
    }
    throw .usage("`function` \(name) does not exist; there are \(known)")
  }
}
