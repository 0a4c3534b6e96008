#!/usr/bin/env python3
"""The table of the paper of learned LU factors, with its numbers and ours (needs numpy and scipy).

Usage: factors_table.py jobs/factors-table.json --matrices DIRECTORY         writes the paper's matrices, and prints for
                                                                            each run its name and options of factor,
                                                                            in a line with tabs between the words
       factors_table.py jobs/factors-table.json --summaries DIRECTORY [--out FILE.md] [--title LINE]
                                                                            prints the table

The matrices are those of the paper's program: all but the Laplacian are divided by their largest entry. A run NAME
left NAME.json, the summary of `h2nn-dist factor`, or NAME.failed, a line that says why it did not.
"""

import argparse
import json
import os
import pathlib
import sys

import numpy as np
import scipy.io
import scipy.sparse as sp

import matrices

# Condition numbers of the paper's program in double precision, by which its matrices were recognized.
CONDITIONS = {
    "laplacian-1d": 26768, "convection-diffusion-1d": 391150, "convection-diffusion-2d": 84.5, "biharmonic-1d": 6.94e8,
    "biharmonic-2d": 1.36e4, "rbf": 1.12e6}

WHY = """\
Of the paper's columns only the first can be compared. It is the absolute norm ‖A − L U‖₂ there; here it is divided by
that of A, for all. Its e_x and e_b, in parentheses, cannot: its test does not solve A x = b. It takes a random x, lets
the trained network compute b̂ = L U x, and solves with the same L and U, in single precision. So these errors are those
of rounding in triangular solves with L and U, however far L U is from A. And they are Frobenius norms over 1000
samples, not means. What A − L U does to a genuine solution is its relative norm times the condition number κ of A: as
long as that is below 1, it bounds the relative error, nearly; above, no digit need be right. Ours are of A x = b with
b = A x, in double precision, and so is LAPACK beside them; the paper's LAPACK is in single precision. The paper's
parameters are counted from its program."""

COLUMNS = """\
n = 256; leaves of 32 unknowns in one dimension, with the paper's bridges and blocks of full size, of 4 × 4 in two.
Iterations: of conjugate gradients or GMRES with the factors, to 1e-8. –: not in the paper's text, or not reached."""


def paper_matrix(name, points):
    """Returns a matrix as the paper's program makes it."""
    shape = matrices.shape_of(points)
    n = shape[0]
    if name == "laplacian-1d":
        return matrices.build(name, shape)
    if name == "convection-diffusion-2d":
        # Diffusion 0.1, flow along the index that runs fastest, no rows for the boundary.
        h = 1 / (n - 1)
        upwind = matrices.bands(n, before=-1.0, centre=1.0)
        matrix = 0.1 / h**2 * matrices.laplacian(shape) + 1 / h * sp.kron(sp.identity(n), upwind)
    elif name == "biharmonic-1d":
        # The square of second differences with identity rows at the boundary.
        second = sp.lil_matrix(matrices.laplacian(shape))
        for boundary in (0, n - 1):
            second[boundary, :] = 0
            second[boundary, boundary] = 1
        matrix = second.T @ second
    elif name == "biharmonic-2d":
        matrix = matrices.build(name, shape) + 1e-6 * sp.identity(n * n)
    elif name == "rbf":
        matrix = matrices.build(name, shape, length=0.2, nugget=1e-4)
    else:
        matrix = matrices.build(name, shape)
    return matrix / np.abs(matrices.dense(matrix)).max()


def checked_matrix(name, points):
    matrix = paper_matrix(name, points)
    condition = np.linalg.cond(matrices.dense(matrix))
    if abs(condition / CONDITIONS[name] - 1) > 0.01:
        sys.exit(f"{name}: the condition number is {condition:.4g}, that of the paper's program {CONDITIONS[name]:.4g}")
    return matrix


def runs(data, operator):
    """Returns name, text and options of our runs for an operator, those of one training of the paper together."""
    prefix = f"{operator['matrix']}-{operator['points']}"
    for paper in operator["paper"]:
        training = data["trainings"][paper["training"]]
        yield paper, training["text"], [
            (f"{prefix}.{paper['training']}.{refine}", f"{training['text']}, {optimizer}",
             f"--start random --refine {refine} --loss frobenius {training['options']}")
            for refine, optimizer in data["optimizers"].items()]
    yield None, "", [(f"{prefix}.{name}", item["text"], item["options"]) for name, item in data["classical"].items()]


def prepare(data, directory):
    for operator in data["operators"]:
        path = pathlib.Path(directory) / f"{operator['matrix']}-{operator['points']}.mtx"
        scipy.io.mmwrite(path, sp.coo_matrix(checked_matrix(operator["matrix"], operator["points"])), precision=17)
        for _, _, group in runs(data, operator):
            for name, _, options in group:
                words = f"--points {operator['points']} --order {operator['order']} {operator['structure']} {options}"
                print(name, "--matrix", path, *words.split(), sep="\t")


def number(value, form=".2e"):
    return "–" if value is None else f"{value:{form}}"


def our_row(directory, name, text, condition):
    """Returns the row of a run."""
    path = pathlib.Path(directory) / f"{name}.json"
    failed = path.with_suffix(".failed")
    if failed.exists():
        return f"| ours, {text} | failed: {' '.join(failed.read_text().split())} | | | | | | | |"
    if not path.exists():
        return f"| ours, {text} | not run | | | | | | | |"
    s = json.loads(path.read_text())
    spectral = s["relative_spectral"]
    return (f"| ours, {text} | {s['parameters']} | {number(spectral)} "
            f"| {number(None if spectral is None else spectral * condition, '.1e')} "
            f"| {number(s['solution_error'])} | {number(s['backward_error'])} | {number(s['lapack_solution_error'])} "
            f"| {number(s['lapack_backward_error'])} | {number(s['iterations'], '')} |")


def table(data, directory, title, write):
    write("# Learned LU: the paper's table")
    write("")
    if title:
        write(title)
        write("")
    write(WHY)
    write("")
    write(COLUMNS)
    for operator in data["operators"]:
        matrix = matrices.dense(checked_matrix(operator["matrix"], operator["points"]))
        singular = np.linalg.svd(matrix, compute_uv=False)
        condition = singular[0] / singular[-1]
        write("")
        write(f"## {operator['name']}, condition {condition:.3g}")
        write("")
        write("| | parameters | ‖A − L U‖₂ / ‖A‖₂ | × κ | e_x | e_b | LAPACK e_x | LAPACK e_b | iterations |")
        write("|---|---|---|---|---|---|---|---|---|")
        lapack = operator["lapack"]
        for paper, text, group in runs(data, operator):
            if paper:
                relative = paper["operator_error"] / singular[0]
                write(f"| **paper**, {text} | {number(operator['paper_parameters'], '')} | {number(relative)} "
                      f"| {relative * condition:.1e} | ({number(paper['solution_error'], '.3g')}) "
                      f"| ({number(paper['backward_error'])}) | ({number(lapack['solution_error'], '.3g')}) "
                      f"| ({number(lapack['backward_error'])}) | |")
            for name, ours, _ in group:
                write(our_row(directory, name, ours, condition))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--matrices")
    parser.add_argument("--summaries")
    parser.add_argument("--title")
    parser.add_argument("--out")
    arguments = parser.parse_args()
    data = json.loads(pathlib.Path(arguments.data).read_text())
    if arguments.matrices:
        prepare(data, arguments.matrices)
        return 0
    if not arguments.summaries:
        parser.error("--matrices or --summaries is needed")
    lines = []
    table(data, arguments.summaries, arguments.title, lines.append)
    print("\n".join(lines))
    if arguments.out:
        # Whole or not at all.
        out = pathlib.Path(arguments.out)
        part = out.with_name(f"{out.name}.{os.getpid()}.writing")
        part.write_text("\n".join(lines) + "\n")
        os.replace(part, out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
