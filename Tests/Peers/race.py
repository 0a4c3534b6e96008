#!/usr/bin/env python3
"""Times training steps of a twin.

Usage: race.py torch|jax CHECKPOINT.h5 DATA.h5 [--batch 256] [--seconds 5] [--threads 2]

A step takes a random batch out of the samples in memory, computes outputs, loss and gradient, and updates
the parameters by Adam. Prints the median time of a step in milliseconds, after some to warm up; ten
steps are timed at once, so that what need not wait does not.
"""

import argparse
import importlib
import statistics
import time

import numpy as np

from checkpoint import Network, dataset


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("framework")
    parser.add_argument("checkpoint")
    parser.add_argument("data")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.framework == "torch":
        import torch
        torch.set_num_threads(arguments.threads)
    fields, truth = dataset(arguments.data)
    generator = np.random.default_rng(1)
    batches = np.stack([generator.permutation(len(fields))[:arguments.batch] for _ in range(10)])
    twin = importlib.import_module(f"twin_{arguments.framework}")
    steps = twin.trainer(Network(arguments.checkpoint), fields, truth, batches)
    steps()
    steps()
    times, end = [], time.perf_counter() + arguments.seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        steps()
        times.append(time.perf_counter() - start)
    print(f"{1000 * statistics.median(times) / len(batches):.3f}")


if __name__ == "__main__":
    main()
