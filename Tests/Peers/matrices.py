#!/usr/bin/env python3
"""Model matrices for factorizations, and their condition numbers (needs numpy and scipy).

Usage: matrices.py NAME --points 16x16 --out FILE.mtx [--length L] [--nugget S] [--diffusion E] [--convection C]
       matrices.py          checks all matrices, and exits with 1 if one is wrong

The names and their meaning are those of `ModelMatrix` in Sources/SparseMatrices. Unknowns are the points of a
grid in row-major order. Operators are sums of Kronecker products of matrices of one dimension; kernels are dense.
"""

import argparse
import functools
import sys

import numpy as np
import scipy.io
import scipy.sparse as sp

DEFAULTS = {
    "laplacian-1d": {},
    "laplacian-2d": {},
    "laplacian-3d": {},
    "convection-diffusion-1d": {"diffusion": 0.1, "convection": 1.0},
    "convection-diffusion-2d": {"diffusion": 1.0, "convection": 50.0},
    "biharmonic-1d": {},
    "biharmonic-2d": {},
    "rbf": {"length": 0.1, "nugget": 1e-2},
    "exponential": {"length": 1.0, "nugget": 0.0},
}


def bands(n, **diagonals):
    """Returns the n × n matrix with constant diagonals: before, centre, behind are the offsets -1, 0, 1."""
    offsets = {"before": -1, "centre": 0, "behind": 1}
    return sp.diags(
        [np.full(max(n - abs(offsets[name]), 0), value) for name, value in diagonals.items() if n > abs(offsets[name])],
        [offsets[name] for name in diagonals if n > abs(offsets[name])], shape=(n, n), format="csr")


def in_each_dimension(lines):
    """Returns the sum over dimensions of a matrix along that dimension, the identity along the others."""
    total = 0
    for axis, line in enumerate(lines):
        factors = [line if place == axis else sp.identity(other.shape[0]) for place, other in enumerate(lines)]
        total = total + functools.reduce(lambda a, b: sp.kron(a, b, format="csr"), factors)
    return sp.csr_matrix(total)


def laplacian(shape):
    return in_each_dimension([bands(n, before=-1.0, centre=2.0, behind=-1.0) for n in shape])


def convection_diffusion_1d(n, diffusion, convection):
    h = 1 / (n - 1) if n > 1 else 1.0
    second = bands(n, before=-1.0, centre=2.0, behind=-1.0) * (diffusion / h**2)
    # A difference towards where the flow comes from.
    if convection >= 0:
        first = bands(n, before=-1.0, centre=1.0) * (convection / h)
    else:
        first = bands(n, centre=-1.0, behind=1.0) * (convection / h)
    matrix = sp.lil_matrix(second + first)
    for boundary in (0, n - 1):
        matrix[boundary, :] = 0
        matrix[boundary, boundary] = 1
    return sp.csr_matrix(matrix)


def convection_diffusion_2d(shape, diffusion, convection):
    h = 1 / (max(shape) + 1)
    before, behind = h * max(convection, 0), h * max(-convection, 0)
    return in_each_dimension([
        bands(n, before=-diffusion - before, centre=2 * diffusion + before + behind, behind=-diffusion - behind)
        for n in shape])


def biharmonic_1d(n):
    diagonals = {-2: 1.0, -1: -4.0, 0: 6.0, 1: -4.0, 2: 1.0}
    kept = {offset: value for offset, value in diagonals.items() if abs(offset) < n}
    return sp.diags([np.full(n - abs(o), v) for o, v in kept.items()], list(kept), shape=(n, n), format="csr")


def kernel(shape, length, nugget, function):
    step = 1 / max(max(shape) - 1, 1)
    points = np.stack(np.meshgrid(*[np.arange(n) * step for n in shape], indexing="ij"), -1).reshape(-1, len(shape))
    squares = sum((column[:, None] - column[None, :]) ** 2 for column in points.T)
    return function(np.sqrt(squares) / length) + nugget * np.identity(len(points))


def build(name, shape, **options):
    """Returns a model matrix; options that are None have their defaults."""
    if name not in DEFAULTS:
        raise ValueError(f"no matrix {name}: there are {', '.join(DEFAULTS)}")
    shape = tuple(shape)
    given = {key: value for key, value in options.items() if value is not None}
    if unknown := set(given) - set(DEFAULTS[name]):
        raise ValueError(f"the matrix {name} has no {', '.join(sorted(unknown))}")
    needed = {"1": (1,), "2": (2,), "3": (3,)}.get(name[-2:-1] if name.endswith("d") else "", (1, 2, 3))
    if len(shape) not in needed:
        raise ValueError(f"the matrix {name} is not for grids of {len(shape)} dimensions")
    o = DEFAULTS[name] | given
    match name:
        case "laplacian-1d" | "laplacian-2d" | "laplacian-3d":
            return laplacian(shape)
        case "convection-diffusion-1d":
            return convection_diffusion_1d(shape[0], o["diffusion"], o["convection"])
        case "convection-diffusion-2d":
            return convection_diffusion_2d(shape, o["diffusion"], o["convection"])
        case "biharmonic-1d":
            return biharmonic_1d(shape[0])
        case "biharmonic-2d":
            return sp.csr_matrix(laplacian(shape) @ laplacian(shape))
        case "rbf":
            return kernel(shape, o["length"], o["nugget"], lambda d: np.exp(-(d**2) / 2))
        case "exponential":
            return kernel(shape, o["length"], o["nugget"], lambda d: np.exp(-d))


def dense(matrix):
    return matrix.toarray() if sp.issparse(matrix) else matrix


def is_symmetric(matrix):
    return (abs(matrix - matrix.T)).max() == 0


def shape_of(text):
    return tuple(int(part) for part in text.split("x"))


# Condition numbers in the 2-norm, to as many digits as are known.
CONDITIONS = [
    ("laplacian-1d", "256", {}, "26767.98"),
    ("convection-diffusion-1d", "256", {}, "391149.8"),
    ("biharmonic-1d", "256", {}, "1.41612e8"),
    ("laplacian-2d", "16x16", {}, "116.4612"),
    ("laplacian-2d", "32x32", {}, "440.6886"),
    ("convection-diffusion-2d", "16x16", {}, "44.4767"),
    ("convection-diffusion-2d", "32x32", {}, "128.0801"),
    ("biharmonic-2d", "16x16", {}, "13563.21"),
    ("biharmonic-2d", "32x32", {}, "194206.4"),
    ("rbf", "256", {"nugget": 1e-2}, "6146.62"),
    ("rbf", "256", {"nugget": 1e-4}, "614563"),
    ("rbf", "256", {"nugget": 1e-6}, "6.14562e7"),
    ("rbf", "256", {"length": 0.2, "nugget": 1e-2}, "11240.9"),
    ("rbf", "256", {"length": 0.2, "nugget": 1e-4}, "1123992"),
    ("exponential", "256", {}, "96352.3"),
]


def digits(text):
    """Returns half a unit of the last digit of a number, relative to it."""
    mantissa = text.split("e")[0]
    return 0.5 * 10.0 ** -len(mantissa.partition(".")[2]) / float(mantissa)


def check():
    """Compares with known condition numbers, and Laplacians with their eigenvalues."""
    failures = 0
    for name, points, options, expected in CONDITIONS:
        found = np.linalg.cond(dense(build(name, shape_of(points), **options)))
        deviation = abs(found / float(expected) - 1)
        # A condition number itself is known to a few units of the rounding error times itself.
        agrees = deviation <= 1.01 * digits(expected) + 10 * found * np.finfo(float).eps
        failures += not agrees
        shown = " ".join(f"{key} {value:g}" for key, value in options.items())
        print(f"{name} {points} {shown}: {found:.7g}, expected {expected}" + ("" if agrees else "  WRONG"))
    # 2 - 2 cos(pi k / (n + 1)) in each dimension.
    for shape in ((7,), (5, 6), (3, 4, 5)):
        lines = [2 - 2 * np.cos(np.pi * np.arange(1, n + 1) / (n + 1)) for n in shape]
        expected = np.sort(functools.reduce(np.add.outer, lines).ravel())
        found = np.linalg.eigvalsh(dense(build(f"laplacian-{len(shape)}d", shape)))
        agrees = np.abs(found - expected).max() < 1e-13
        failures += not agrees
        print(f"laplacian-{len(shape)}d {shape}: eigenvalues" + ("" if agrees else "  WRONG"))
    # Upwind rows sum up to zero away from the boundary, whatever the direction of the flow.
    for convection in (50.0, -50.0):
        line = dense(build("convection-diffusion-1d", (9,), convection=convection))
        plane = dense(build("convection-diffusion-2d", (9, 9), convection=convection))
        sums = np.abs(np.r_[line[1:-1].sum(1), plane.reshape(9, 9, 81)[1:-1, 1:-1].sum(-1).ravel()])
        monotone = all((m - np.diag(np.diag(m)) <= 0).all() for m in (line, plane))
        agrees = sums.max() < 1e-11 and monotone
        failures += not agrees
        print(f"convection-diffusion with c = {convection:g}: rows" + ("" if agrees else "  WRONG"))
    return failures


def options_of(parser):
    """Adds the options of matrices to a parser."""
    for name in ("length", "nugget", "diffusion", "convection"):
        parser.add_argument(f"--{name}", type=float)


def chosen(arguments):
    """Returns the options of matrices that were given."""
    names = ("length", "nugget", "diffusion", "convection")
    return {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?")
    parser.add_argument("--points")
    parser.add_argument("--out")
    options_of(parser)
    arguments = parser.parse_args()
    if arguments.name is None:
        return 1 if check() else 0
    if arguments.points is None or arguments.out is None:
        parser.error("--points and --out are needed")
    try:
        matrix = build(arguments.name, shape_of(arguments.points), **chosen(arguments))
    except ValueError as error:
        parser.error(str(error))
    scipy.io.mmwrite(arguments.out, sp.coo_matrix(matrix), precision=17)
    return 0


if __name__ == "__main__":
    sys.exit(main())
