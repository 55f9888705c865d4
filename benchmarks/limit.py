"""How near the compiled step is to what the processor can do, net by net and layer by layer, on one thread.

The floating-point operations of a step's convolutions and matrix products are counted (`counting.py`), and set against
what a large matrix product reaches on one thread in the same run: the percentage of the limit. Then the roofline of
each layer: attainable = min(peak, intensity x bandwidth), intensity being operations over the bytes that the layer has
to move, and bandwidth what copying as many bytes reaches (so that what fits the cache is held to the cache). `lost` is
the time that the layer takes (`profiling.py`) beyond that: the largest is what to mend next. A layer that was fused
with the one before it takes no time of its own, and can seem to go beyond what is attainable.

A step's seconds are the processor's, which on one thread are the clock's, but for what others take of a shared machine;
the profile's are the clock's.

Usage: python benchmarks/limit.py [--dataset mnist] [--suite references] [--only VARIANT] [--steps 100] [--repeats 5]
"""

from __future__ import annotations

import argparse
import functools
import os
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mnist_bench.training.environment import ENVIRONMENT

os.environ.update(ENVIRONMENT)  # a worker's, before TensorFlow reads it

import tensorflow as tf
from counting import Layer, Pass, count
from profiling import REST, layer_seconds
from work import heading, plan_of

from mnist_bench.training.compiled import compiled_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from mnist_bench.data import Dataset
    from mnist_bench.specs import RunSpec

SUITES = ("ablations", "references")
SIZES = (512, 1024, 2048)  # of square matrices
LEAST_COPY, MOST_COPY = 2**17, 2**26  # bytes
NET = "{:<34}{:<15}{:>7}{:>10}{:>12}{:>12}{:>12}{:>9}"
ROW = "{:<28}{:>9}{:>8}{:>8}{:>8}{:>11}{:>9}{:>7}{:>9}{:>10}{:>8}{:>5}"
HEADS = (
    ("", "MFLOP", "input", "weight", "FLOP/", "attainable", "reached", "of", "forward", "backward", "lost", ""),
    ("layer", "forward", "grad.", "grad.", "byte", "GFLOP/s", "GFLOP/s", "it", "us", "us", "us", ""),
)


def median_seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """The median of so many calls, after one that doesn't count."""
    times = []
    for _ in range(1 + repeats):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return statistics.median(times[1:])


@functools.cache
def peak(dtype: str) -> float:
    """What a matrix product in `dtype` reaches on this thread, in operations a second."""
    best = 0.0
    for size in SIZES:
        matrix = tf.cast(tf.random.normal((size, size)), dtype)
        seconds = median_seconds(lambda matrix=matrix: tf.matmul(matrix, matrix).numpy())
        best = max(best, 2 * size**3 / seconds)
    return best


def bandwidth(traffic: int) -> float:
    """Bytes read and written a second, where so many are moved."""
    return _bandwidth(min(max(2 ** round(np.log2(max(traffic, 1))), LEAST_COPY), MOST_COPY))


@functools.cache
def _bandwidth(traffic: int) -> float:
    source = np.ones(traffic // 2, np.uint8)
    target = np.empty_like(source)
    times = max(1, MOST_COPY // traffic)

    def copy() -> None:
        for _ in range(times):
            np.copyto(target, source)

    return traffic * times / median_seconds(copy)


def least_seconds(part: Pass, dtype: str) -> float:
    """The roofline's: bound by computing, or by moving."""
    return max(part.flops / peak(dtype), part.traffic / bandwidth(part.traffic))


@dataclass(frozen=True)
class Net:
    """A variant's compiled step, counted and measured."""

    spec: RunSpec
    layers: list[Layer]
    seconds: float  # a step
    by_layer: dict[str, tuple[float, float]]  # seconds a step, forward and backward

    def show(self) -> None:
        """Print its row: products alone count towards the limit."""
        products = [(part, layer.dtype) for layer in self.layers for part in layer.passes.values() if part.product]
        flops = sum(part.flops for part, _ in products)
        limit = sum(part.flops / peak(dtype) for part, dtype in products) / self.seconds
        name, recipe = f"{self.spec.suite}/{self.spec.variant}", self.spec.recipe
        figures = (f"{flops / 1e6:.1f}", f"{1e6 * self.seconds:.0f}", f"{flops / self.seconds / 1e9:.1f}")
        batch = f"{1e6 * self.seconds / recipe.batch_size:.2f}"
        print(NET.format(name, recipe.precision, recipe.batch_size, *figures, batch, f"{limit:.1%}"), flush=True)

    def show_layers(self) -> None:
        """Print the roofline of each layer, with a mark at the most time lost."""
        print(
            f"\n{self.spec.suite}/{self.spec.variant}: {self.spec.architecture}, {self.spec.recipe.precision}, a step"
        )
        print(ROW.format(*HEADS[0]))
        print(ROW.format(*HEADS[1]))
        lost = {layer.name: self._lost(layer) for layer in self.layers}
        most = max(lost.values())
        for layer in self.layers:
            self._show_layer(layer, lost[layer.name], mark="<--" if lost[layer.name] == most else "")
        known = sum(map(sum, self.by_layer.values()))
        print(f"{REST}: {1e6 * sum(self.by_layer.get(REST, (0, 0))):.0f} us", end="; ")
        print(f"between operations: {1e6 * (self.seconds - known):.0f} us", flush=True)
        if known > self.seconds:
            print("The operations took longer than the step's processor time: the machine was busy, measure again.")

    def _lost(self, layer: Layer) -> float:
        least = sum(least_seconds(part, layer.dtype) for part in layer.passes.values())
        return sum(self.by_layer.get(layer.name, (0, 0))) - least

    def _show_layer(self, layer: Layer, lost: float, mark: str) -> None:
        forward, backward = self.by_layer.get(layer.name, (0.0, 0.0))
        passes = [layer.passes.get(name) for name in ("forward", "input gradient", "weight gradient")]
        counted = [f"{part.flops / 1e6:.2f}" if part else "" for part in passes]
        took = forward + backward
        least = took - lost
        rates = (layer.flops / least / 1e9, layer.flops / took / 1e9, least / took) if took else (0.0, 0.0, 0.0)
        attainable, reached, share = rates
        figures = [f"{layer.flops / layer.traffic:.1f}", f"{attainable:.1f}", f"{reached:.1f}", f"{share:.0%}"]
        times = [f"{1e6 * seconds:.0f}" for seconds in (forward, backward, lost)]
        print(ROW.format(layer.label, *counted, *figures, *times, mark))


def measure(spec: RunSpec, dataset: Dataset, compiled: Any, steps: int, repeats: int) -> Net:
    """Time and profile steps of the compiled model."""
    recipe = spec.recipe
    images = tf.constant(dataset.train_images[..., np.newaxis])
    labels = tf.constant(dataset.train_labels, tf.int32)
    order = np.resize(np.arange(len(labels), dtype=np.int32), steps * recipe.batch_size)
    rates = np.full(steps, recipe.learning_rate, np.float32)
    compiled.reseed(spec.seed)

    def epoch() -> object:
        return compiled.train_epoch(images, labels, order, rates, spec, 1)

    seconds = median_seconds(epoch, repeats) / steps
    layers = count(compiled.model, recipe.batch_size, recipe.optimizer)
    return Net(spec, layers, seconds, layer_seconds(compiled, epoch, steps))


def main() -> None:
    """Print the processor's limit, each net's share of it, and the roofline of one net of each architecture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--suite", choices=SUITES, help="one suite only")
    parser.add_argument("--only", action="append", default=[], metavar="VARIANT", help="of its variants")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.only and not arguments.suite:
        parser.error("--only VARIANT: say of which --suite")
    print(heading(f"one thread, medians of {arguments.repeats} times {arguments.steps} steps"))
    reached = ", ".join(f"{dtype} {peak(dtype) / 1e9:.0f} GFLOP/s" for dtype in ("float32", "bfloat16"))
    copied = ", ".join(f"{size >> 10:,} KiB {_bandwidth(size) / 2**30:.0f} GiB/s" for size in (2**18, 2**22, MOST_COPY))
    print(f"matrix product: {reached}\ncopying, read and written: {copied}\n")
    print(NET.format("net", "precision", "batch", "MFLOP", "us a step", "GFLOP/s", "us an image", "limit"))
    nets: dict[str, Net] = {}  # the first of each architecture
    seen: list[Any] = []
    for suite in [arguments.suite] if arguments.suite else SUITES:
        plan = plan_of(suite, arguments.dataset, only=arguments.only, epochs=None, seeds=1)
        for spec in plan.runs:
            compiled = compiled_for(spec, plan.dataset.image_shape, plan.dataset.classes)
            if not any(compiled is other for other in seen):  # a step that another variant has too
                seen.append(compiled)
                net = measure(spec, plan.dataset, compiled, arguments.steps, arguments.repeats)
                net.show()
                nets.setdefault(spec.architecture, net)
    for net in nets.values():
        net.show_layers()


if __name__ == "__main__":
    main()
