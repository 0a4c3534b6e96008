"""The network of a checkpoint in PyTorch.

Activations are [unit][channel][sample]: then the units that a window covers are one matrix with no copy,
a strided view that overlaps with the next one, and a layer is one `baddbmm`. As autograd would
materialize the windows, the product has its adjoints written out; they are such products again. What has
a halo is held in buffers that stay, so that only the units themselves are written in each step.
"""

import numpy as np
import torch
from torch.nn import functional

from block_forms import block_forms

ACTIVATIONS = {
    "identity": lambda x: x, "relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
    "elu": functional.elu,
}


class Halo:
    """A buffer of units and those before and after them, and the windows of each unit in it."""

    def __init__(self, runs, units, before, after, periodic, like):
        _, c, samples = like.shape
        self.whole = like.new_zeros(before + units + after, c, samples)
        self.units = self.whole[before:before + units]
        self.wraps = [(self.whole[:before], self.units[units - before:]),
                      (self.whole[before + units:], self.units[:after])] if periodic else []
        self.windows = [
            self.whole.as_strided((units, count * c, samples), (c * samples, samples, 1),
                                  (before + offset) * c * samples) for _, offset, count in runs]

    def wrap(self):
        for outside, inside in self.wraps:
            outside.copy_(inside)


class Plan:
    """What the product of a layer needs besides its weights: w[u, :, k, :] x[u + offsets[k]]."""

    def __init__(self, form, adjoint=False):
        self.count, self.periodic = form.units, form.periodic
        # The place of the first block, its offset, and the number of blocks side by side.
        self.runs = [(k, form.offsets[k], count) for k, count in form.runs]
        self.before, self.after = max(0, -form.offsets[0]), max(0, form.offsets[-1])
        self.buffers = {}
        if not adjoint:
            return
        places = len(form.offsets)
        self.runs = [(places - k - count, 1 - o - count, count) for k, o, count in self.runs]
        self.before, self.after = self.after, self.before
        # w_t[v, c, -o, r] = w[v - o, r, o, c]; what is taken from outside meets zeros.
        groups = len(form.weight_index)
        index = np.arange(form.weight_index.size).reshape(form.weight_index.shape)
        unit = np.arange(groups)[:, None] - np.array(form.offsets)[::-1]
        index = index[unit % groups, :, np.arange(places)[::-1], :].transpose(0, 3, 1, 2)
        self.index, self.shape = torch.from_numpy(index.reshape(-1).copy()), index.shape

    def halo(self, like):
        """The buffer for values of this many samples."""
        if like.shape not in self.buffers:
            self.buffers[like.shape] = Halo(
                self.runs, self.count, self.before, self.after, self.periodic, like)
        return self.buffers[like.shape]

    def put(self, x):
        """Returns x and its windows; of x itself, if they do not overlap."""
        if self.before + self.after == 0:
            return x, [x]
        halo = self.halo(x)
        halo.units.copy_(x)
        halo.wrap()
        return halo.units, halo.windows

    def put_derivative(self, dy, y):
        """The same for dy where y is positive, and zero elsewhere."""
        if self.before + self.after == 0:
            dy = torch.ops.aten.threshold_backward(dy, y, 0)
            return dy, [dy]
        halo = self.halo(dy)
        torch.ops.aten.threshold_backward.grad_input(dy, y, 0, grad_input=halo.units)
        halo.wrap()
        return halo.units, halo.windows

    def multiply(self, w, windows, y):
        """y + sum over k of w[u, :, k, :] x[u + offsets[k]]."""
        for (k, _, count), window in zip(self.runs, windows):
            run = w[:, :, k:k + count].flatten(2).expand(self.count, -1, -1)
            y = torch.bmm(run, window) if y is None else torch.baddbmm(y, run, window)
        return y


class Product(torch.autograd.Function):
    """f(W x + b), f the identity or ReLU."""

    @staticmethod
    def forward(ctx, w, b, x, plan, adjoint, relu):
        _, windows = plan.put(x)
        y = plan.multiply(w, windows, b[:, :, None])
        y = y.relu_() if relu else y
        ctx.adjoint, ctx.relu = adjoint, relu
        ctx.save_for_backward(w, y, *windows)
        return y

    @staticmethod
    def backward(ctx, dy):
        w, y, *seen = ctx.saved_tensors
        adjoint = ctx.adjoint
        dy, windows = adjoint.put_derivative(dy, y) if ctx.relu else adjoint.put(dy)
        parts = [torch.bmm(dy, window.mT) for window in seen]
        dw, db = parts[0] if len(parts) == 1 else torch.cat(parts, 2), dy.sum(2)
        if len(w) == 1:
            dw, db = dw.sum(0), db.sum(0, keepdim=True)
        dx = None
        if ctx.needs_input_grad[2]:
            transposed = w.reshape(-1).index_select(0, adjoint.index).view(adjoint.shape)
            dx = adjoint.multiply(transposed, windows, None)
        return dw.view(w.shape), db, dx, None, None, None


class Layer:
    def __init__(self, form, dtype):
        self.form, layer = form, form.layer
        self.source, self.addend, self.name = layer.source, layer.addend, layer.name
        self.relu, self.activation = layer.activation == "relu", ACTIVATIONS[layer.activation]
        self.mask = torch.from_numpy((form.weight_index >= 0).astype(dtype)) if form.holes else None
        if form.offsets is None:
            self.table = torch.from_numpy(form.table.reshape(-1))
            self.groups = None if form.groups is None else torch.from_numpy(form.groups)
        else:
            self.plans = Plan(form), Plan(form, adjoint=True)

    def __call__(self, w, b, x):
        form, samples = self.form, x.shape[-1]
        if form.offsets is not None:
            w = w if self.mask is None else w * self.mask
            y = Product.apply(w, b, x.reshape(form.units, form.inputs, samples), *self.plans, self.relu)
            return y if self.relu else self.activation(y)
        w, b = (w, b) if self.groups is None else (w[self.groups], b[self.groups])
        x = functional.pad(x.reshape(-1, form.inputs, samples), (0, 0, 0, 0, 0, 1))
        x = x.index_select(0, self.table).view(form.units, -1, samples)
        return self.activation(torch.baddbmm(b[:, :, None], w.flatten(2), x))


class Twin(torch.nn.Module):
    """The network; maps [samples][channels of `input`] to [samples][channels of the output]."""

    def __init__(self, network):
        super().__init__()
        self.output = network.output
        forms = block_forms(network).values()
        self.layers = [Layer(form, network.dtype) for form in forms]
        arrays = [torch.from_numpy(a) for form in forms for a in form.parameters(network.dtype)]
        self.shapes = [a.shape for a in arrays]
        # One tensor, as the optimizer spends more on tensors than on numbers.
        self.parameter = torch.nn.Parameter(torch.cat([a.flatten() for a in arrays]))

    def split(self, values):
        """The weights and biases of each layer, as views."""
        parts = values.split([shape.numel() for shape in self.shapes])
        views = [part.view(shape) for part, shape in zip(parts, self.shapes)]
        return zip(self.layers, views[::2], views[1::2])

    def forward(self, x):
        values = {"input": x.t().contiguous()}
        for layer, w, b in self.split(self.parameter):
            y = layer(w, b, values[layer.source])
            values[layer.name] = y + values[layer.addend].view(y.shape) if layer.addend else y
        return values[self.output].reshape(-1, len(x)).t()


def loss(outputs, targets, weights):
    return torch.mean(weights * torch.sum((outputs - targets) ** 2, 1))


def tensors(network, fields, truth):
    """Returns normalized inputs and outputs and the samples' weights in the loss."""
    arrays = network.inputs(fields), network.targets(truth), network.loss_weights(truth)
    return [torch.from_numpy(np.ascontiguousarray(a, network.dtype)) for a in arrays]


def evaluate(network, fields, truth, count):
    """Returns normalized outputs of all samples, and for the first `count` the gradient of each layer."""
    twin = Twin(network)
    x, t, weights = tensors(network, fields, truth)
    loss(twin(x[:count]), t[:count], weights[:count]).backward()
    gradients = {layer.name: layer.form.flat(dw.numpy(), db.numpy())
                 for layer, dw, db in twin.split(twin.parameter.grad)}
    return twin(x).detach().numpy(), gradients


def trainer(network, fields, truth, batches):
    """Returns a function that makes one step with each of the batches, lists of samples, in turn."""
    twin = Twin(network)
    x, t, weights = tensors(network, fields, truth)
    settings = network.training
    optimizer = torch.optim.Adam(
        twin.parameters(), settings["learningRate"], (settings["beta1"], settings["beta2"]),
        settings["epsilon"], fused=True)
    batches = torch.from_numpy(batches)

    def steps():
        for chosen in batches:
            optimizer.zero_grad()
            loss(twin(x.index_select(0, chosen)), t.index_select(0, chosen),
                 weights.index_select(0, chosen)).backward()
            optimizer.step()

    return steps
