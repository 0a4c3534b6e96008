#!/usr/bin/env python3
"""Prints the values that NonlinearSchrodingerTests and KohnShamTests compare with (needs SciPy).

The ground states come from the gradient flow alone with sparse LU, until it stands still; the levels
from a dense matrix in one dimension and from ARPACK in two. Nothing is shared with the program.
"""

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as sl


def images(nodes, centre, square, period):
    """A sum of Gaussians around a centre and its images."""
    return sum(np.exp(-((nodes - centre - j * period) ** 2) / (2 * square)) for j in (-1, 0, 1))


def second_difference(n):
    """The periodic matrix of -d²/dx² on [0, 1]."""
    ring = sp.diags([2.0, -1, -1, -1, -1], [0, 1, -1, n - 1, 1 - n], shape=(n, n))
    return (ring * n**2).tocsc()


def ground_state(laplacian, potential, beta=10.0):
    """Normalized gradient flow with the time step 1."""
    n = potential.size
    u = np.ones(n)
    for _ in range(1000):
        v = sl.spsolve((laplacian + sp.diags(1 + potential + beta * u**2)).tocsc(), u)
        v *= np.sqrt(n) / np.linalg.norm(v)
        change, u = np.linalg.norm(v - u) / np.sqrt(n), v
        if change < 1e-14:
            break
    return u, u @ (laplacian @ u + (potential + beta * u**2) * u) / n


def nonlinear():
    square = 3e-3
    norm = 1 / np.sqrt(2 * np.pi * square)
    x = np.arange(1, 321) / 320
    v = -norm * (20 * images(x, 0.3, square, 1) + 30 * images(x, 0.7, square, 1))
    u, energy = ground_state(second_difference(320), v - v.min() + 1)
    print("nlse-1d", energy, u[[0, 95, 159, 223]])
    x = np.arange(1, 81) / 80
    v = -norm * sum(
        rho * np.outer(images(x, a, square, 1), images(x, b, square, 1))
        for rho, a, b in ((2, 0.3, 0.4), (4, 0.7, 0.65))
    )
    one = sp.identity(80)
    line = second_difference(80)
    plane = sp.kron(line, one) + sp.kron(one, line)
    u, energy = ground_state(plane, (v - v.min() + 1).ravel())
    u = u.reshape(80, 80)
    print("nlse-2d", energy, u[[0, 23, 55, 39, 10], [0, 31, 51, 39, 70]])


def kohn_sham():
    n, length = 320, 80.0
    x = np.arange(n) * length / n
    v = -0.9 * images(x, 20, 4, length) - 1.1 * images(x, 50, 4, length)
    k = 2 * np.pi * np.fft.fftfreq(n, length / n)
    kinetic = np.fft.ifft((k**2 / 2)[:, None] * np.fft.fft(np.eye(n), axis=0), axis=0).real
    values, vectors = np.linalg.eigh(kinetic + np.diag(v))
    density = (vectors[:, :2] ** 2).sum(1) / (length / n)
    print("kohn-sham-1d", values[:3], density[[80, 200]])

    n, length = 64, 16.0
    x = np.arange(n) * length / n
    v = -sum(
        depth * np.outer(images(x, a, 1, length), images(x, b, 1, length))
        for depth, a, b in ((0.9, 4, 5), (1.1, 11, 12))
    )
    k = 2 * np.pi * np.fft.fftfreq(n, length / n)
    kinetic = (k[:, None] ** 2 + k**2) / 2

    def apply(psi):
        psi = psi.reshape(n, n)
        return (np.fft.ifft2(kinetic * np.fft.fft2(psi)).real + v * psi).ravel()

    operator = sl.LinearOperator((n * n, n * n), apply, dtype=float)
    values, vectors = sl.eigsh(operator, k=4, which="SA", tol=1e-13, ncv=60, maxiter=5000)
    order = np.argsort(values)
    density = (vectors[:, order[:2]] ** 2).sum(1).reshape(n, n) / (length / n) ** 2
    print("kohn-sham-2d", values[order[:3]], density[[16, 44, 30, 0], [20, 48, 34, 0]])


if __name__ == "__main__":
    np.set_printoptions(precision=16)
    nonlinear()
    kohn_sham()
