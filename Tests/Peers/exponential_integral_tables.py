#!/usr/bin/env python3
"""Computes the polynomials and rational functions behind ExponentialIntegral (needs mpmath).

Usage: exponential_integral_tables.py > Sources/SpecialFunctions/ExponentialIntegral+Tables.swift

All fits are made with 60 digits and rounded once to Double:

* polynomials are Chebyshev interpolants turned into monomials (mpmath.chebyfit), near-minimax;
* the rational functions interpolate e^x E_n(x), a Stieltjes function, at 2n + 2 points of
  [1, 800], the images under x = w^-2 of Chebyshev points in w. Such interpolants have positive
  coefficients, so that their evaluation at x > 0 has no cancellation.

The approximation error printed in each comment is measured on a dense grid.
"""

from mpmath import (atanh, chebyfit, cos, e1, euler, exp, expint, expm1, log, lu_solve, matrix, mp,
                    mpf, nstr, pi, sqrt)

mp.dps = 60


def horner(coefficients, x):
    value = mpf(0)
    for c in reversed(coefficients):
        value = value * x + c
    return value


def grid(a, b, count=400):
    return [a + (b - a) * mpf(k) / count for k in range(count + 1)]


def emit(name, summary, coefficients, error, split=False):
    print(f"  /// {summary}; approximation error {nstr(error, 2)}.")
    print("  @inlinable @inline(__always)")
    print(f"  package static func {name}(_ x: Lanes) -> Lanes {{")
    values = [repr(float(c)) for c in coefficients]
    if split:
        print("    let square = x * x")
        chain("even", "square", values[0::2])
        chain("odd", "square", values[1::2])
        print("    return even + x * odd\n  }")
    else:
        chain("p", "x", values)
        print("    return p\n  }")


def chain(name, variable, values):
    print(f"    var {name} = Lanes(repeating: {values[-1]})")
    for v in values[-2::-1]:
        print(f"    {name} = {name} * {variable} + Lanes(repeating: {v})")


def polynomial(name, summary, function, a, b, terms, scale, split=False):
    """Prints a polynomial; `scale` turns its absolute error into that of the result."""
    coefficients = chebyfit(function, [a, b], terms)[::-1]
    error = max(abs(scale(x) * (horner(coefficients, x) - function(x))) for x in grid(a, b))
    emit(name, summary, coefficients, error, split)


def rational(name, summary, function, n):
    size = 2 * n + 2
    low = 1 / sqrt(mpf(800))
    nodes = [((1 + low) / 2 + (1 - low) / 2 * cos(pi * (2 * k + 1) / (2 * size))) ** -2
             for k in range(size)]
    a, b = matrix(size, size), matrix(size, 1)
    for k, x in enumerate(nodes):
        g = function(x)
        for i in range(n + 1):
            a[k, i], a[k, n + 1 + i] = x**i, -g * x**i
        b[k] = g * x ** (n + 1)
    s = lu_solve(a, b)
    p, q = [s[i] for i in range(n + 1)], [s[n + 1 + i] for i in range(n + 1)] + [mpf(1)]
    assert min(p + q) > 0
    error = max(abs(horner(p, x) / horner(q, x) / function(x) - 1)
                for x in [mpf(800) ** (mpf(k) / 600) for k in range(601)])
    emit(name + "Numerator", f"The numerator of {summary}", p, error)
    print()
    emit(name + "Denominator", f"The denominator of {summary}", q, error)


print("""// Written by Tests/Peers/exponential_integral_tables.py, which says how the numbers are found.

/// The approximations behind `ExponentialIntegral` and `VectorFunctions`, in Horner form.
package enum ExponentialIntegralTables {
  /// The vector type of all approximations.
  package typealias Lanes = SIMD8<Double>
""")
polynomial("entirePartOfE2", "q of E₂(x) = 1 + x (log x + q(x)) on [0, 1]",
           lambda x: (expint(2, x) - 1) / x - log(x) if x > mpf(10) ** -30 else euler - 1,
           0, 1, 12, lambda x: x, split=True)
print()
polynomial("entirePartOfE1", "e of E₁(x) = -(log x + e(x)) on [0, 1]",
           lambda x: -e1(x) - log(x) if x > mpf(10) ** -30 else euler, 0, 1, 13, lambda x: 1, split=True)
print()
rational("largeE1", "e^x E₁(x) on [1, 800]", lambda x: exp(x) * e1(x), 10)
print()
rational("largeE2", "e^x E₂(x) on [1, 800]", lambda x: exp(x) * expint(2, x), 11)
print()
half = log(mpf(2)) / 2 + mpf(10) ** -6
polynomial("exponential", "p of e^x = 1 + x p(x) on |x| ≤ log(2) / 2",
           lambda x: expm1(x) / x if abs(x) > mpf(10) ** -40 else mpf(1), -half, half, 12,
           lambda x: x)
print()
polynomial("logarithm", "p of log m = s (2 + z p(z)), s = (m - 1) / (m + 1), z = s²",
           lambda z: (2 * atanh(sqrt(z)) / sqrt(z) - 2) / z if z > mpf(10) ** -30 else mpf(2) / 3,
           0, (3 - 2 * sqrt(mpf(2))) ** 2, 7, lambda z: z / 2, split=True)
print("}")
