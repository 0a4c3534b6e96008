#!/usr/bin/env python3
"""Runs the network of a checkpoint with numpy, from the file's layout alone (needs h5py).

Usage: run_checkpoint.py CHECKPOINT.h5 DATA.h5 [--compare PREDICTIONS.h5] [--tolerance X]

Prints the mean relative error on all samples of DATA.h5. With --compare it also prints the largest
relative deviation of a sample from /Output of that file, which `h2nn-dist predict` wrote, and exits
with 1 if that is above the tolerance (1e-5 for checkpoints in float, 1e-12 for those in double).

The layout of a checkpoint (HDF5; arrays are stored with the last index running fastest):

    /                        attributes: format "h2nn-dist checkpoint 1"; program; step, the number of
                             steps made; precision, float or double; configuration, all settings as
                             JSON; digest of the parameters, layer after layer, weights first
    /points                  coordinates of the inputs, points x dimension; a uniform grid has the
                             attribute grid_shape and its points are counted with the last index
                             running fastest
    /output_points           the same for the outputs, if they stand elsewhere
    /normalization           input_shift, output_shift: one number for each point; attributes
                             input_scale, output_scale; mean_output, the mean of the training outputs.
                             The network maps (input - input_shift) / input_scale to
                             (output - output_shift) / output_scale
    /network                 attributes: layers, their names in the order of execution, one in a line;
                             output, the name of the value that is the output
    /network/input_order     for each channel of the value `input`: the index of its point
    /network/output_order    the same for the output
    /network/input_starts    the first channel of each box of `input`, and the number of all channels
    /network/LAYER           attributes: source, the value read; addend, the value added, or "";
                             activation f and block_activation h. The value written has LAYER's name
      target_starts          the first channel of each box of that value, and their number
      row_starts, sources    the boxes that box i reads: sources[row_starts[i]:row_starts[i + 1]]
      entry_inputs           for each of these entries: its first column in the weights of its group
      groups                 for each box i: its group g of weights
      group_inputs, group_outputs   the columns and rows of each group's weights
    /parameters/LAYER        weights: the matrices W_g, one after the other, [outputs][inputs] each;
                             biases: the vectors b_g, one after the other
    /optimizer               first_moment and second_moment, laid out like /parameters
    /metrics                 the lines of metrics.jsonl so far, as bytes

    Box i of a layer's value: y_i = f(sum over entries e of h(W_g[:, columns of e] x_source(e)) + b_g),
    plus box i of the addend. Every array of numbers has an attribute digest: FNV-1a over its bytes.
"""

import argparse
import sys

import h5py
import numpy as np

ACTIVATIONS = {
    "identity": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
}


def text(attribute):
    return attribute.decode() if isinstance(attribute, bytes) else str(attribute)


def layer(group, parameters, x, x_starts):
    """Applies one layer to x, samples x channels, in double precision."""
    f, h = (ACTIVATIONS[text(group.attrs[name])] for name in ("activation", "block_activation"))
    target, rows, sources = (group[n][:] for n in ("target_starts", "row_starts", "sources"))
    inputs, outputs = group["group_inputs"][:], group["group_outputs"][:]
    weights = np.split(parameters["weights"][:].astype(float), np.cumsum(inputs * outputs)[:-1])
    biases = np.split(parameters["biases"][:].astype(float), np.cumsum(outputs)[:-1])
    y = np.zeros((len(x), target[-1]))
    for box, g in enumerate(group["groups"][:]):
        matrix = weights[g].reshape(outputs[g], inputs[g])
        total = np.tile(biases[g], (len(x), 1))
        for entry in range(rows[box], rows[box + 1]):
            part = x[:, x_starts[sources[entry]] : x_starts[sources[entry] + 1]]
            column = group["entry_inputs"][entry]
            total += h(part @ matrix[:, column : column + part.shape[1]].T)
        y[:, target[box] : target[box + 1]] = f(total)
    return y, target


def predict(checkpoint, fields):
    """Returns the outputs for fields, samples x points."""
    network, norm = checkpoint["network"], checkpoint["normalization"]
    x = (fields - norm["input_shift"][:]) / norm.attrs["input_scale"]
    values = {"input": (x[:, network["input_order"][:]], network["input_starts"][:])}
    for name in text(network.attrs["layers"]).split("\n"):
        source, addend = (text(network[name].attrs[key]) for key in ("source", "addend"))
        y, starts = layer(network[name], checkpoint["parameters"][name], *values[source])
        values[name] = (y + values[addend][0] if addend else y, starts)
    result = np.empty_like(norm["output_shift"][:], shape=(len(x), len(network["output_order"])))
    result[:, network["output_order"][:]] = values[text(network.attrs["output"])][0]
    return result * norm.attrs["output_scale"] + norm["output_shift"][:]


def errors(truth, prediction):
    return np.linalg.norm(truth - prediction, axis=1) / np.linalg.norm(truth, axis=1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint")
    parser.add_argument("data")
    parser.add_argument("--compare")
    parser.add_argument("--tolerance", type=float)
    arguments = parser.parse_args()
    with h5py.File(arguments.data) as data:
        fields, truth = (np.asarray(data[n], float).reshape(len(data[n]), -1) for n in ("Input", "Output"))
    with h5py.File(arguments.checkpoint) as checkpoint:
        prediction = predict(checkpoint, fields)
        standard = 1e-12 if text(checkpoint.attrs["precision"]) == "double" else 1e-5
    print(f"mean relative error {errors(truth, prediction).mean():.12e}")
    if arguments.compare is None:
        return 0
    with h5py.File(arguments.compare) as other:
        theirs = other["Output"][:].reshape(prediction.shape)
    deviation = errors(theirs, prediction).max()
    print(f"largest deviation {deviation:.3e}")
    # Written so that not-a-number fails.
    return 0 if deviation <= (arguments.tolerance or standard) else 1


if __name__ == "__main__":
    sys.exit(main())
