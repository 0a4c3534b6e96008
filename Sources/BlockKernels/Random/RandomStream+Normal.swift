import Foundation

extension RandomStream {
  /// Draws from the standard normal distribution (Box and Muller).
  ///
  /// - Returns: A random number.
  public mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }
}
