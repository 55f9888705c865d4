"""What all pictures share: colours, sizes of text, and how a figure becomes a file."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from matplotlib.backends.backend_agg import FigureCanvasAgg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["BLUE", "DPI", "GREEN", "GREY", "ORANGE", "SMALL", "TEXT", "VERMILION", "to_png"]

# Okabe and Ito's, told apart by every kind of colour vision.
BLUE, VERMILION, GREEN, ORANGE, GREY = "#0072b2", "#d55e00", "#009e73", "#e69f00", "#767676"
DPI = 100
SMALL, TEXT = 8, 9  # points


def to_png(figure: Figure) -> bytes:
    """The figure as a PNG file."""
    buffer = io.BytesIO()
    # Packed lightly: the least of the time, for a few kilobytes more.
    FigureCanvasAgg(figure).print_png(buffer, pil_kwargs={"compress_level": 1})  # type: ignore[no-untyped-call]
    return buffer.getvalue()
