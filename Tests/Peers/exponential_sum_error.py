#!/usr/bin/env python3
"""Measures the error of the sums of exponentials in ExponentialSum.swift (needs mpmath).

Usage: exponential_sum_error.py

For least distances from 1e-2 down to 1.5e-11, the nodes and weights are found with 30 digits by the same
formulas, written down anew, and the largest error of the sum is printed, relative to E1(x) up to x = 1
and to E1(1) / x^2 above. It must not exceed 1e-15.
"""

from mpmath import asin, ceil, cos, e1, exp, log, mp, mpf, nstr, pi, sqrt

mp.dps = 30


def gauss_legendre(n):
    nodes, weights = [], []
    for k in range(n):
        x = cos((k + mpf(3) / 4) / (n + mpf(1) / 2) * pi)
        for _ in range(7):
            before, value = mpf(1), x
            for d in range(2, n + 1):
                before, value = value, ((2 * d - 1) * x * value - (d - 1) * before) / d
            slope = n * (x * value - before) / (x * x - 1)
            x -= value / slope
        nodes.append(x)
        weights.append(2 / ((1 - x * x) * slope**2))
    return nodes, weights


def exponentials(distance):
    length = log(34 / min(distance, mpf("0.01"))) - mpf("0.1")
    count = 8 * int(ceil((mpf("15.5") + mpf("3.5") * length) / 8))
    spread = mpf("0.9")
    scale = length / 2 / asin(spread)
    return [(exp(length / 2 + scale * asin(spread * v)),
             scale * spread * w / sqrt(1 - (spread * v)**2))
            for v, w in zip(*gauss_legendre(count))]


worst = 0
for distance in [mpf("1.5e-11")] + [10 ** (-mpf(k) / 4) for k in range(43, 7, -1)]:
    terms = exponentials(distance)
    error = 0
    for k in range(200):
        x = distance * (60 / distance) ** (mpf(k) / 199)
        scale = e1(x) if x <= 1 else e1(1) / x**2
        error = max(error, abs(sum(w * exp(-t * x) for t, w in terms) - e1(x)) / scale)
    worst = max(worst, error)
    print(f"from {nstr(distance, 3)} on: {len(terms)} exponentials, error {nstr(error, 3)}", flush=True)
print(f"largest error {nstr(worst, 3)}")
raise SystemExit(worst > mpf("1e-15"))
