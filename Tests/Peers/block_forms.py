"""Turns layers of a checkpoint into batched products of small matrices, for the twins.

A value is an array [unit][channel][sample]: some neighbouring boxes of equal size are one unit. A layer
multiplies each unit's matrix with the units at fixed offsets from it, which lie side by side:

    y[u] = f(sum over k of W[u, :, k, :] x[u + offsets[k]] + b[u]);  units outside are zero, or periodic

Bands, transfers, convolutions and dense layers have this form; so have the interaction lists on grids
in one dimension, if the boxes of a parent are taken together and the missing blocks are zero. Any other
layer gathers its units: y[u] = f(sum over k of W[u, :, k, :] x[table[u, k]] + b[u]), where the entry after
the last unit means zero. With shared weights W and b have one unit (gathered: one for each group).
"""

import numpy as np


class BlockForm:
    """How one layer is computed.

    weight_index [units or 1][outputs][offsets][inputs] says which of the layer's weights stands where, or
    -1 for none; bias_index [units or 1][outputs] does so for the biases.
    """

    table = groups = offsets = None
    periodic = holes = False

    def __init__(self, layer, source_starts):
        channels = [np.unique(np.diff(starts)) for starts in (source_starts, layer.target_starts)]
        if any(len(c) != 1 for c in channels) or layer.block_activation != "identity":
            raise ValueError(f"{layer.name}: boxes of unequal size, or a block activation")
        self.layer = layer
        self.channels = [int(c[0]) for c in channels]
        self.boxes = len(source_starts) - 1, len(layer.groups)
        self.row = np.repeat(np.arange(self.boxes[1]), np.diff(layer.row_starts))
        self.slot = layer.entry_inputs // self.channels[0]
        if not self.as_periodic_band() and not self.as_windows():
            self.as_table()
        self.weight_index = self.weight_index.reshape(
            len(self.weight_index), self.outputs, -1, self.inputs)
        self.bias_index = self.bias_index.reshape(-1, self.outputs)

    def as_periodic_band(self):
        layer, width = self.layer, int(self.slot.max()) + 1
        offset = self.slot - width // 2
        n = self.boxes[1]
        if self.boxes[0] != n or np.any(np.diff(layer.row_starts) != width) or np.any(
                (self.row + offset) % n != layer.sources):
            return False
        self.periodic = width > 1
        self.periodic = self.place(1, 1, self.row, offset) and self.periodic
        return self.offsets is not None

    def as_windows(self):
        """Tries units of several boxes; takes what multiplies least, if that is not much."""
        sources, targets = self.boxes
        best = None
        ratios = (1, 1), (2, 2), (sources // targets, 1), (1, targets // sources)
        for s, m in dict.fromkeys(ratios):
            if min(s, m) < 1 or sources % s or targets % m or sources // s != targets // m:
                continue
            offset = self.layer.sources // s - self.row // m
            cost = len(np.unique(offset)) * s
            if best is None or cost <= best[0]:
                best = cost, s, m, offset
        if best is None or best[0] > 2 * np.diff(self.layer.row_starts).max():
            return False
        return self.place(*best[1:3], self.row // best[2], best[3])

    def as_table(self):
        layer, (sources, targets) = self.layer, self.boxes
        self.table = np.full((targets, int(self.slot.max()) + 1), sources)
        self.table[self.row, self.slot] = layer.sources
        shared = len(layer.group_inputs) < targets
        self.groups = layer.groups if shared else None
        self.holes = False
        self.units, (self.inputs, self.outputs) = targets, self.channels
        row = layer.groups[self.row] if shared else self.row
        self.fill(1, 1, row, self.slot, row * 0, len(layer.group_inputs), self.table.shape[1])

    def place(self, s, m, unit, offset):
        """Makes units of s sources and m targets; returns False if their blocks do not allow that."""
        layer, count = self.layer, len(self.layer.group_inputs)
        self.units = self.boxes[1] // m
        self.inputs, self.outputs = s * self.channels[0], m * self.channels[1]
        own = count == self.boxes[1]
        if not own and (count != m or np.any(layer.groups != np.arange(self.boxes[1]) % m)):
            return False
        offsets = np.unique(offset)
        place, part = np.searchsorted(offsets, offset), layer.sources % s
        present = np.zeros((self.units, m, len(offsets), s), bool)
        present[unit, self.row % m, place, part] = True
        # Missing blocks that meet a unit must stay zero; those that meet the zeros outside do.
        there = np.arange(self.units)[:, None] + offsets
        inside = (0 <= there) & (there < self.units) | self.periodic
        self.holes = bool((inside & ~present.all((1, 3))).any())
        if self.holes and not own:
            return False
        self.offsets = [int(o) for o in offsets]
        self.fill(s, m, unit if own else unit * 0, place, part, self.units if own else 1, len(offsets))
        return True

    def fill(self, s, m, unit, place, part, units, places):
        layer, (ci, co) = self.layer, self.channels
        sizes = layer.group_inputs * layer.group_outputs
        starts = np.cumsum(sizes) - sizes
        group = layer.groups[self.row]
        a, b = np.arange(co)[:, None], np.arange(ci)
        blocks = (starts[group] + layer.entry_inputs)[:, None, None] + (
            a * layer.group_inputs[group][:, None, None] + b)
        index = np.full((units, m, co, places, s, ci), -1)
        index[unit, self.row % m, :, place, part, :] = blocks
        self.weight_index = index
        # Biases stand group after group, as boxes or units do.
        self.bias_index = np.arange(len(layer.biases)).reshape(units, -1)

    def parameters(self, dtype):
        """Returns W and b."""
        w, b = self.layer.weights, self.layer.biases
        filled = np.where(self.weight_index >= 0, w[np.maximum(self.weight_index, 0)], 0)
        return filled.astype(dtype), b[self.bias_index].astype(dtype)

    def flat(self, w, b):
        """Returns gradients of W and b in the order of the checkpoint."""
        weights, biases = np.zeros_like(self.layer.weights), np.zeros_like(self.layer.biases)
        weights[self.weight_index[self.weight_index >= 0]] = w[self.weight_index >= 0]
        biases[self.bias_index] = b
        return weights, biases

    @property
    def runs(self):
        """Offsets side by side: (first of them, their number) as places in `offsets`."""
        starts = [k for k, o in enumerate(self.offsets) if k == 0 or o != self.offsets[k - 1] + 1]
        return list(zip(starts, np.diff(starts + [len(self.offsets)]).tolist()))


def block_forms(network):
    """Returns the forms of a network's layers by name."""
    starts = {"input": network.input_starts}
    forms = {}
    for layer in network.layers:
        forms[layer.name] = BlockForm(layer, starts[layer.source])
        starts[layer.name] = layer.target_starts
    return forms
