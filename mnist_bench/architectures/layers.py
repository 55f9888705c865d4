"""`keras.layers`, loaded at its first use: architectures are listed and checked without TensorFlow.

Not `lazy_loader`: that leaves a hollow `keras` in `sys.modules`, which anything that walks the loaded modules fills,
TensorFlow's own import among them, half-way through and for good.
"""

from __future__ import annotations

from typing import Any

__all__: list[str] = []  # whatever `keras.layers` has


def __getattr__(name: str) -> Any:
    """The layer of that name (PEP 562)."""
    import keras  # noqa: PLC0415 - see above

    return getattr(keras.layers, name)
