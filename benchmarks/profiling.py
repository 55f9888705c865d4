"""How long each layer of a compiled step takes, by TensorFlow's profiler."""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mnist_bench.training.compiled import CompiledModel

REST = "images, loss, figures"  # whatever belongs to no layer
_NUMBERS = re.compile(r"((?:_\d+)*)$")


def layer_seconds(compiled: CompiledModel, epoch: Callable[[], object], steps: int) -> dict[str, tuple[float, float]]:
    """Seconds a step, forward and backward, by layer; `optimizer` and `REST` are among them.

    Each operation counts with its median over the steps; those of less than 2 us are not in TensorFlow's profile.

    Args:
        compiled: the model that is trained.
        epoch: trains it for so many steps.
        steps: how many.

    Raises:
        SystemExit: the operations can't be told apart by layer.
    """
    durations: dict[str, list[float]] = defaultdict(list)
    for name, seconds in _operations(epoch):
        durations[name].append(seconds)
    model = compiled.model
    layers = _layers_of_scopes(model, _names_in_graph(compiled))
    products = _products_before(model)
    spent: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for name, each in durations.items():
        path, _, kind = name.rpartition(":")
        layer = layers.get(_scope(model, path) or "", "optimizer" if _is_optimizer(path) else REST)
        if layer in products and ("Conv2D" in kind or "MatMul" in kind):
            layer = products[layer]  # fused with the activation that comes after it, and called by its name
        backward = "/gradients/" in path
        spent[layer][backward] += statistics.median(each) * len(each) / steps
    return {layer: (forward, backward) for layer, (forward, backward) in spent.items()}


def _operations(epoch: Callable[[], object]) -> Iterator[tuple[str, float]]:
    """The operations of an epoch, as `path/in/the/graph:Kind`, and how long each took."""
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        epoch()
        tf.profiler.experimental.stop()
        (path,) = Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(path.read_bytes())
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                if re.fullmatch(r"[\w/.]+:\w+", name):  # the others are the executor's, around these
                    yield name, event.duration_ps / 1e12


def _names_in_graph(compiled: CompiledModel) -> Iterator[str]:
    """Those of all operations of the epoch, also of such as are too short for the profile."""
    graph = compiled._epoch.get_concrete_function().graph.as_graph_def()  # noqa: SLF001 - whose names they are
    return (node.name for function in graph.library.function for node in function.node_def)


def _scope(model: Any, path: str) -> str | None:
    """What stands below the model's own name in an operation's path: its layer's scope."""
    found = re.search(rf"(?:^|/){re.escape(model.name)}(?:_\d+)*/([^/]+)/", path)
    return found and found.group(1)


def _is_optimizer(path: str) -> bool:
    return re.search(r"/(fused_adam|fused_adam_w|sgd)(_\d+)?/", path) is not None


def _layers_of_scopes(model: Any, paths: Iterable[str]) -> dict[str, str]:
    """The layer that each scope belongs to.

    TensorFlow numbers a scope that was entered before (`dense` becomes `dense_1`, `dense_1` becomes `dense_1_2`), so
    that a name alone doesn't tell: the scopes of a kind are its layers, in the same order.
    """
    scopes = {scope for path in paths if (scope := _scope(model, path))}
    entered = {kind: sorted(names, key=_place) for kind, names in _by_kind(scopes).items()}
    found = {}
    for kind, names in _by_kind(layer.name for layer in model.layers).items():
        members = sorted(names, key=_place)
        if kind not in entered:
            continue  # nothing is left of them: dropout of 0, say
        if len(members) != len(entered[kind]):
            sys.exit(f"{model.name}: its graph has {entered[kind]} where the model has {members}")
        found |= dict(zip(entered[kind], members, strict=True))
    return found


def _by_kind(names: Iterable[str]) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = defaultdict(list)
    for name in names:
        kinds[_NUMBERS.sub("", name)].append(name)
    return kinds


def _place(name: str) -> list[int]:
    """Its numbers, in order."""
    found = _NUMBERS.search(name)
    return [int(number) for number in found.group(1).split("_")[1:]] if found else []


def _products_before(model: Any) -> dict[str, str]:
    """For each layer without a product of its own, the convolution or dense layer before it."""
    before, last = {}, None
    for layer in model.layers:
        if type(layer).__name__ in {"Conv2D", "Dense"}:
            last = layer.name
        elif last:
            before[layer.name] = last
    return before
