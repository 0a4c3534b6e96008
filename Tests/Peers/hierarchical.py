#!/usr/bin/env python3
"""Evaluates the flat arrays of a hierarchical matrix with numpy, and finds storage counts for model matrices.

Usage: hierarchical.py FILE.json   checks a matrix: cover, errors, product, storage for its rule; exits with 1 if one is wrong
       hierarchical.py             prints the counts of model matrices (about a minute)

FILE.json has `description`, the fields of `HierarchicalDescription` in Sources/HierarchicalMatrices; `matrix`, the dense
matrix, column-major; `vector` and `product`; and `leaf` and `error`, with which it was compressed by shares of the area.
"""

import json
import sys

import numpy as np


def halves(begin, end, leaf):
    """Returns the two halves of a range, or the range itself if it is a leaf."""
    middle = begin + (end - begin) // 2
    return [(begin, end)] if end - begin <= leaf else [(begin, middle), (middle, end)]


def spectra(matrix, leaf, rows=None, columns=None):
    """Returns the tree of blocks: shape, squares of the tails of the singular values, parts."""
    rows, columns = rows or (0, matrix.shape[0]), columns or (0, matrix.shape[1])
    m, n = rows[1] - rows[0], columns[1] - columns[0]
    values = np.linalg.svd(matrix[slice(*rows), slice(*columns)], compute_uv=False)
    tails = np.append(np.cumsum((values**2)[::-1])[::-1], 0)
    row_parts = halves(*rows, leaf) if 2 * m > n or n <= leaf else [rows]
    column_parts = halves(*columns, leaf) if 2 * n > m or m <= leaf else [columns]
    parts = []
    if (row_parts, column_parts) != ([rows], [columns]):
        parts = [spectra(matrix, leaf, r, c) for r in row_parts for c in column_parts]
    return m, n, tails, parts


def cheapest(block, error, area):
    """Returns numbers, squared error and blocks of the cheapest choice whose error has its share of the area."""
    m, n, tails, parts = block
    rank = int(np.sum(np.sqrt(tails) > error * np.sqrt(m * n / area)))
    best = rank * (m + n), tails[rank], 1
    if m * n <= best[0]:
        best = m * n, 0.0, 1
    if parts:
        cut = tuple(map(sum, zip(*(cheapest(part, error, area) for part in parts))))
        best = cut if cut[0] < best[0] else best
    return best


def expand(description):
    """Returns the dense matrix of a description, in its original order, and how often each element is covered."""
    rows, columns = len(description["rowOrder"]), len(description["columnOrder"])
    matrix, cover = np.zeros((rows, columns)), np.zeros((rows, columns), int)
    values, place = np.array(description["values"]), 0
    for row, m, column, n, rank in np.array(description["structure"]).reshape(-1, 5):
        count = m * n if rank < 0 else rank * (m + n)
        numbers = values[place : place + count]
        place += count
        if rank < 0:
            block = numbers.reshape(n, m).T
        else:
            block = numbers[: m * rank].reshape(rank, m).T @ numbers[m * rank :].reshape(rank, n)
        matrix[row : row + m, column : column + n] += block
        cover[row : row + m, column : column + n] += 1
    result = np.zeros_like(matrix)
    result[np.ix_(description["rowOrder"], description["columnOrder"])] = matrix
    return result, cover, place == len(values)


def check(path):
    """Checks a file; returns what is wrong."""
    with open(path) as file:
        content = json.load(file)
    description = content["description"]
    found, cover, fits = expand(description)
    matrix = np.array(content["matrix"]).reshape(found.shape[::-1]).T
    norm, error = np.linalg.norm(matrix), np.linalg.norm(matrix - found)
    certificate = sum(description["steps"])
    product = np.array(content["vector"]) @ found.T
    ordered = matrix[np.ix_(description["rowOrder"], description["columnOrder"])]
    numbers, square, blocks = cheapest(spectra(ordered, content["leaf"]), content["error"] * norm, matrix.size)
    checks = {
        "every element is covered once": (cover == 1).all(),
        "the blocks have all numbers": fits,
        "certificate": abs(certificate - error) <= 100 * np.finfo(float).eps * norm,
        "bound": error <= content["error"] * norm,
        "product": np.linalg.norm(product - content["product"]) <= 1e-13 * np.linalg.norm(content["vector"]) * norm,
        "numbers": numbers == len(description["values"]),
        "blocks": blocks == len(description["squaredErrors"]),
        "error of the plan": abs(np.sqrt(square) - certificate) <= 100 * np.finfo(float).eps * norm,
    }
    print(f"numbers {numbers} blocks {blocks} certificate {certificate:.6e} error {error:.6e}")
    return [name for name, holds in checks.items() if not holds]


def models(n):
    """Returns the model matrices of order n."""
    i = np.arange(n)
    x = (i + 0.5) / n
    distance = abs(x[:, None] - x)
    return {
        "log": np.log(np.where(distance == 0, 1 / n, distance)),
        "Cauchy": 1 / ((i[:, None] + 0.5) - (i + 1)),
        "Hilbert": 1 / (i[:, None] + i + 1.0),
        "exp": np.exp(-distance),
        "Gauss": np.exp(-(distance**2) / 2e-4),
        "2^-|i-j|": 2.0 ** -abs(i[:, None] - i),
        "normal": np.random.default_rng(1).normal(size=(n, n)),
    }


def main():
    if len(sys.argv) == 2:
        faults = check(sys.argv[1])
        print("\n".join(faults) or "all checks hold")
        sys.exit(1 if faults else 0)
    for name, matrix in models(1024).items():
        tree, norm = spectra(matrix, 32), np.linalg.norm(matrix)
        for error in (1e-3, 1e-6, 1e-10):
            numbers, square, blocks = cheapest(tree, error * norm, matrix.size)
            print(f"{name:9} {error:.0e} numbers {numbers:8} blocks {blocks:4} error {np.sqrt(square) / norm:.6e}")


main()
