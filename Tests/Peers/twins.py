#!/usr/bin/env python3
"""Compares twins of a network in PyTorch and JAX with the program: outputs and gradients.

Usage: twins.py BEFORE.h5 AFTER.h5 DATA.h5 PREDICTIONS.h5 [--framework torch,jax] [--tolerance X]

BEFORE and AFTER are checkpoints of two following steps of a training with --beta1 0 and with the whole
training part as batch: then the first moments of AFTER are the gradient at the parameters of BEFORE.
PREDICTIONS is what `h2nn-dist predict --checkpoint BEFORE.h5 --data DATA.h5` wrote. Prints the largest
relative deviation of a sample's output, normalized, and of a layer's gradient; exits with 1 if one is above the tolerance
(1e-5 for checkpoints in float, 1e-12 for those in double), with 69 if a framework is not installed.
"""

import argparse
import importlib
import importlib.util
import sys

import h5py
import numpy as np

from checkpoint import Network, dataset, deviations, moments


def main():
    parser = argparse.ArgumentParser()
    for name in ("before", "after", "data", "predictions"):
        parser.add_argument(name)
    parser.add_argument("--framework", default="torch,jax")
    parser.add_argument("--tolerance", type=float)
    arguments = parser.parse_args()
    network, gradients = Network(arguments.before), moments(arguments.after)
    settings = network.training
    fields, truth = dataset(arguments.data)
    count = int(settings["split"]["training"] * len(fields) + 0.5)
    if settings["beta1"] != 0 or settings["batch"] != count or Network(arguments.after).step != network.step + 1:
        sys.exit(f"checkpoints of two following steps with --beta1 0 and --batch {count} are needed")
    with h5py.File(arguments.predictions) as file:
        predictions = file["Output"][:].reshape(len(fields), -1)
    tolerance = arguments.tolerance or (1e-12 if network.precision == "double" else 1e-5)
    status = 0
    for framework in arguments.framework.split(","):
        if importlib.util.find_spec(framework) is None:
            print(f"{framework} is not installed")
            return 69
        twin = importlib.import_module(f"twin_{framework}")
        outputs, theirs = twin.evaluate(network, fields, truth, count)
        deviation = deviations(network.targets(predictions), outputs).max()
        worst = max(
            ((np.linalg.norm(ours - other) / np.linalg.norm(ours), f"{kind} of {name}")
             for name in gradients
             for kind, ours, other in zip(("weights", "biases"), gradients[name], theirs[name])),
            key=lambda item: item[0] if item[0] == item[0] else np.inf)
        print(f"{framework}: outputs {deviation:.3e}, gradient {worst[0]:.3e} ({worst[1]})")
        # Written so that not-a-number fails.
        status = status if deviation <= tolerance and worst[0] <= tolerance else 1
    return status


if __name__ == "__main__":
    sys.exit(main())
