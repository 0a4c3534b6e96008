#!/usr/bin/env python3
"""Writes the values that the tests of OperatorProblems compare with (needs mpmath).

Usage: operator_problems_oracle.py small|large|transfer > Tests/OperatorProblemsTests/FILE, where
FILE is ExponentialIntegralOracle+Small.swift, ExponentialIntegralOracle+Large.swift or
RadiativeTransfer1DOracle.swift.

Everything is computed with 50 digits. The radiative transfer systems are assembled with the
antiderivative s E1(s) - e^-s of E1, not with E2, as an independent check of the program's formula.
"""

import sys

from mpmath import e1, exp, expint, log, lu_solve, matrix, mp, mpf, nstr

mp.dps = 50
EPS = 2.0**-52


def neighbours(x):
    """Numbers around a place where two formulas meet."""
    return [x * (1 + k * EPS) for k in (-4, -1, 0, 1, 4)] + [x * (1 + s * 1e-9) for s in (-1, 1)]


def small_arguments():
    """Arguments up to 1: many magnitudes, then dense, then the joints of the logarithm."""
    x = [10.0 ** -(300 - 5 * k) for k in range(60)]
    x += [k / 96 for k in range(1, 97)] + [10 ** (-k / 12) for k in range(1, 37)]
    for k in range(4):
        x += neighbours(2.0**-k * 0.5**0.5)
        x += neighbours(2.0**-k)
    return x


def large_arguments():
    """Arguments from 1 on: dense, then growing, then the joints of the exponential."""
    x = neighbours(1.0) + [1 + k / 16 for k in range(1, 81)]
    x += [6 * (700 / 6) ** (k / 100) for k in range(1, 100)] + [700.0, 699.99, 690.5]
    for k in (2, 3, 7, 40, 127, 500, 1009):
        x += neighbours(float((k + mpf(1) / 2) * log(2)))
    return x


def table(kind):
    print("// Written by Tests/Peers/operator_problems_oracle.py: x, E₁(x), E₂(x).\n")
    print("extension ExponentialIntegralOracle {")
    which = "up to" if kind == "small" else "from"
    print(f"  /// Arguments {which} 1.")
    print(f'  static let {kind} = """')
    for x in sorted(set(small_arguments() if kind == "small" else large_arguments())):
        value = mpf(x)
        print(f"    {x!r} {nstr(e1(value), 19)} {nstr(expint(2, value), 19)}")
    print('    """\n}')


def antiderivative(s):
    return s * e1(s) - exp(-s) if s > 0 else mpf(-1)


def density(scattering, absorption):
    """Solves u = K (mu_s u + 1) on equal cells of [0, 1]."""
    n = len(scattering)
    h = mpf(1) / n
    total = [mpf(s) + mpf(absorption) for s in scattering]
    edges = [mpf(0)]
    for value in total:
        edges.append(edges[-1] + value * h)
    k = matrix(n, n)
    for i in range(n):
        centre = (edges[i] + edges[i + 1]) / 2
        for j in range(n):
            a, b = abs(centre - edges[j]), abs(centre - edges[j + 1])
            if i == j:
                k[i, j] = (antiderivative(a) - antiderivative(mpf(0))) / total[j]
            else:
                k[i, j] = abs(antiderivative(b) - antiderivative(a)) / (2 * total[j])
    system, source = matrix(n, n), matrix(n, 1)
    for i in range(n):
        source[i] = sum(k[i, j] for j in range(n))
        for j in range(n):
            system[i, j] = (1 if i == j else 0) - k[i, j] * mpf(scattering[j])
    return lu_solve(system, source)


def transfer():
    print("// Written by Tests/Peers/operator_problems_oracle.py.\n\nimport Testing\n")
    print("/// Solutions of the discrete radiative transfer equation, found with 50 digits.")
    print("struct RadiativeTransfer1DOracle: Sendable, CustomTestStringConvertible {")
    print("  let testDescription: String\n  let absorption: Double")
    print("  let scattering: [Double]\n  let density: [Double]\n")
    print("  static let all = [")
    pattern = [((7 * i) % 5) / 4 for i in range(12)]
    cases = [("usual", 1.0, 0.2), ("optically thick", 40.0, 0.25), ("optically thin", 2**-20, 2**-19),
             ("transparent cells", 1.0, 2**-19)]
    for name, scale, absorption in cases:
        scattering = [scale * p for p in pattern]
        u = density(scattering, absorption)
        print(f'    Self(\n      testDescription: "{name}", absorption: {absorption!r},')
        print("      scattering: [" + wrapped([repr(s) for s in scattering]) + "      ],")
        print("      density: [" + wrapped([nstr(x, 19) for x in u]) + "      ]),")
    print("  ]\n}")


def wrapped(words):
    rows = [", ".join(words[i:i + 3]) for i in range(0, len(words), 3)]
    return "\n" + "".join(f"        {row},\n" for row in rows)


if __name__ == "__main__":
    if sys.argv[1] == "transfer":
        transfer()
    else:
        table(sys.argv[1])
