#!/usr/bin/env python3
"""Evaluates learned triangular factors with numpy, from the file's layout alone (needs numpy, scipy, h5py).

Usage: factors.py CHECKPOINT.h5|DIRECTORY [--matrix NAME|FILE.mtx] [--points 16x16] [--seed 0] [--save FILE.npz]

Builds L and U densely and prints |A - L U| / |A| in the Frobenius norm, and the iterations of a Krylov method to
a relative residual of 1e-8 with a standard normal right-hand side: of conjugate gradients if U is the transpose
of L, else of GMRES without restarts and preconditioned from the right. The matrix is that of the file unless it is
named here. A directory stands for its newest checkpoint. --save writes L, U and the order of the unknowns.

The layout: a checkpoint as checkpoint.py describes it, whose configuration is read in `settings` below, with the
parameters of the factor in /parameters/SLICE/weights. Unknowns stand in the order of the leaves of a uniform
tree of 2^d children a box: over the points of the grid, with boxes in Z-order (order z), or over the numbers of the
unknowns (order natural). A slice has one matrix for each of its rows, [outputs][inputs]; the inputs of a row are
those of its sources, in ascending order:

    diagonal             leaf i                 i                   L_ii
    near                 leaf i                 the leaves j < i of the near list     L_ij
    restriction.leaf     leaf j                 j                   the transpose of V_j
    restriction.l        box of level l         its children        the transposed transfers of V
    bridge.l             box a of level l       the boxes b < a of the far list       S_ab
    interpolation.l      box of level l + 1     its parent          the transfer of U
    interpolation.leaf   leaf i                 i                   U_i

    L is the sum of its dense blocks and of U_a S_ab V_b^T over all bridges; the basis of a box is that of its
    children times the transfers. Slices of the transpose of U have `upper.` before their names; without them U is
    the transpose of L. In the form `inverse` the factors are those of the inverse matrix: A^-1 = U^-1 L^-1.
"""

import argparse
import json
import math
import pathlib
import re
import sys

import h5py
import numpy as np
import scipy.io
import scipy.linalg as la

import krylov
import matrices
from checkpoint import describe


def settings(description):
    """Returns what the configuration of a checkpoint says about its factor; the only place that knows its keys."""
    configuration = description.get("configuration", {})
    if "factors" not in configuration:
        sys.exit("the configuration has no factors: it is that of a network")
    matrix, factors = configuration["matrix"], configuration["factors"]
    levels, channels = factors["levels"], factors["channels"]
    coarse = factors.get("coarseChannels") or [channels]
    return {
        "pattern": factors["pattern"], "order": factors["order"],
        "points": matrix.get("points") or [description["unknowns"]],
        "levels": levels, "leaf": None,
        "channels": [
            channels if level == levels else coarse[min(levels - 1 - level, len(coarse) - 1)]
            for level in range(levels + 1)],
        "form": description["form"], "is_symmetric": description["is_symmetric"],
        "matrix": matrix["matrix"], "options": matrix["options"]}


class Structure:
    """The tree and the lists of blocks below the diagonal."""

    def __init__(self, shape, levels, pattern, channels):
        self.shape, self.levels, self.pattern = list(shape), levels, pattern
        self.dimension = len(self.shape)
        self.arity = 2**self.dimension
        self.channels = list(channels) * (levels + 1 if len(channels) == 1 else 1)
        self.leaves = self.arity**levels
        # The unknowns of each leaf: numbers of points in row-major order.
        numbers = np.arange(math.prod(self.shape)).reshape(self.shape)
        parts = []
        for leaf in range(self.leaves):
            cell = self.cell(levels, leaf)
            parts.append(numbers[tuple(
                slice(c * n >> levels, (c + 1) * n >> levels) for c, n in zip(cell, self.shape))].ravel())
        self.order = np.concatenate(parts)
        self.sizes = [len(part) for part in parts]
        self.starts = np.concatenate([[0], np.cumsum(self.sizes)])
        self.near, self.far = self.lists()
        self.coarsest = next((level for level in range(levels + 1) if any(self.far[level])), None)
        if not any(self.channels):
            self.coarsest = None

    def cell(self, level, box):
        """The coordinates of a box: the bit of the first dimension stands first among those of a level."""
        result = [0] * self.dimension
        for bit in range(level * self.dimension):
            value = box >> (level * self.dimension - 1 - bit) & 1
            axis = bit % self.dimension
            result[axis] = result[axis] << 1 | value
        return result

    def lists(self):
        """Returns for each leaf its near boxes, and for each level and box its far boxes."""
        none = [[[] for _ in range(self.arity**level)] for level in range(self.levels + 1)]
        if self.pattern == "weak":
            far = [[list(range(box - box % self.arity, box)) if level else [] for box in range(len(boxes))]
                   for level, boxes in enumerate(none)]
            return none[self.levels], far
        if self.pattern == "blog":
            before = [[[box - 1] if box else [] for box in range(len(boxes))] for boxes in none]
            return before[self.levels], [
                before[level] if 0 < level < self.levels else none[level] for level in range(self.levels + 1)]
        if self.pattern != "strong":
            sys.exit(f"no pattern {self.pattern}")
        # Boxes whose cells touch are neighbours; far are the children of the parent's neighbours that do not touch.
        far, touching = [[[]]], [[0]]
        for level in range(1, self.levels + 1):
            cells = [self.cell(level, box) for box in range(self.arity**level)]
            lists, now = [], []
            for box, cell in enumerate(cells):
                candidates = [parent * self.arity + child for parent in touching[box // self.arity]
                              for child in range(self.arity)]
                near = {b for b in candidates if max(abs(p - q) for p, q in zip(cell, cells[b])) <= 1}
                now.append(sorted(near))
                lists.append(sorted(b for b in candidates if b not in near and b < box))
            far.append(lists)
            touching = now
        return [[b for b in boxes if b < box] for box, boxes in enumerate(touching)], far

    def slices(self):
        """Returns for each slice the sources of its rows, and the sizes of rows and of sources."""
        own = [[leaf] for leaf in range(self.leaves)]
        result = {"diagonal": (own, self.sizes, self.sizes)}
        if any(self.near):
            result["near"] = (self.near, self.sizes, self.sizes)
        if self.coarsest is None:
            return result
        ranks = [[self.channels[level]] * self.arity**level for level in range(self.levels + 1)]
        result["restriction.leaf"] = (own, ranks[-1], self.sizes)
        result["interpolation.leaf"] = (own, self.sizes, ranks[-1])
        for level in range(self.coarsest, self.levels + 1):
            if any(self.far[level]):
                result[f"bridge.{level}"] = (self.far[level], ranks[level], ranks[level])
            if level == self.levels:
                break
            children = [list(range(box * self.arity, (box + 1) * self.arity)) for box in range(self.arity**level)]
            result[f"restriction.{level}"] = (children, ranks[level], ranks[level + 1])
            parents = [[box // self.arity] for box in range(self.arity ** (level + 1))]
            result[f"interpolation.{level}"] = (parents, ranks[level + 1], ranks[level])
        return result

    def parameter_count(self):
        return sum(rows_out[row] * inputs[source] for rows, rows_out, inputs in self.slices().values()
                   for row, sources in enumerate(rows) for source in sources)

    def range(self, level, box):
        """Returns the places of the unknowns of a box."""
        width = self.arity ** (self.levels - level)
        return slice(self.starts[box * width], self.starts[(box + 1) * width])

    def dense(self, weights):
        """Returns the matrix of a factor, given the weights of its slices by name."""
        blocks = {}
        for name, (rows, outputs, inputs) in self.slices().items():
            values, place = np.asarray(weights[name], float).ravel(), 0
            for row, sources in enumerate(rows):
                width = sum(inputs[source] for source in sources)
                matrix = values[place : place + outputs[row] * width].reshape(outputs[row], width)
                place += matrix.size
                columns = np.cumsum([0] + [inputs[source] for source in sources])
                for source, start, end in zip(sources, columns, columns[1:]):
                    blocks[name, row, source] = matrix[:, start:end]
            if place != values.size:
                sys.exit(f"{name} has {values.size} weights; {place} follow from the configuration")
        result = np.zeros((len(self.order), len(self.order)))
        for (name, row, source), block in blocks.items():
            if name in ("diagonal", "near"):
                result[self.range(self.levels, row), self.range(self.levels, source)] += block
        if self.coarsest is None:
            return result
        u = [blocks["interpolation.leaf", leaf, leaf] for leaf in range(self.leaves)]
        v = [blocks["restriction.leaf", leaf, leaf].T for leaf in range(self.leaves)]
        for level in range(self.levels, self.coarsest - 1, -1):
            for target, sources in enumerate(self.far[level]):
                for source in sources:
                    result[self.range(level, target), self.range(level, source)] += (
                        u[target] @ blocks[f"bridge.{level}", target, source] @ v[source].T)
            if level == self.coarsest:
                break
            above, step = range(self.arity ** (level - 1)), self.arity
            u = [np.vstack([u[c] @ blocks[f"interpolation.{level - 1}", c, box]
                            for c in range(box * step, (box + 1) * step)]) for box in above]
            v = [np.vstack([v[c] @ blocks[f"restriction.{level - 1}", box, c].T
                            for c in range(box * step, (box + 1) * step)]) for box in above]
        return result


def levels_of(shape, described):
    """Returns the number of levels; a leaf of P unknowns is one with so many, all dimensions together."""
    if described["levels"] is not None:
        return described["levels"]
    if not described["leaf"]:
        sys.exit("the configuration has neither levels nor leaf")
    count, levels = math.prod(shape), 0
    while count > described["leaf"] * 2 ** (len(shape) * levels):
        levels += 1
    return levels


class Factors:
    """L and U of a checkpoint."""

    def __init__(self, path):
        with h5py.File(path) as file:
            self.described = described = settings(describe(file))
            shape = described["points"]
            grid = [math.prod(shape)] if described["order"] == "natural" else shape
            self.structure = Structure(
                grid, levels_of(grid, described), described["pattern"], described["channels"])
            names = list(self.structure.slices())
            parameters = file["parameters"]
            self.is_symmetric = "upper.diagonal" not in parameters
            if described["is_symmetric"] not in (None, self.is_symmetric):
                sys.exit("the configuration and the slices do not agree on whether U is the transpose of L")
            prefixes = [""] if self.is_symmetric else ["", "upper."]
            if extra := set(parameters) - {prefix + name for prefix in prefixes for name in names}:
                sys.exit(f"slices that do not follow from the configuration: {', '.join(sorted(extra))}")
            for prefix in prefixes:
                self.check_sources(file, prefix)
            self.parameters = sum(slice_["weights"].size for slice_ in parameters.values())
            dense = [self.structure.dense({name: parameters[prefix + name]["weights"][:] for name in names})
                     for prefix in prefixes]
        if described["form"] == "inverse":
            dense = [np.linalg.inv(matrix) for matrix in dense]
        self.lower, self.upper = dense[0], dense[-1].T

    def check_sources(self, file, prefix):
        """Compares the lists of the file, if it has any, with those that follow from the configuration."""
        for name, (rows, _, _) in self.structure.slices().items():
            if f"network/{prefix}{name}" not in file:
                continue
            group = file[f"network/{prefix}{name}"]
            starts = np.cumsum([0] + [len(sources) for sources in rows])
            sources = np.array([source for sources in rows for source in sources])
            if not (np.array_equal(group["row_starts"][:], starts) and np.array_equal(group["sources"][:], sources)):
                sys.exit(f"/network/{prefix}{name} connects other boxes than the configuration says")

    def report(self, matrix, seed):
        """Returns the relative Frobenius error, the method, and its iterations (None: not reached)."""
        order = self.structure.order
        a = matrices.dense(matrix)[np.ix_(order, order)]
        error = np.linalg.norm(a - self.lower @ self.upper) / np.linalg.norm(a)
        b = np.random.default_rng(seed).standard_normal(len(a))
        lower, upper = la.lu_factor(self.lower), la.lu_factor(self.upper)

        def precondition(r):
            return la.lu_solve(upper, la.lu_solve(lower, r))

        spd = self.is_symmetric and matrices.is_symmetric(a)
        method = krylov.conjugate_gradients if spd else krylov.gmres
        return error, "cg" if spd else "gmres", method(a, b, precondition)[1]


def newest(path):
    """Returns the checkpoint of the largest step if the path is a directory."""
    path = pathlib.Path(path)
    if not path.is_dir():
        return path
    files = sorted(path.glob("*.h5"), key=lambda file: [int(part) for part in re.findall(r"\d+", file.name)])
    return files[-1] if files else sys.exit(f"{path} has no checkpoint")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("--matrix")
    parser.add_argument("--points")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save")
    matrices.options_of(parser)
    arguments = parser.parse_args()
    factors = Factors(newest(arguments.checkpoint))
    name = arguments.matrix or factors.described["matrix"] or parser.error("--matrix is needed")
    if name in matrices.DEFAULTS:
        shape = matrices.shape_of(arguments.points) if arguments.points else factors.described["points"]
        options = factors.described["options"] if name == factors.described["matrix"] else {}
        matrix = matrices.build(name, shape, **(options | matrices.chosen(arguments)))
    else:
        matrix = scipy.io.mmread(name)
    matrix = np.asarray(matrices.dense(matrix))
    error, method, iterations = factors.report(matrix, arguments.seed)
    print(json.dumps({
        "unknowns": len(matrix), "parameters": int(factors.parameters),
        "parameters_per_unknown": round(float(factors.parameters) / len(matrix), 2),
        "relative_frobenius": float(error), "method": method, "iterations": int(iterations)}))
    if arguments.save:
        np.savez(arguments.save, lower=factors.lower, upper=factors.upper, order=factors.structure.order)
    return 0


if __name__ == "__main__":
    sys.exit(main())
