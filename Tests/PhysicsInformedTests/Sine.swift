import Foundation

/// The sine, as the oracle computes it.
func sine(_ x: Double) -> Double { sin(x) }
