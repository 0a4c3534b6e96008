"""Preconditioned Krylov methods in which iterations are counted alike for all peers (needs numpy).

Both stop when the norm of the residual of A x = b, as the recursion has it, is at most `tolerance` times that of
b, and return the solution and the number of iterations; None if there were `limit` of them without success.
"""

import numpy as np


def conjugate_gradients(matrix, b, precondition=lambda r: r, tolerance=1e-8, limit=5000):
    """Solves with a symmetric positive definite matrix and preconditioner."""
    x, r = np.zeros_like(b), b.copy()
    bound = tolerance * np.linalg.norm(b)
    z = precondition(r)
    p, rz = z.copy(), r @ z  # A preconditioner that does nothing returns r itself.
    for iteration in range(1, limit + 1):
        q = matrix @ p
        alpha = rz / (p @ q)
        x += alpha * p
        r -= alpha * q
        if np.linalg.norm(r) <= bound:
            return x, iteration
        z = precondition(r)
        rz, before = r @ z, rz
        p = z + rz / before * p
        if not np.isfinite(rz):
            break
    return x, None


def gmres(matrix, b, precondition=lambda r: r, tolerance=1e-8, limit=1000):
    """Solves A M (M⁻¹ x) = b without restarts; M, the preconditioner, stands to the right."""
    limit = min(limit, len(b))
    size = min(limit, 32)
    norm = np.linalg.norm(b)
    basis = np.empty((size + 1, len(b)))
    basis[0] = b / norm
    # The upper triangle that Givens rotations make of the Hessenberg matrix, column after column.
    columns, rotations, g = [], [], [norm]
    for iteration in range(1, limit + 1):
        if iteration == len(basis):
            basis = np.concatenate([basis, np.empty((len(basis), len(b)))])
        w = matrix @ precondition(basis[iteration - 1])
        known = basis[:iteration]
        column = known @ w
        w = w - column @ known
        again = known @ w  # A second pass, for orthogonality to rounding error.
        w -= again @ known
        column = column + again
        rest = np.linalg.norm(w)
        for place, (c, s) in enumerate(rotations):
            upper, lower = column[place], column[place + 1]
            column[place], column[place + 1] = c * upper + s * lower, c * lower - s * upper
        length = np.hypot(column[-1], rest)
        if not length > 0:
            break
        c, s = column[-1] / length, rest / length
        column[-1] = length
        columns.append(column)
        rotations.append((c, s))
        g[-1:] = [c * g[-1], -s * g[-1]]
        reached = abs(g[-1]) <= tolerance * norm
        if reached or rest == 0:
            break
        basis[iteration] = w / rest
    count = len(columns)
    triangle = np.zeros((count, count))
    for place, column in enumerate(columns):
        triangle[: place + 1, place] = column
    x = precondition(np.linalg.solve(triangle, np.array(g[:count])) @ basis[:count])
    return x, count if abs(g[-1]) <= tolerance * norm else None
