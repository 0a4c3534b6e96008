#!/usr/bin/env python3
"""Compares preconditioners of scipy, pyamg and PETSc with learned factors (needs numpy, scipy; h5py with --inputs).

Usage: preconditioners.py [--only TEXT] [--ours DIRECTORY] [--rounds 3] [--out FILE.md]
       preconditioners.py --inputs DIRECTORY     writes NAME-POINTS.rhs.h5, the right-hand sides, and stops

Prints a table in Markdown. Iterations are counted to a relative residual of 1e-8 in the 2-norm with a standard normal
right-hand side: of conjugate gradients for symmetric positive definite matrices and preconditioners, else of GMRES
without restarts and preconditioned from the right. Seconds are medians over rounds, in one thread. Bytes are those
of the preconditioner alone: 8 a number, 4 an index. Peers that cannot be imported are left out, and named. PETSc
keeps its Python package in a directory of its own: Debian's is found by itself.

--ours names a directory of summaries, three files for each row: ROW.factor.json and ROW.solve.json as
`h2nn-dist factor` and `solve` write them with --summary, and ROW.seconds, the seconds that factor took; or
ROW.failed, with the reason. ROW is NAME-POINTS.LABEL, with _ for spaces in LABEL.
"""

import argparse
import ctypes
import glob
import importlib
import json
import math
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
import scipy
import scipy.sparse as sp
import scipy.sparse.linalg as sla

import krylov
import matrices

PROBLEMS = [
    ("laplacian-2d", "64x64"),
    ("laplacian-2d", "256x256"),
    ("biharmonic-2d", "64x64"),
    ("convection-diffusion-2d", "64x64"),
    ("rbf", "1024"),
]
LIMITS = {"cg": 5000, "gmres": 1000}
TOLERANCE = 1e-8
# SuperLU is at its best here with symmetric orders and pivots on the diagonal.
SYMMETRIC = {"permc_spec": "MMD_AT_PLUS_A", "diag_pivot_thresh": 0.0, "options": {"SymmetricMode": True}}

COLUMNS = """\
Iterations to a relative residual of 1e-8 with one standard normal right-hand side: conjugate gradients (cg),
or GMRES without restarts and preconditioned from the right. The residual is the true one at the end. Seconds
are medians of {rounds} rounds. Numbers: bytes of the preconditioner over 8, for each unknown."""


def right_hand_side(name, points):
    return np.random.default_rng(0).standard_normal(math.prod(matrices.shape_of(points)))


def csr_bytes(numbers, rows):
    """Returns the bytes of a matrix in compressed rows."""
    return 12 * int(numbers) + 4 * (rows + 1)


def load(name):
    """Imports a package; None if it is not there."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def load_petsc():
    package = load("petsc4py")
    if package is None:
        sys.path += glob.glob("/usr/lib/petscdir/petsc*/*-real/lib/python3/dist-packages")
        package = load("petsc4py")
    return package and load("petsc4py.PETSc")


class Peer:
    """A preconditioner with a Krylov method: `prepare` makes it, `solve` returns solution and iterations."""

    def __init__(self, label, prepare, method=None):
        self.label, self.prepare, self.method = label, prepare, method

    def measure(self, matrix, b, method, rounds):
        """Returns the row of a table."""
        method = self.method or method
        setups, solves = [], []
        for _ in range(rounds):
            start = time.perf_counter()
            solve, size = self.prepare(matrix, method)
            setups.append(time.perf_counter() - start)
            start = time.perf_counter()
            x, iterations = solve(b)
            solves.append(time.perf_counter() - start)
        residual = np.linalg.norm(b - matrix @ x) / np.linalg.norm(b)
        return {"label": self.label, "method": method, "iterations": iterations, "residual": residual,
                "setup": statistics.median(setups), "solve": statistics.median(solves),
                "bytes": size() if callable(size) else size}


def with_krylov(matrix, method, precondition):
    function = krylov.conjugate_gradients if method == "cg" else krylov.gmres
    return lambda b: function(matrix, b, precondition, TOLERANCE, LIMITS[method])


def plain(matrix, method):
    return with_krylov(matrix, method, lambda r: r), 0


def direct(matrix, method):
    factor = sla.splu(sp.csc_matrix(matrix), **SYMMETRIC)
    return lambda b: (factor.solve(b), "direct"), superlu_bytes(factor)


def superlu_bytes(factor):
    rows = factor.shape[0]
    return csr_bytes(factor.L.nnz, rows) + csr_bytes(factor.U.nnz, rows) + 8 * rows


def incomplete(drop):
    def prepare(matrix, method):
        # No bound on the fill but the threshold.
        factor = sla.spilu(sp.csc_matrix(matrix), drop_tol=drop, fill_factor=50, **SYMMETRIC)
        return with_krylov(matrix, method, factor.solve), lambda: superlu_bytes(factor)

    return prepare


def multigrid(make):
    def prepare(matrix, method):
        kind = "symmetric" if method == "cg" else "nonsymmetric"
        np.random.seed(0)  # Estimates of eigenvalues start at random.
        hierarchy = make(sp.csr_matrix(matrix), kind)
        cycle = hierarchy.aspreconditioner(cycle="V")

        def size():
            kept = [level.A for level in hierarchy.levels[1:]]
            kept += [getattr(level, name) for level in hierarchy.levels[:-1] for name in ("P", "R")]
            # The coarsest matrix is inverted densely.
            return sum(csr_bytes(m.nnz, m.shape[0]) for m in kept) + 8 * hierarchy.levels[-1].A.shape[0] ** 2

        return with_krylov(matrix, method, cycle.matvec), size

    return prepare


def petsc_peer(PETSc, kind, options=(), levels=None):
    """Returns `prepare` of a preconditioner of PETSc, with PETSc's own Krylov method."""

    def prepare(matrix, method):
        m = sp.csr_matrix(matrix)
        a = PETSc.Mat().createAIJ(m.shape, csr=(m.indptr, m.indices, m.data), comm=PETSc.COMM_SELF)
        a.setOption(PETSc.Mat.Option.SPD, method == "cg")
        ksp = PETSc.KSP().create(PETSc.COMM_SELF)
        ksp.setOperators(a)
        ksp.setType(method)
        ksp.setTolerances(rtol=TOLERANCE, atol=0, divtol=1e30, max_it=LIMITS[method])
        if method == "gmres":
            ksp.setPCSide(PETSc.PC.Side.RIGHT)
            ksp.setGMRESRestart(LIMITS[method])
        ksp.setNormType(PETSc.KSP.NormType.UNPRECONDITIONED)
        pc = ksp.getPC()
        pc.setType(kind)
        if levels is not None:
            pc.setFactorLevels(levels)
        for key, value in options:
            PETSc.Options().setValue(key, value)
        pc.setFromOptions()
        for key, _ in options:
            PETSc.Options().delValue(key)
        ksp.setUp()
        pc.setUp()

        def solve(b):
            right, x = a.createVecRight(), a.createVecLeft()
            right.setArray(b)
            ksp.solve(right, x)
            reason = ksp.getConvergedReason()
            reached = ksp.getIterationNumber() if reason > 0 else None
            if reason < 0 and reason != PETSc.KSP.ConvergedReason.DIVERGED_MAX_IT:
                reached = f"stopped ({reason_name(PETSc, reason)})"
            return x.getArray().copy(), reached

        def size():
            if kind != "hypre":
                return petsc_bytes(pc, kind)
            return hypre_bytes(PETSc, matrix, method, options)

        return solve, size

    return prepare


def hypre_bytes(PETSc, matrix, method, options):
    """Returns the bytes of a hierarchy of hypre, from the statistics that it prints; None if it does not."""
    more = [*options, ("pc_hypre_boomeramg_print_statistics", "1")]
    libc = ctypes.CDLL(None)
    sys.stdout.flush()
    libc.fflush(None)
    kept = os.dup(1)
    with tempfile.TemporaryFile() as file:
        try:
            os.dup2(file.fileno(), 1)
            petsc_peer(PETSc, "hypre", more)(matrix, method)
        finally:
            libc.fflush(None)
            os.dup2(kept, 1)
            os.close(kept)
        file.seek(0)
        text = file.read().decode(errors="replace")
    # The entries of all operators and interpolations over those of the matrix, and all rows over its rows.
    memory, grid = (re.search(rf"\b{name} = ([0-9.]+)", text) for name in ("memory", "grid"))
    if not (memory and grid):
        return None
    rows = matrix.shape[0]
    entries = (float(memory[1]) - 1) * sp.csr_matrix(matrix).nnz
    return csr_bytes(entries, round((2 * float(grid[1]) - 1) * rows))


def reason_name(PETSc, reason):
    names = vars(PETSc.KSP.ConvergedReason)
    return next((name.lower().replace("_", " ") for name, value in names.items() if value == reason), str(reason))


def petsc_bytes(pc, kind):
    """Returns the bytes of a preconditioner of PETSc; None where it does not say."""

    def size(mat):
        return csr_bytes(mat.getInfo()["nz_used"], mat.getSize()[0])

    if kind in ("icc", "ilu"):
        return size(pc.getFactorMatrix() if hasattr(pc, "getFactorMatrix") else pc.getFactorMat())
    if kind == "gamg":
        levels = pc.getMGLevels()
        coarse = [pc.getMGSmoother(level).getOperators()[0] for level in range(levels - 1)]
        return sum(map(size, coarse + [pc.getMGInterpolation(level) for level in range(1, levels)]))
    return None


def peers(method):
    """Returns the peers for a method, and the packages that are missing."""
    found = [Peer("none", plain), Peer("scipy SuperLU, complete", direct, "direct")]
    for drop in (1e-2, 1e-4):
        # What it drops makes it nonsymmetric.
        found.append(Peer(f"scipy spilu, drop {drop:g}", incomplete(drop), "gmres"))
    missing = []
    if pyamg := load("pyamg"):
        found += [
            Peer("pyamg smoothed aggregation", multigrid(
                lambda a, kind: pyamg.smoothed_aggregation_solver(a, symmetry=kind))),
            Peer("pyamg Ruge-Stüben", multigrid(lambda a, kind: pyamg.ruge_stuben_solver(a)))]
    else:
        missing.append("pyamg")
    if petsc := load_petsc():
        name, kind = ("ICC", "icc") if method == "cg" else ("ILU", "ilu")
        # In the natural order its shifts ruin it on biharmonic operators.
        order = [("pc_factor_mat_ordering_type", "rcm")]
        found += [Peer(f"PETSc {name}({levels}), RCM", petsc_peer(petsc, kind, order, levels)) for levels in (0, 2)]
        found.append(Peer("PETSc GAMG", petsc_peer(petsc, "gamg")))
        if has_hypre(petsc):
            found.append(Peer("hypre BoomerAMG", petsc_peer(petsc, "hypre", [("pc_hypre_type", "boomeramg")])))
        else:
            missing.append("hypre")
    else:
        missing.append("petsc4py")
    return found, missing


def has_hypre(PETSc):
    try:
        PETSc.PC().create(PETSc.COMM_SELF).setType("hypre")
        return True
    except PETSc.Error:
        return False


def versions():
    """Returns the line that says what ran where."""
    processor = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        names = re.findall(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
        processor = names[0] if names else processor
    parts = [f"Python {platform.python_version()}", f"numpy {np.__version__}", f"scipy {scipy.__version__}"]
    if pyamg := load("pyamg"):
        parts.append(f"pyamg {pyamg.__version__}")
    if petsc := load_petsc():
        parts.append("PETSc " + ".".join(map(str, petsc.Sys.getVersion())))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    machine = f"one of {os.cpu_count()} cores, with a load of {os.getloadavg()[0]:.1f} at the start"
    return f"{processor}, {machine}; {', '.join(parts)}; commit {commit or 'unknown'}."


def ours(directory, key):
    """Returns the rows of our program for a problem; a text in place of a row for what failed."""
    rows = []
    for path in sorted(pathlib.Path(directory).glob(f"{glob.escape(key)}.*")):
        stem, _, kind = path.name.rpartition(".")
        label = f"**h2nn-dist** {stem.removesuffix('.solve').removeprefix(key + '.').replace('_', ' ')}"
        if kind == "failed":
            rows.append(f"| {label} | | failed: {' '.join(path.read_text().split())} | | | | | |")
        if not path.name.endswith(".solve.json"):
            continue
        stem = stem.removesuffix(".solve")
        solved = json.loads(path.read_text())
        factor = json.loads(path.with_name(f"{stem}.factor.json").read_text())
        seconds = float(path.with_name(f"{stem}.seconds").read_text())
        rows.append({
            "label": f"{label} ({factor['parameters_per_unknown']:.1f} parameters per unknown)",
            "method": solved.get("method") or ("gmres" if key.startswith("convection") else "cg"),
            "iterations": solved["iterations"], "residual": solved["relative_residual"],
            "setup": seconds + solved["seconds_setup"], "solve": solved["seconds_solve"], "bytes": solved["bytes"]})
    return rows


def print_row(row, unknowns, write):
    if isinstance(row, str):
        return write(row)
    iterations = row["iterations"] if row["iterations"] is not None else f"> {LIMITS[row['method']]}"
    size = "–" if row["bytes"] is None else f"{row['bytes'] / 1e6:.2f}"
    each = "–" if row["bytes"] is None else f"{row['bytes'] / 8 / unknowns:.1f}"
    write(f"| {row['label']} | {row['method']} | {iterations} | {row['residual']:.1e} | {row['setup']:.3f} "
          f"| {row['solve']:.3f} | {size} | {each} |")


def write_inputs(directory):
    import h5py

    for name, points in PROBLEMS:
        with h5py.File(pathlib.Path(directory) / f"{name}-{points}.rhs.h5", "w") as file:
            file["rhs"] = right_hand_side(name, points)


def table(arguments, write):
    directory = arguments.ours
    missing = peers("cg")[1]
    write("# Preconditioners of other packages" + (" and learned factors" if directory else ""))
    write("")
    write(versions())
    write("")
    write(COLUMNS.format(rounds=arguments.rounds))
    write("ICC of a matrix of which all entries are stored is complete.")
    if directory:
        write("Set-up of h2nn-dist is the whole of `factor`, with its training, and what `solve` prepares.")
    else:
        write("**Without rows of h2nn-dist**: these are the peers alone.")
    if missing:
        write(f"Not installed, so not here: {', '.join(missing)}.")
    for name, points in PROBLEMS:
        if arguments.only and arguments.only not in f"{name}-{points}":
            continue
        matrix = matrices.build(name, matrices.shape_of(points))
        b = right_hand_side(name, points)
        method = "cg" if matrices.is_symmetric(matrix) else "gmres"
        write("")
        write(f"## {name}, {points.replace('x', ' × ')}")
        write("")
        write("| preconditioner | method | iterations | residual | set-up s | solve s | MB | numbers |")
        write("|---|---|---|---|---|---|---|---|")
        for row in ours(directory, f"{name}-{points}") if directory else []:
            print_row(row, len(b), write)
        for peer in peers(method)[0]:
            try:
                print_row(peer.measure(matrix, b, method, arguments.rounds), len(b), write)
            except (RuntimeError, ValueError, MemoryError, np.linalg.LinAlgError) as error:
                # PETSc's errors are RuntimeErrors too.
                reason = " ".join(str(error).split())[:80]
                write(f"| {peer.label} | {peer.method or method} | failed: {reason} | | | | | |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="the problems whose names contain this")
    parser.add_argument("--ours")
    parser.add_argument("--inputs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out")
    arguments = parser.parse_args()
    if arguments.inputs:
        write_inputs(arguments.inputs)
        return 0
    warnings.simplefilter("ignore")
    lines = []

    def write(line):
        lines.append(line)
        print(line, flush=True)

    table(arguments, write)
    if arguments.out:
        # Whole or not at all.
        out = pathlib.Path(arguments.out)
        with tempfile.NamedTemporaryFile("w", dir=out.parent, delete=False) as file:
            file.write("\n".join(lines) + "\n")
        os.chmod(file.name, 0o644)
        os.replace(file.name, out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
