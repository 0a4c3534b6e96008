"""Reads networks, their parameters and their gradients from checkpoints (needs h5py).

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

import json

import h5py
import numpy as np


def text(attribute):
    return attribute.decode() if isinstance(attribute, bytes) else str(attribute)


class Layer:
    """One layer; arrays and attributes have the names that they have in the file."""

    def __init__(self, name, group, parameters):
        self.name = name
        for key in ("source", "addend", "activation", "block_activation"):
            setattr(self, key, text(group.attrs[key]))
        for key in ("target_starts", "row_starts", "sources", "entry_inputs", "groups",
                    "group_inputs", "group_outputs"):
            setattr(self, key, group[key][:].astype(np.int64))
        self.weights, self.biases = parameters["weights"][:], parameters["biases"][:]


class Network:
    """The network of a checkpoint with its parameters and its normalization."""

    def __init__(self, path):
        with h5py.File(path) as file:
            network, norm = file["network"], file["normalization"]
            self.precision = text(file.attrs["precision"])
            self.step = int(file.attrs["step"])
            self.training = json.loads(text(file.attrs["configuration"]))["training"]
            self.layers = [Layer(name, network[name], file["parameters"][name])
                           for name in text(network.attrs["layers"]).split("\n")]
            self.output = text(network.attrs["output"])
            self.input_starts, self.input_order, self.output_order = (
                network[name][:].astype(np.int64)
                for name in ("input_starts", "input_order", "output_order"))
            self.input_shift, self.output_shift = (
                norm[name][:] for name in ("input_shift", "output_shift"))
            self.input_scale, self.output_scale = (
                float(norm.attrs[name]) for name in ("input_scale", "output_scale"))

    @property
    def dtype(self):
        return np.float64 if self.precision == "double" else np.float32

    def inputs(self, fields):
        """Normalizes input fields, samples x points, and puts them into the order of the boxes."""
        return ((fields - self.input_shift) / self.input_scale)[:, self.input_order]

    def targets(self, fields):
        """Does the same to output fields."""
        return ((fields - self.output_shift) / self.output_scale)[:, self.output_order]

    def fields(self, outputs):
        """Turns what the network computes into output fields."""
        result = np.empty((len(outputs), len(self.output_order)))
        result[:, self.output_order] = outputs
        return result * self.output_scale + self.output_shift

    def loss_weights(self, fields):
        """The factor of each sample's squared error in the loss, which is their mean over a batch."""
        if self.training["loss"] == "mse":
            return np.full(len(fields), 1 / fields.shape[1])
        return self.output_scale**2 / np.sum(fields**2, axis=1)


def moments(path):
    """Returns the first moments of a checkpoint, (weights, biases) for each layer, in units of the loss."""
    with h5py.File(path) as file:
        names = text(file["network"].attrs["layers"]).split("\n")
        group = file["optimizer/first_moment"]
        unit = file.attrs.get("loss_unit", 1.0)
        return {name: (unit * group[name]["weights"][:], unit * group[name]["biases"][:]) for name in names}


def dataset(path):
    """Returns the inputs and outputs of a dataset, samples x points each, in double precision."""
    with h5py.File(path) as data:
        return [np.asarray(data[n], float).reshape(len(data[n]), -1) for n in ("Input", "Output")]


def deviations(truth, guess):
    """Returns the relative error of each row."""
    return np.linalg.norm(truth - guess, axis=1) / np.linalg.norm(truth, axis=1)
