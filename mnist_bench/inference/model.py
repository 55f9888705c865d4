"""A recorded model, read back and asked. Imports Keras, so only what needs a model imports this."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from scipy.special import softmax

from mnist_bench.errors import ArchitectureError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["diagram", "layer_table", "probabilities", "read_model"]


def read_model(keras_file: bytes) -> Any:
    """The `keras.Model` in a `.keras` file. Keras' safe mode is on: a file can't bring code of its own.

    Raises:
        ArchitectureError: it is no such file, or one of another version of Keras.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        path.write_bytes(keras_file)
        try:
            return keras.saving.load_model(path, compile=False, safe_mode=True)
        except Exception as fault:  # a damaged or foreign file makes Keras raise nearly anything
            reason = str(fault).strip().partition("\n")[0]
            raise ArchitectureError(
                f"the recorded model can't be read by Keras {keras.__version__}: {reason}"
            ) from fault


def probabilities(model: Any, images: NDArray[np.uint8], *, normalize: bool) -> NDArray[np.float64]:
    """Each class's probability for each image, (n, classes).

    Args:
        model: from images to logits.
        images: (n, height, width), 0 black to 255 white.
        normalize: whether it was trained on pixels in [0, 1]; otherwise in [0, 255].
    """
    pixels = images[..., np.newaxis].astype(np.float32) / (255 if normalize else 1)
    return np.asarray(softmax(model.predict(pixels, verbose=0).astype(np.float64), axis=1))


def layer_table(model: Any) -> str:
    """The layers, their shapes and parameters, as Keras prints them."""
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    return "\n".join(lines).rstrip()


def diagram(model: Any) -> bytes | None:
    """The layers as Keras plots them, a PNG file; None where Graphviz, which draws it, isn't installed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.png")
        try:
            keras.utils.plot_model(model, path, show_shapes=True, show_layer_names=True, dpi=96)
        except ImportError:  # Keras' own, once `dot` can't be run
            return None
        return path.read_bytes()
