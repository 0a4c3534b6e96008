public import MessagePassing

/// The equations that have names.
public enum EquationCatalogue {
  /// All of them.
  public static let all: [any Equation] = [
    Burgers(), Heat(), Poisson2D(), Helmholtz2D(), RadiativeDiffusion(),
  ]

  /// Finds an equation.
  ///
  /// - Parameter name: Its name.
  /// - Returns: The equation.
  /// - Throws: `RunError` (64) if there is none of this name.
  public static func named(_ name: String) throws(RunError) -> any Equation {
    guard let found = all.first(where: { type(of: $0).name == name }) else {
      let known = all.map { type(of: $0).name }.joined(separator: ", ")
      throw .usage("`equation` \(name) does not exist; there are \(known)")
    }
    return found
  }
}
