"""Every architecture, by name. To add one, write a decorated function in its family's file."""

from __future__ import annotations

from mnist_bench.architectures import convolutional, dense
from mnist_bench.architectures.registry import Activation, Architecture, build, get, names, resolve_options

__all__ = ["Activation", "Architecture", "build", "convolutional", "dense", "get", "names", "resolve_options"]
