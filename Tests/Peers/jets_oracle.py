#!/usr/bin/env python3
"""Gradients of residuals by automatic differentiation of automatic derivatives (jax, float64), for the tests of jets.

    pip install jax && python3 Tests/Peers/jets_oracle.py

Prints what Tests/PhysicsInformedTests/JetGoldens.swift holds. Networks have five channels and two hidden layers; parameters
and points follow formulas that the tests repeat. Nothing here knows of jets: derivatives of u are nested jax.grad.
"""
import numpy as np
import jax
import jax.numpy as jnp

jax.config.update("jax_enable_x64", True)
WIDTH, DEPTH, SAMPLES = 5, 2, 20
PI = np.pi
FUNCTIONS = {"tanh": jnp.tanh, "sine": jnp.sin, "softplus": jax.nn.softplus}


def sizes(d):
    return [d] + [WIDTH] * DEPTH + [1]


def parameters(d):
    count = sum((m + 1) * n for m, n in zip(sizes(d), sizes(d)[1:]))
    return np.array([0.7 * np.sin(1.7 * k + 0.3) for k in range(count)])


def network(theta, x, low, high, f):
    a, start, layers = 2 / (high - low) * (x - low) - 1, 0, sizes(len(low))
    for index, (m, n) in enumerate(zip(layers, layers[1:])):
        w = theta[start:start + m * n].reshape(n, m)
        b = theta[start + m * n:start + m * n + n]
        start += (m + 1) * n
        a = w @ a + b
        if index < len(layers) - 2:
            a = f(a)
    return a[0]


def bubble(x, low, high):
    s = 2 / (high - low) * (x - low) - 1
    return jnp.prod(1 - s * s)


def sines(x, a, b):
    return jnp.sin(a * PI * x[0]) * jnp.sin(b * PI * x[1])


def derivatives(u, x):
    return u(x), jax.grad(u)(x), jnp.diag(jax.hessian(u)(x))


def burgers(u, x):
    v, d, h = derivatives(u, x)
    return d[1] + v * d[0] - 0.01 / PI * h[0]


def heat(u, x):
    _, d, h = derivatives(u, x)
    return d[1] - 0.1 * h[0]


EQUATIONS = {
    "burgers": ([-1, 0], [1, 1], lambda x, n: -jnp.sin(PI * x[0]) + x[1] * (1 - x[0] ** 2) * n, burgers),
    "heat": ([0, 0], [1, 1], lambda x, n: jnp.sin(PI * x[0]) + jnp.sin(3 * PI * x[0]) / 2
             + x[1] * x[0] * (1 - x[0]) * n, heat),
    "poisson-2d": ([0, 0], [1, 1], None,
                   lambda u, x: jnp.sum(derivatives(u, x)[2]) + 2 * PI ** 2 * sines(x, 1, 1)),
    "helmholtz-2d": ([-1, -1], [1, 1], None,
                     lambda u, x: jnp.sum(derivatives(u, x)[2]) + u(x) - (1 - 17 * PI ** 2) * sines(x, 1, 4)),
    "radiative-diffusion": ([0], [1], None, lambda u, x: u(x) - derivatives(u, x)[2][0] / 30 - 1),
}


def points(low, high):
    n = np.arange(SAMPLES) + 0.5
    unit = np.stack([(n * g) % 1 for g in (0.6180339887498949, 0.7548776662466927)], axis=1)
    return low + (high - low) * unit[:, :len(low)]


def residuals(name, function):
    low, high, form, residual = EQUATIONS[name]
    low, high = np.array(low, float), np.array(high, float)
    form = form or (lambda x, n: bubble(x, low, high) * n)

    def one(theta, x):
        return residual(lambda y: form(y, network(theta, y, low, high, FUNCTIONS[function])), x)

    return one, jnp.array(points(low, high)), jnp.array(parameters(len(low)))


for name, function in [("burgers", "tanh"), ("burgers", "sine"), ("burgers", "softplus"), ("heat", "sine"),
                       ("poisson-2d", "tanh"), ("helmholtz-2d", "softplus"), ("radiative-diffusion", "tanh")]:
    one, x, theta = residuals(name, function)
    rows = jax.vmap(jax.grad(one), (None, 0))(theta, x)
    values = jax.vmap(one, (None, 0))(theta, x)
    gradient = 2 * rows.T @ values / SAMPLES
    print(f'    JetGolden("{name}", .{function}, loss: {float(jnp.mean(values ** 2))!r},')
    print(f"      residual: {float(values[3])!r}, row: {[float(v) for v in rows[3]]},")
    print(f"      gradient: {[float(v) for v in gradient]}),")
