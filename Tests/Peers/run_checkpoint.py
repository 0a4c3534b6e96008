#!/usr/bin/env python3
"""Runs the network of a checkpoint with numpy, from the file's layout alone (needs h5py).

Usage: run_checkpoint.py CHECKPOINT.h5 DATA.h5 [--compare PREDICTIONS.h5] [--tolerance X]

Prints the mean relative error on all samples of DATA.h5. With --compare it also prints the largest
relative deviation of a sample from /Output of that file, which `h2nn-dist predict` wrote, and exits
with 1 if that is above the tolerance (1e-5 for checkpoints in float, 1e-12 for those in double).
The layout of a checkpoint stands in checkpoint.py.
"""

import argparse
import sys

import h5py
import numpy as np

from checkpoint import Network, dataset, deviations

ACTIVATIONS = {
    "identity": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
}


def apply(layer, x, x_starts, addend=0):
    """Applies one layer to x, samples x channels, in double precision."""
    f, h = ACTIVATIONS[layer.activation], ACTIVATIONS[layer.block_activation]
    target, rows, outputs = layer.target_starts, layer.row_starts, layer.group_outputs
    sizes = layer.group_inputs * outputs
    weights = np.split(layer.weights.astype(float), np.cumsum(sizes)[:-1])
    biases = np.split(layer.biases.astype(float), np.cumsum(outputs)[:-1])
    y = np.zeros((len(x), target[-1]))
    for box, g in enumerate(layer.groups):
        matrix = weights[g].reshape(outputs[g], layer.group_inputs[g])
        if layer.transposed:
            part = x[:, x_starts[box] : x_starts[box + 1]]
            for entry in range(rows[box], rows[box + 1]):
                source, column = layer.sources[entry], layer.entry_inputs[entry]
                places = slice(target[source], target[source + 1])
                width = target[source + 1] - target[source]
                y[:, places] += part @ matrix[:, column : column + width]
            continue
        total = np.tile(biases[g], (len(x), 1))
        for entry in range(rows[box], rows[box + 1]):
            source = layer.sources[entry]
            part = x[:, x_starts[source] : x_starts[source + 1]]
            column = layer.entry_inputs[entry]
            total += h(part @ matrix[:, column : column + part.shape[1]].T)
        y[:, target[box] : target[box + 1]] = total
    return f(y + addend), target


def predict(network, fields):
    """Returns the outputs for fields, samples x points."""
    values = {"input": (network.inputs(fields), network.input_starts)}
    for layer in network.layers:
        addend = values[layer.addend][0] if layer.addend else 0
        values[layer.name] = apply(layer, *values[layer.source], addend)
    return network.fields(values[network.output][0])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint")
    parser.add_argument("data")
    parser.add_argument("--compare")
    parser.add_argument("--tolerance", type=float)
    arguments = parser.parse_args()
    network = Network(arguments.checkpoint)
    fields, truth = dataset(arguments.data)
    prediction = predict(network, fields)
    print(f"mean relative error {deviations(truth, prediction).mean():.12e}")
    if arguments.compare is None:
        return 0
    with h5py.File(arguments.compare) as other:
        theirs = other["Output"][:].reshape(prediction.shape)
    deviation = deviations(theirs, prediction).max()
    print(f"largest deviation {deviation:.3e}")
    # Written so that not-a-number fails.
    standard = 1e-12 if network.precision == "double" else 1e-5
    return 0 if deviation <= (arguments.tolerance or standard) else 1


if __name__ == "__main__":
    sys.exit(main())
