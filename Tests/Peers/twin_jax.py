"""The network of a checkpoint in JAX.

Activations are [unit][channel][sample], so that the products of all units are one batched product whose
minor dimension is the samples. The adjoint of a layer is a layer with the windows the other way round; it
is written out, as autodiff would add up overlapping slices. The whole step is one compiled function.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from block_forms import block_forms

ACTIVATIONS = {
    "identity": lambda x: x, "relu": jax.nn.relu, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid,
    "elu": jax.nn.elu,
}


def windows(x, offsets, periodic):
    """The units at all offsets of each unit, as one matrix for each."""
    units, channels, samples = x.shape
    if offsets == (0,):
        return x
    place = np.arange(units)[:, None] + offsets
    if not periodic:
        before, after = max(0, -offsets[0]), max(0, offsets[-1])
        x = jnp.pad(x, ((before, after), (0, 0), (0, 0)))
        place = place + before
    # A gather copies runs of samples; slices put together are computed anew for each of them.
    seen = x.at[place % len(x)].get(mode="promise_in_bounds")
    return seen.reshape(units, -1, samples)


def multiply(w, x):
    return jnp.einsum("uok,uks->uos", jnp.broadcast_to(w, (len(x), *w.shape[1:])), x)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def product(offsets, periodic, w, x):
    """The sum over k of w[u, :, k, :] x[u + offsets[k]]."""
    return product_forward(offsets, periodic, w, x)[0]


def product_forward(offsets, periodic, w, x):
    seen = windows(x, offsets, periodic)
    return multiply(w.reshape(*w.shape[:2], -1), seen), (w, seen)


def product_backward(offsets, periodic, saved, dy):
    w, seen = saved
    dw = jnp.einsum("uos,uks->uok", dy, seen)
    dw = (dw if len(w) > 1 else dw.sum(0)).reshape(w.shape)
    # w_t[v, c, -o, r] = w[v - o, r, o, c]; what is taken from outside meets zeros.
    back = [(k, o) for k, o in enumerate(offsets)][::-1]
    transposed = jnp.stack([jnp.roll(w[:, :, k], o, 0).mT for k, o in back], 2)
    dx = multiply(transposed.reshape(*transposed.shape[:2], -1),
                  windows(dy, tuple(-o for _, o in back), periodic))
    return dw, dx


product.defvjp(product_forward, product_backward)


def layer_value(form, parameters, x):
    """Computes one layer."""
    w, b = parameters
    samples = x.shape[-1]
    if form.offsets is not None:
        w = w * (form.weight_index >= 0) if form.holes else w
        y = product(tuple(form.offsets), form.periodic, w, x.reshape(form.units, form.inputs, samples))
    else:
        w, b = (w, b) if form.groups is None else (w[form.groups], b[form.groups])
        x = jnp.pad(x.reshape(-1, form.inputs, samples), ((0, 1), (0, 0), (0, 0)))
        y = multiply(w.reshape(*w.shape[:2], -1), x[form.table].reshape(form.units, -1, samples))
    return ACTIVATIONS[form.layer.activation](y + b[:, :, None])


class Twin:
    """The network; maps [samples][channels of `input`] to [samples][channels of the output]."""

    def __init__(self, network):
        jax.config.update("jax_enable_x64", network.precision == "double")
        self.forms, self.output = block_forms(network), network.output
        self.parameters = {name: tuple(jnp.asarray(a) for a in form.parameters(network.dtype))
                           for name, form in self.forms.items()}

    def __call__(self, parameters, x):
        values = {"input": x.T}
        for name, form in self.forms.items():
            y = layer_value(form, parameters[name], values[form.layer.source])
            addend = form.layer.addend
            values[name] = y + values[addend].reshape(y.shape) if addend else y
        return values[self.output].reshape(-1, len(x)).T

    def loss(self, parameters, x, targets, weights):
        return jnp.mean(weights * jnp.sum((self(parameters, x) - targets) ** 2, 1))


def arrays(network, fields, truth):
    """Returns normalized inputs and outputs and the samples' weights in the loss."""
    parts = network.inputs(fields), network.targets(truth), network.loss_weights(truth)
    return [jnp.asarray(np.asarray(a, network.dtype)) for a in parts]


def evaluate(network, fields, truth, count):
    """Returns normalized outputs of all samples, and for the first `count` the gradient of each layer."""
    twin = Twin(network)
    x, t, weights = arrays(network, fields, truth)
    gradients = jax.jit(jax.grad(twin.loss))(twin.parameters, x[:count], t[:count], weights[:count])
    return np.asarray(jax.jit(twin)(twin.parameters, x)), {
        name: form.flat(*(np.asarray(g) for g in gradients[name])) for name, form in twin.forms.items()}


def trainer(network, fields, truth, batches):
    """Returns a function that makes one step with each of the batches, lists of samples, in turn."""
    twin = Twin(network)
    data = arrays(network, fields, truth)
    settings = network.training
    rate, beta1, beta2, epsilon = (settings[k] for k in ("learningRate", "beta1", "beta2", "epsilon"))

    # One array, as many small ones take longer to update.
    parameter, unravel = ravel_pytree(twin.parameters)

    def step(parameter, first, second, count, chosen, x, t, weights):
        parameters = unravel(parameter)
        g, _ = ravel_pytree(jax.grad(twin.loss)(parameters, x[chosen], t[chosen], weights[chosen]))
        count = count + 1
        first = beta1 * first + (1 - beta1) * g
        second = beta2 * second + (1 - beta2) * g * g
        a, c = rate / (1 - beta1**count), 1 / (1 - beta2**count)
        return parameter - a * first / (jnp.sqrt(c * second) + epsilon), first, second, count

    compiled = jax.jit(step, donate_argnums=(0, 1, 2, 3))
    state = [parameter, jnp.zeros_like(parameter), jnp.zeros_like(parameter),
             jnp.zeros((), network.dtype)]

    def steps():
        for chosen in batches:
            state[:] = compiled(*state, chosen, *data)
        jax.block_until_ready(state)

    return steps
