"""Training one run: the compiled epoch, evaluation, seeds. Imports TensorFlow: only workers import this room."""

from __future__ import annotations

from mnist_bench.training.trainer import train

__all__ = ["train"]
