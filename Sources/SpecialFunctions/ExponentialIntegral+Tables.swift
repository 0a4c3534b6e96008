// Written by Tests/Peers/exponential_integral_tables.py, which says how the numbers are found.

/// The approximations behind `ExponentialIntegral` and `VectorFunctions`, in Horner form.
package enum ExponentialIntegralTables {
  /// The vector type of all approximations.
  package typealias Lanes = SIMD8<Double>

  /// q of E₂(x) = 1 + x (log x + q(x)) on [0, 1]; approximation error 1.0e-18.
  @inlinable @inline(__always)
  package static func entirePartOfE2(_ x: Lanes) -> Lanes {
    let square = x * x
    var even = Lanes(repeating: 2.347253676235975e-09)
    even = even * square + Lanes(repeating: 3.442519614875448e-07)
    even = even * square + Lanes(repeating: 3.306872734657616e-05)
    even = even * square + Lanes(repeating: 0.0020833333306488427)
    even = even * square + Lanes(repeating: 0.08333333333331851)
    even = even * square + Lanes(repeating: -0.42278433509846713)
    var odd = Lanes(repeating: -1.2489395998529416e-10)
    odd = odd * square + Lanes(repeating: -3.038986730617843e-08)
    odd = odd * square + Lanes(repeating: -3.5429503361340117e-06)
    odd = odd * square + Lanes(repeating: -0.00027777776243137004)
    odd = odd * square + Lanes(repeating: -0.013888888888611438)
    odd = odd * square + Lanes(repeating: -0.49999999999999967)
    return even + x * odd
  }

  /// e of E₁(x) = -(log x + e(x)) on [0, 1]; approximation error 2.4e-19.
  @inlinable @inline(__always)
  package static func entirePartOfE1(_ x: Lanes) -> Lanes {
    let square = x * x
    var even = Lanes(repeating: 1.1014676160341789e-10)
    even = even * square + Lanes(repeating: 2.7285723384050616e-08)
    even = even * square + Lanes(repeating: 3.099993172187001e-06)
    even = even * square + Lanes(repeating: 0.000231481447020872)
    even = even * square + Lanes(repeating: 0.01041666666551649)
    even = even * square + Lanes(repeating: 0.24999999999999545)
    even = even * square + Lanes(repeating: 0.5772156649015329)
    var odd = Lanes(repeating: -2.1084099428281176e-09)
    odd = odd * square + Lanes(repeating: -3.0590626102218904e-07)
    odd = odd * square + Lanes(repeating: -2.83445696885609e-05)
    odd = odd * square + Lanes(repeating: -0.001666666658813628)
    odd = odd * square + Lanes(repeating: -0.0555555555554552)
    odd = odd * square + Lanes(repeating: -0.9999999999999999)
    return even + x * odd
  }

  /// The numerator of e^x E₁(x) on [1, 800]; approximation error 3.1e-17.
  @inlinable @inline(__always)
  package static func largeE1Numerator(_ x: Lanes) -> Lanes {
    var p = Lanes(repeating: 1.0)
    p = p * x + Lanes(repeating: 43.72035954222287)
    p = p * x + Lanes(repeating: 745.6852597548271)
    p = p * x + Lanes(repeating: 6432.020915162533)
    p = p * x + Lanes(repeating: 30478.026332070393)
    p = p * x + Lanes(repeating: 80916.24409057591)
    p = p * x + Lanes(repeating: 118162.92539737812)
    p = p * x + Lanes(repeating: 89897.3799350797)
    p = p * x + Lanes(repeating: 32116.222890419354)
    p = p * x + Lanes(repeating: 4410.102869869333)
    p = p * x + Lanes(repeating: 143.97560940982584)
    return p
  }

  /// The denominator of e^x E₁(x) on [1, 800]; approximation error 3.1e-17.
  @inlinable @inline(__always)
  package static func largeE1Denominator(_ x: Lanes) -> Lanes {
    var p = Lanes(repeating: 1.0)
    p = p * x + Lanes(repeating: 44.720359542222866)
    p = p * x + Lanes(repeating: 788.4056192970543)
    p = p * x + Lanes(repeating: 7136.985815373826)
    p = p * x + Lanes(repeating: 36282.52306632559)
    p = p * x + Lanes(repeating: 106701.94059008644)
    p = p * x + Lanes(repeating: 180846.44460097916)
    p = p * x + Lanes(repeating: 171197.35889105694)
    p = p * x + Lanes(repeating: 84911.72662120423)
    p = p * x + Lanes(repeating: 19651.76130639107)
    p = p * x + Lanes(repeating: 1694.2833640079725)
    p = p * x + Lanes(repeating: 30.869828015821934)
    return p
  }

  /// The numerator of e^x E₂(x) on [1, 800]; approximation error 5.8e-18.
  @inlinable @inline(__always)
  package static func largeE2Numerator(_ x: Lanes) -> Lanes {
    var p = Lanes(repeating: 1.0)
    p = p * x + Lanes(repeating: 55.718906994446435)
    p = p * x + Lanes(repeating: 1240.6186623828507)
    p = p * x + Lanes(repeating: 14378.731545474104)
    p = p * x + Lanes(repeating: 94865.57570035648)
    p = p * x + Lanes(repeating: 367022.89969884895)
    p = p * x + Lanes(repeating: 830231.5735083094)
    p = p * x + Lanes(repeating: 1067267.6355763709)
    p = p * x + Lanes(repeating: 736951.6626354449)
    p = p * x + Lanes(repeating: 247890.33769707856)
    p = p * x + Lanes(repeating: 33969.65635757837)
    p = p * x + Lanes(repeating: 1261.2293230089015)
    return p
  }

  /// The denominator of e^x E₂(x) on [1, 800]; approximation error 5.8e-18.
  @inlinable @inline(__always)
  package static func largeE2Denominator(_ x: Lanes) -> Lanes {
    var p = Lanes(repeating: 1.0)
    p = p * x + Lanes(repeating: 57.71890699444643)
    p = p * x + Lanes(repeating: 1350.0564763717457)
    p = p * x + Lanes(repeating: 16756.5310562502)
    p = p * x + Lanes(repeating: 121543.55272263922)
    p = p * x + Lanes(repeating: 535765.9053816118)
    p = p * x + Lanes(repeating: 1449169.650760584)
    p = p * x + Lanes(repeating: 2378730.3142682933)
    p = p * x + Lanes(repeating: 2297318.779409347)
    p = p * x + Lanes(repeating: 1234591.4810579056)
    p = p * x + Lanes(repeating: 335675.28993710544)
    p = p * x + Lanes(repeating: 38795.76099761838)
    p = p * x + Lanes(repeating: 1279.3957124154886)
    return p
  }

  /// p of e^x = 1 + x p(x) on |x| ≤ log(2) / 2; approximation error 8.4e-20.
  @inlinable @inline(__always)
  package static func exponential(_ x: Lanes) -> Lanes {
    var p = Lanes(repeating: 2.091812969394292e-09)
    p = p * x + Lanes(repeating: 2.5110037940619665e-08)
    p = p * x + Lanes(repeating: 2.7557263300828916e-07)
    p = p * x + Lanes(repeating: 2.755724091767456e-06)
    p = p * x + Lanes(repeating: 2.4801587336421925e-05)
    p = p * x + Lanes(repeating: 0.0001984126989004796)
    p = p * x + Lanes(repeating: 0.0013888888888879082)
    p = p * x + Lanes(repeating: 0.008333333333319601)
    p = p * x + Lanes(repeating: 0.04166666666666668)
    p = p * x + Lanes(repeating: 0.1666666666666668)
    p = p * x + Lanes(repeating: 0.5)
    p = p * x + Lanes(repeating: 1.0)
    return p
  }

  /// p of log m = s (2 + z p(z)), s = (m - 1) / (m + 1), z = s²; approximation error 4.6e-18.
  @inlinable @inline(__always)
  package static func logarithm(_ x: Lanes) -> Lanes {
    let square = x * x
    var even = Lanes(repeating: 0.14616449685043406)
    even = even * square + Lanes(repeating: 0.18182889125261723)
    even = even * square + Lanes(repeating: 0.28571428625975487)
    even = even * square + Lanes(repeating: 0.666666666666667)
    var odd = Lanes(repeating: 0.15331721600556042)
    odd = odd * square + Lanes(repeating: 0.2222221113479508)
    odd = odd * square + Lanes(repeating: 0.39999999999899505)
    return even + x * odd
  }
}
