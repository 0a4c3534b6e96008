"""Numbers of iterations of scipy for the systems of Tests/KrylovChecks, as KrylovMethodsTests and PreconditionersTests
expect them.

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


def upwind(n, diffusion, convection):
    """-diffusion Laplacian + convection (u_x + u_y), times h^2, h = 1/(n + 1); see ModelMatrix."""
    c = convection / (n + 1)
    along = sp.diags([-(diffusion + c) * np.ones(n - 1), (2 * diffusion + c) * np.ones(n), -diffusion * np.ones(n - 1)],
                     [-1, 0, 1])
    one = sp.identity(n)
    return (sp.kron(along, one) + sp.kron(one, along)).tocsr()


def incomplete(matrix):
    """The inverse of L U without fill, L and U by the textbook."""
    a, n = matrix.toarray(), matrix.shape[0]
    entries = a != 0
    for i in range(n):
        for k in np.nonzero(entries[i, :i])[0]:
            a[i, k] /= a[k, k]
            behind = entries[i] & (np.arange(n) > k)
            a[i, behind] -= a[i, k] * a[k, behind]
    return np.linalg.inv((np.tril(a, -1) + np.identity(n)) @ np.triu(a))


for name, n, a in [("laplacian-2d", 16, convection(16, 0, 0)), ("laplacian-2d", 32, convection(32, 0, 0)),
                   ("convection-diffusion-2d", 16, upwind(16, 1, 50))]:
    b = right(n * n, 0)
    for kind, m in [("none", np.identity(n * n)), ("jacobi", np.diag(1 / a.diagonal())),
                    ("blocks", blocks(a, 8).toarray()), ("ilu", incomplete(a))]:
        steps = []
        if name == "laplacian-2d":
            sla.cg(a, b, rtol=1e-8, M=m, callback=lambda x: steps.append(1))
            print(name, n, kind, len(steps))
        else:
            print(name, n, kind, gmres(a @ m, b, 1e-8, n * n))
