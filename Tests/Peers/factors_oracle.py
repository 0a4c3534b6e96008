#!/usr/bin/env python3
"""Checks factors.py on classical factors: exact ones, truncated by nested singular value decompositions.

Usage: factors_oracle.py (needs numpy, scipy, h5py; two minutes)

Writes each factor to a file as a checkpoint holds it, evaluates that, and compares parameters, errors and iterations
with those of another implementation. Exits with 1 if one differs.
"""

import json
import pathlib
import sys
import tempfile

import h5py
import numpy as np
import scipy.linalg as la

import checkpoint
import factors
import matrices


def truncate(structure, exact):
    """Returns the weights of a factor that approximates a block-triangular matrix."""
    weights = {"diagonal": {}, "near": {}}
    last = structure.levels
    for leaf in range(structure.leaves):
        rows = structure.range(last, leaf)
        weights["diagonal"][leaf, leaf] = exact[rows, rows]
        for source in structure.near[leaf]:
            weights["near"][leaf, source] = exact[rows, structure.range(last, source)]
    if structure.coarsest is None:
        return stacked(structure, weights)
    # far[level][box]: the columns that the box sees through bases, on its level or above; seen: the rows that see it.
    n = len(structure.order)
    far, seen = {}, {}
    for level in range(last + 1):
        for box in range(structure.arity**level):
            for lists in (far, seen):
                above = lists.get((level - 1, box // structure.arity), np.zeros(n, bool))
                lists[level, box] = above.copy()
        for target, sources in enumerate(structure.far[level]):
            for source in sources:
                far[level, target][structure.range(level, source)] = True
                seen[level, source][structure.range(level, target)] = True

    def basis(matrix, rank):
        left = np.linalg.svd(matrix, full_matrices=False)[0][:, :rank] if matrix.size else np.zeros((len(matrix), 0))
        return np.pad(left, ((0, 0), (0, rank - left.shape[1])))

    ranges = {(level, box): structure.range(level, box)
              for level in range(last + 1) for box in range(structure.arity**level)}
    u, v = {}, {}
    weights |= {"restriction.leaf": {}, "interpolation.leaf": {}}
    for leaf in range(structure.leaves):
        rows = ranges[last, leaf]
        u[last, leaf] = basis(exact[rows][:, far[last, leaf]], structure.channels[last])
        v[last, leaf] = basis(exact[:, rows][seen[last, leaf]].T, structure.channels[last])
        weights["interpolation.leaf"][leaf, leaf] = u[last, leaf]
        weights["restriction.leaf"][leaf, leaf] = v[last, leaf].T
    for level in range(last, structure.coarsest - 1, -1):
        weights[f"bridge.{level}"] = {
            (a, b): u[level, a].T @ exact[ranges[level, a], ranges[level, b]] @ v[level, b]
            for a, sources in enumerate(structure.far[level]) for b in sources}
        if level == structure.coarsest:
            break
        rank, below = structure.channels[level - 1], structure.channels[level]
        up, down = {}, {}
        for box in range(structure.arity ** (level - 1)):
            children = range(box * structure.arity, (box + 1) * structure.arity)
            coarse = level - 1, box
            row_part = np.vstack([u[level, c].T @ exact[ranges[level, c]][:, far[coarse]] for c in children])
            column_part = np.vstack([v[level, c].T @ exact[:, ranges[level, c]][seen[coarse]].T for c in children])
            left, right = basis(row_part, rank), basis(column_part, rank)
            for place, child in enumerate(children):
                part = slice(place * below, (place + 1) * below)
                up[child, box], down[box, child] = left[part], right[part].T
            u[coarse] = np.vstack([u[level, c] @ up[c, box] for c in children])
            v[coarse] = np.vstack([v[level, c] @ down[box, c].T for c in children])
        weights[f"interpolation.{level - 1}"], weights[f"restriction.{level - 1}"] = up, down
    return stacked(structure, weights)


def stacked(structure, weights):
    """Puts the blocks of each slice into the order of the file."""
    result = {}
    for name, (rows, outputs, _) in structure.slices().items():
        result[name] = np.concatenate([
            np.hstack([weights[name][row, source] for source in sources]).ravel() if sources else np.zeros(0)
            for row, sources in enumerate(rows)])
    return result


def exact_factors(a, structure):
    """Returns L and the transpose of U: by Cholesky, or by elimination in blocks with identities on L's diagonal."""
    if matrices.is_symmetric(a):
        lower = np.linalg.cholesky(a)
        return [lower]
    lower, rest = np.identity(len(a)), a.copy()
    for leaf in range(structure.leaves):
        own = structure.range(structure.levels, leaf)
        behind = slice(own.stop, len(a))
        lower[behind, own] = la.solve(rest[own, own].T, rest[behind, own].T).T
        rest[behind] -= lower[behind, own] @ rest[own]
        rest[behind, own] = 0
    return [lower, rest.T]


def shape_of(points):
    return [int(part) for part in points.split("x")]


def write(path, weights, description):
    with h5py.File(path, "w") as file:
        file.attrs["format"] = "h2nn-dist checkpoint 2"
        arrays = {}
        for name, values in weights.items():
            place = f"/parameters/{name}/weights"
            file[place] = values
            arrays[place] = {"shape": list(values.shape), "type": "float64", "digest": checkpoint.digest(values)}
        line = json.dumps(description | {"arrays": arrays}, sort_keys=True).encode()
        end = checkpoint.digest(np.frombuffer(line, np.uint8)).encode()
        file["description"] = np.frombuffer(line + b"\n" + end, np.uint8)


# (matrix, points, options, order, pattern, leaf, channels): parameters of a factor, error (None: not known, 0:
# rounding), iterations (None: not known).
KNOWN = [
    (("laplacian-1d", "256", {}, "natural", "weak", 32, 1), 8735, 0, 1),
    (("laplacian-1d", "256", {}, "natural", "blog", 32, 1), 15900, 0, 1),
    (("convection-diffusion-1d", "256", {}, "natural", "weak", 32, 1), 8735, 0, 1),
    (("biharmonic-1d", "256", {}, "natural", "weak", 32, 1), 8735, 1.97e-2, None),
    (("biharmonic-1d", "256", {}, "natural", "weak", 32, 2), 9340, 0, 1),
    (("exponential", "256", {}, "natural", "strong", 32, 1), 15900, 0, 1),
    (("rbf", "256", {}, "natural", "strong", 32, 1), 15900, 2.7e-2, 21),
    (("rbf", "256", {}, "natural", "strong", 32, 2), 16496, 1.8e-3, 8),
    (("rbf", "256", {}, "natural", "strong", 32, 4), 17856, 5.1e-6, 3),
    (("rbf", "256", {}, "natural", "weak", 32, 4), 10736, 4.0e-4, 6),
    (("rbf", "256", {"length": 0.2, "nugget": 1e-4}, "natural", "weak", 32, 8), 14272, 3.4e-8, 3),
    (("laplacian-2d", "32x32", {}, "z", "strong", 4, 0), round(18.5 * 1024), None, 13),
    (("laplacian-2d", "32x32", {}, "z", "strong", 16, 0), round(68.5 * 1024), None, 9),
    (("laplacian-2d", "64x64", {}, "z", "strong", 4, 0), round(19.3 * 4096), None, 23),
    (("laplacian-2d", "64x64", {}, "natural", "strong", 32, 1), round(66.0 * 4096), None, 104),
    (("laplacian-2d", "64x64", {}, "natural", "weak", 32, 4), round(42.5 * 4096), None, 75),
]
# Points, leaf, pattern: parameters at r = 1, 2, 4, 8, 16.
COUNTS = [
    ([256], 3, "strong", [15900, 16496, 17856, 21248, 30720]),
    ([256], 3, "weak", [8735, 9340, 10736, 14272, 24320]),
    ([256], 3, "blog", [15900, 16496, 17856, 21248, 30720]),
    ([4096], 7, "strong", [270168, 280928, 307584, 381440, 611328]),
    ([4096], 7, "weak", [139895, 149980, 173936, 236992, 423680]),
    ([4096], 7, "blog", [269936, 280000, 303872, 366592, 551936]),
]


def covered(structure):
    """Returns how often each block of leaves of the lower triangle is covered."""
    times = np.zeros((structure.leaves, structure.leaves), int)
    for leaf, near in enumerate(structure.near):
        times[leaf, [leaf] + near] += 1
    for level, boxes in enumerate(structure.far):
        width = structure.arity ** (structure.levels - level)
        for box, sources in enumerate(boxes):
            for source in sources:
                times[box * width : (box + 1) * width, source * width : (source + 1) * width] += 1
    return times


def main():
    failures = 0

    def expect(what, holds):
        nonlocal failures
        failures += not holds
        print(what + ("" if holds else "  WRONG"), flush=True)

    for shape, levels, pattern, counts in COUNTS:
        found = [factors.Structure(shape, levels, pattern, [r]).parameter_count() for r in (1, 2, 4, 8, 16)]
        expect(f"{shape} {pattern}: {found} parameters", found == counts)
    for shape, levels in (([256], 3), ([16, 16], 2), ([9, 13], 2), ([64, 64], 4), ([9, 8, 8], 2)):
        for pattern in ("weak", "strong"):
            times = covered(factors.Structure(shape, levels, pattern, [1]))
            once = np.array_equal(times, np.tril(np.ones_like(times)))
            expect(f"{shape} {pattern}: every block of the triangle once", once)
    for n, levels, more, most in ((256, 3, 6, 3), (4096, 7, 2016, 7)):
        times = covered(factors.Structure([n], levels, "blog", [1]))
        never = (times == 0)[np.tril_indices(len(times))].sum()
        found = int((times > 1).sum()), int(times.max()), int(never)
        expect(f"{n} blog: {found[0]} blocks more than once, up to {found[1]} times, {found[2]} never",
               found == (more, most, 0))
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "checkpoint-1.h5"
        for (name, points, options, order, pattern, leaf, channels), count, error, iterations in KNOWN:
            shape = matrices.shape_of(points)
            a = matrices.dense(matrices.build(name, shape, **options))
            grid = [len(a)] if order == "natural" else shape
            levels = factors.levels_of(grid, {"levels": None, "leaf": leaf})
            structure = factors.Structure(grid, levels, pattern, [channels])
            exact = exact_factors(a[np.ix_(structure.order, structure.order)], structure)
            forms = ["product", "inverse"] if pattern == "weak" and error == 0 else ["product"]
            for form in forms:
                wanted = exact if form == "product" else [np.linalg.inv(matrix) for matrix in exact]
                weights = {}
                for prefix, matrix in zip(("", "upper."), wanted):
                    cut = truncate(structure, matrix)
                    if pattern == "blog":
                        # Other bridges would add to blocks that are covered already.
                        cut = {key: value if key in ("diagonal", "near") else 0 * value for key, value in cut.items()}
                    weights |= {prefix + key: value for key, value in cut.items()}
                factors_part = {"pattern": pattern, "order": order, "levels": levels, "channels": channels}
                write(path, weights, {
                    "configuration": {
                        "matrix": {"matrix": name, "points": shape_of(points), "options": options},
                        "factors": factors_part},
                    "form": form, "is_symmetric": len(exact) == 1, "unknowns": len(a)})
                read = factors.Factors(factors.newest(directory))
                found = read.report(a, 0)
                # Weak factors are closed under inversion: their inverses are exact too, to their conditions.
                small = 1e-12 if form == "product" else 1e-5
                holds = abs(read.parameters / len(exact) - count) <= (0 if count < 18000 else 0.05 * len(a))
                holds &= error is None or (found[0] <= small if error == 0 else abs(found[0] / error - 1) < 0.06)
                # Right-hand sides differ.
                holds &= found[2] is not None
                holds &= iterations is None or abs(found[2] - iterations) <= 1 + iterations // 20
                expect(f"{name} {points} {options or ''} {order} {pattern} leaf {leaf} r {channels} {form}: "
                       f"{read.parameters} parameters, error {found[0]:.3g}, {found[2]} {found[1]}", holds)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
