import Foundation

/// The C library's functions, for code that is inlined into other modules.
@usableFromInline enum MathLibrary {
  @usableFromInline static func tanh(_ x: Double) -> Double { Foundation.tanh(x) }
  @usableFromInline static func exp(_ x: Double) -> Double { Foundation.exp(x) }
  @usableFromInline static func expm1(_ x: Double) -> Double { Foundation.expm1(x) }
}
