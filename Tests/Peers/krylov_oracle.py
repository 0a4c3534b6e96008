"""Numbers of iterations of scipy for the systems of Tests/KrylovChecks, as KrylovMethodsTests expects them.

Usage: python3 krylov_oracle.py (needs numpy and scipy)
"""

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as sla


def line(n):
    return sp.diags([-np.ones(n - 1), 2 * np.ones(n), -np.ones(n - 1)], [-1, 0, 1], format="csr")


def scaled(matrix):
    d = sp.diags(1 + (np.arange(matrix.shape[0]) % 7) / 4)
    return (d @ matrix @ d).tocsr()


def convection(n, x, y):
    """Central differences on an n × n grid; the first coordinate runs slowest."""
    def along(c):
        return sp.diags([-(1 + c) * np.ones(n - 1), 2 * np.ones(n), -(1 - c) * np.ones(n - 1)], [-1, 0, 1])
    one = sp.identity(n)
    return (sp.kron(along(x), one) + sp.kron(one, along(y))).tocsr()


def right(n, c):
    i = np.arange(n)
    return ((i * 7919 + c * 104729) % 1009) / 504 - 1


def blocks(matrix, size):
    dense = matrix.toarray()
    inverse = np.zeros_like(dense)
    for s in range(0, len(dense), size):
        e = min(s + size, len(dense))
        inverse[s:e, s:e] = np.linalg.inv(dense[s:e, s:e])
    return sp.csr_matrix(inverse)


def gmres(matrix, b, tolerance, restart):
    norms = []
    sla.gmres(matrix, b, rtol=tolerance, restart=restart, maxiter=40, callback=norms.append, callback_type="pr_norm")
    return next(k for k, norm in enumerate(norms, 1) if norm <= tolerance)


systems = {
    "line": scaled(line(60)), "plane": scaled(convection(13, 0, 0)), "flow": scaled(convection(13, 0.4, 0.7))}
for name, a in systems.items():
    n = a.shape[0]
    for kind, m in [("none", sp.identity(n)), ("jacobi", sp.diags(1 / a.diagonal())), ("blocks", blocks(a, 8))]:
        for method in (["gmres", "gmres10"] if name == "flow" else ["cg", "gmres"]):
            counts = []
            for c in range(2):
                b = right(n, c)
                if method == "cg":
                    steps = []
                    sla.cg(a, b, rtol=1e-8, M=m, callback=lambda x: steps.append(1))
                    counts.append(len(steps))
                else:
                    counts.append(gmres((a @ m).tocsr(), b, 1e-8, 10 if method == "gmres10" else n))
            print(name, kind, method, *counts)
