"""What figures say, read back from them."""

from __future__ import annotations

import io

import numpy as np
from matplotlib import image
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from mnist_bench.figures.style import to_png


def texts(figure):
    """All texts that are shown somewhere."""
    return {text.get_text() for text in figure.findobj(Text) if text.get_text()}


def check_readable(figure):
    """No text is smaller than 8 points, the file is a picture of some size, and pyplot holds no figure."""
    pixels = image.imread(io.BytesIO(to_png(figure)))
    assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text()) >= 8
    assert min(pixels.shape[:2]) > 300
    assert np.ptp(pixels[..., :3]) > 0.9
    assert plt.get_fignums() == []


def check_inside(figure):
    """Nothing reaches beyond the figure, where it would be cut off."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # what is laid out as it is drawn is laid out now
    width, height = figure.get_size_inches()
    drawn = figure.get_tightbbox(canvas.get_renderer())  # inches
    assert -0.01 <= drawn.x0 <= drawn.x1 <= width + 0.01
    assert -0.01 <= drawn.y0 <= drawn.y1 <= height + 0.01
