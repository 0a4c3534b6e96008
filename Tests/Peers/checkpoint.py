"""Reads networks, their parameters and their gradients from checkpoints (needs h5py).

The layout of a checkpoint (HDF5; arrays are stored with the last index running fastest):

    /                        attribute: format "h2nn-dist checkpoint 2"
    /description             bytes: a JSON object in one line; a second line has its digest. Its keys:
        program              the program that wrote the file
        step                 the number of steps made
        precision            float or double
        configuration        all settings
        digest               the digest of the parameters, layer after layer, weights first
        loss_unit            what the loss was divided by before its gradient was taken (1 if missing)
        normalization        input_scale, output_scale
        points, output_points   grid_shape, if they are a uniform grid: its points are counted with the last
                             index running fastest
        network              layers, in the order of execution, each with name; source, the value read;
                             addend, the value added, if any; activation f and block_activation h. The value
                             written has the layer's name. output, the name of the value that is the output.
                             A layer that uses parameters of another name has weights: slice, that name; form,
                             plain or transposed; has_bias, whether it adds the biases that stand there
        skeleton             sources, receivers: the number of boxes of each level, if there is one
        arrays               for the path of each dataset below: shape, type and digest
    /points                  coordinates of the inputs, points x dimension
    /output_points           the same for the outputs, if they stand elsewhere
    /normalization           input_shift, output_shift: one number for each point; mean_output, the mean of
                             the training outputs. The network maps (input - input_shift) / input_scale to
                             (output - output_shift) / output_scale
    /network/input_order     for each channel of the value `input`: the index of its point
    /network/output_order    the same for the output
    /network/input_starts    the first channel of each box of `input`, and the number of all channels
    /network/LAYER
      target_starts          the first channel of each box of the value written, and their number
      row_starts, sources    the boxes that box i reads: sources[row_starts[i]:row_starts[i + 1]]
      entry_inputs           for each of these entries: its first column in the weights of its group
      groups                 for each box i: its group g of weights
      group_inputs, group_outputs   the columns and rows of each group's weights
    /parameters/SLICE        weights: the matrices W_g, one after the other, [outputs][inputs] each;
                             biases: the vectors b_g, one after the other, or none. A slice has the name of the
                             layer that it was made for, whose arrays in /network say where its blocks stand
    /optimizer               first_moment and second_moment, laid out like /parameters
    /skeleton                sources, receivers: the channels of boxes, level after level, from the root
    /metrics                 the lines of metrics.jsonl so far, as bytes
    /plateau                 the state of the schedule of that name

    Box i of a layer's value: y_i = f(sum over entries e of h(W_g[:, columns of e] x_source(e)) + b_g + a_i) with
    box i of the addend. A transposed layer: f(W^T x + a) with the matrix W of the blocks of its slice.

    The digest of an array w_0, w_1, ... of numbers of 1, 4 or 8 bytes is the sum modulo 2^64 of
    mix(bits(w_i) xor (i + 1) 0x9e3779b97f4a7c15), in 16 hexadecimal digits; mix is in `digest` below.

Format 1, of earlier versions, has attributes in place of the description: on / program, step, precision,
digest, loss_unit and configuration (JSON); on /network output and layers, names with a line for each; on
/network/LAYER source, addend ("" for none), activation and block_activation; on /normalization the scales; on
points grid_shape; and on each dataset its digest, FNV-1a over its bytes.
"""

import json
import sys

import h5py
import numpy as np


def text(attribute):
    return attribute.decode() if isinstance(attribute, bytes) else str(attribute)


def digest(array):
    """Returns the digest of an array."""
    with np.errstate(over="ignore"):
        words = array.ravel().view(f"u{array.dtype.itemsize}").astype(np.uint64)
        words ^= np.arange(1, words.size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return f"{int(np.sum(words ^ (words >> np.uint64(31)), dtype=np.uint64)):016x}"


def describe(file):
    """Returns the description of a checkpoint, and verifies the digests of format 2."""
    if text(file.attrs["format"]) == "h2nn-dist checkpoint 2":
        line, end = bytes(file["description"][:]).split(b"\n")
        result = json.loads(line)
        if digest(np.frombuffer(line, np.uint8)) != end.decode():
            sys.exit("/description is damaged")
        for name, array in result["arrays"].items():
            if list(file[name].shape) != array["shape"] or digest(file[name][:]) != array["digest"]:
                sys.exit(f"{name} is damaged")
        return result
    network, scales = file["network"].attrs, file["normalization"].attrs
    keys = ("source", "addend", "activation", "block_activation")
    return {
        "precision": text(file.attrs["precision"]), "step": int(file.attrs["step"]),
        "loss_unit": float(file.attrs.get("loss_unit", 1.0)),
        "configuration": json.loads(text(file.attrs["configuration"])),
        "normalization": {key: float(scales[key]) for key in ("input_scale", "output_scale")},
        "network": {
            "output": text(network["output"]),
            "layers": [{"name": name, **{key: text(file["network"][name].attrs[key]) for key in keys}}
                       for name in text(network["layers"]).split("\n")]}}


class Layer:
    """One layer; arrays and attributes have the names that they have in the file.

    They are those of its slice: of a transposed layer, the matrix W whose transpose it multiplies by.
    """

    def __init__(self, described, network, parameters):
        self.name = described["name"]
        use = described.get("weights", {"slice": self.name, "form": "plain", "has_bias": True})
        self.slice, self.transposed = use["slice"], use["form"] == "transposed"
        group = network[self.slice]
        for key in ("source", "addend", "activation", "block_activation"):
            setattr(self, key, described.get(key, ""))
        for key in ("target_starts", "row_starts", "sources", "entry_inputs", "groups",
                    "group_inputs", "group_outputs"):
            setattr(self, key, group[key][:].astype(np.int64))
        if self.transposed:
            self.target_starts = network[self.name]["target_starts"][:].astype(np.int64)
        parameters = parameters[self.slice]
        self.weights, self.biases = parameters["weights"][:], parameters["biases"][:]
        if not use["has_bias"] or not len(self.biases):
            self.biases = np.zeros(self.group_outputs.sum(), self.weights.dtype)


class Network:
    """The network of a checkpoint with its parameters and its normalization."""

    def __init__(self, path):
        with h5py.File(path) as file:
            network, norm, described = file["network"], file["normalization"], describe(file)
            self.precision, self.step = described["precision"], described["step"]
            self.training = described["configuration"]["training"]
            self.layers = [
                Layer(layer, network, file["parameters"]) for layer in described["network"]["layers"]]
            self.output = described["network"]["output"]
            self.input_starts, self.input_order, self.output_order = (
                network[name][:].astype(np.int64)
                for name in ("input_starts", "input_order", "output_order"))
            self.input_shift, self.output_shift = (
                norm[name][:] for name in ("input_shift", "output_shift"))
            self.input_scale, self.output_scale = (
                described["normalization"][name] for name in ("input_scale", "output_scale"))

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
        described, group = describe(file), file["optimizer/first_moment"]
        names = [layer["name"] for layer in described["network"]["layers"]]
        unit = described.get("loss_unit", 1.0)
        return {name: (unit * group[name]["weights"][:], unit * group[name]["biases"][:]) for name in names}


def dataset(path):
    """Returns the inputs and outputs of a dataset, samples x points each, in double precision."""
    with h5py.File(path) as data:
        return [np.asarray(data[n], float).reshape(len(data[n]), -1) for n in ("Input", "Output")]


def deviations(truth, guess):
    """Returns the relative error of each row."""
    return np.linalg.norm(truth - guess, axis=1) / np.linalg.norm(truth, axis=1)
