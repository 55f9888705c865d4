"""PNG and JPEG files of any size and colour, brought into the form in which MNIST was made."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from mnist_bench.errors import ImageError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["as_mnist", "read_ink"]

_BOX = 20 / 28  # of the field's shorter side: what a digit is scaled to fit
_FAINT, _GRAIN = 0.1, 0.5  # of the strongest ink: below it are artefacts, of JPEG at least, of a photograph at most
_CONTRAST = 0.1  # of black to white: what stands out less is no digit
_FULL = 255.0


def read_ink(path: Path) -> NDArray[np.float32]:
    """How much ink there is at each pixel of an image file: float32 (height, width), 0 none to 1 most.

    Ink is whatever differs from the background, the median colour along the border, so that dark on light, light on
    dark and colours come to the same. What is transparent shows what the rest stands out from, white or black.

    Raises:
        ImageError: it can't be read, is no PNG or JPEG, has more pixels than Pillow takes, or shows nothing.
    """
    pixels = np.asarray(_opened(path))  # uint8 (height, width, 3)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])  # (pixels of the border, 3)
    background = np.median(border, axis=0).astype(np.float32)
    # A channel at a time: what Pillow takes at most is gigabytes as floats.
    squares = sum((pixels[..., channel] - background[channel]) ** 2 for channel in range(3))
    ink: NDArray[np.float32] = np.sqrt(squares / 3)
    most = float(ink.max())
    if most < _CONTRAST * _FULL:
        raise ImageError(f"{path}: nothing stands out from its background: give an image that shows something")
    ink /= most
    # Nine tenths of the border, and a good deal more, are grain and shades of the background.
    uneven = 3 * np.quantile(np.concatenate([ink[0], ink[-1], ink[:, 0], ink[:, -1]]), 0.9)
    ink[ink < np.clip(uneven, _FAINT, _GRAIN)] = 0
    return ink


def as_mnist(ink: NDArray[np.float32], height: int, width: int) -> NDArray[np.uint8]:
    """Ink as an image of MNIST's making: uint8 (height, width), 0 black to 255 white.

    As LeCun et al. (1998) did for 28 x 28 pixels: what is inked is scaled to fit a box of 20 x 20, its aspect kept, and
    placed so that its centre of mass is the centre of the field. Other sizes are in proportion.
    """
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    cut = Image.fromarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    scale = round(_BOX * min(height, width)) / max(cut.size)
    size = (max(1, round(cut.width * scale)), max(1, round(cut.height * scale)))
    digit = np.asarray(cut.resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC))
    digit = np.clip(digit / digit.max(), 0, 1)
    top, left = (_offset(digit.sum(axis=1 - axis), field) for axis, field in enumerate((height, width)))
    image = np.zeros((height, width), np.uint8)
    image[top : top + digit.shape[0], left : left + digit.shape[1]] = np.round(_FULL * digit)
    return image


def _offset(mass: NDArray[np.float32], field: int) -> int:
    """Where along an axis of length `field` the digit begins that has this mass at each of its pixels."""
    centre = float(np.arange(len(mass)) @ mass / mass.sum())
    return int(np.clip(round(field / 2 - centre), 0, field - len(mass)))


def _opened(path: Path) -> Image.Image:
    """The file as an image in RGB, upright."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what Pillow can read in spite of a fault
            # From the first limit on Pillow only warns; from its double on it raises by itself.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=("PNG", "JPEG")) as file:
                return _in_rgb(ImageOps.exif_transpose(file))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise ImageError(
            f"{path}: has more than {Image.MAX_IMAGE_PIXELS:,} pixels: give a smaller picture of it"
        ) from None
    except Exception as fault:  # a damaged file makes Pillow raise nearly anything
        reason = (
            fault.strerror if isinstance(fault, OSError) and fault.strerror else "empty, damaged, or of another kind"
        )
        raise ImageError(
            f"{path}: can't be read as PNG or JPEG ({reason}): give one that an image viewer shows"
        ) from fault


def _in_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits, which Pillow would clip
        return Image.fromarray((np.asarray(image) // 257).astype(np.uint8)).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    grey, opacity = np.asarray(image.convert("L"), np.float32), np.asarray(image.getchannel("A"), np.float32)
    dark = (grey * opacity).sum() < _FULL / 2 * opacity.sum()
    background = Image.new("RGBA", image.size, "white" if dark else "black")
    return Image.alpha_composite(background, image).convert("RGB")
