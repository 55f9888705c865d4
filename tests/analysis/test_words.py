"""Figures as text sets them."""

from __future__ import annotations

import pytest

from mnist_bench.analysis.words import p_value, signed


@pytest.mark.parametrize(("figure", "text"), [(0.308, "+0.31"), (-0.308, "−0.31"), (-0.001, "−0.00"), (12.0, "+12.00")])
def test_a_signed_figure_keeps_its_direction(figure, text):
    """Two digits and a real minus; what rounds to nothing still says which way it lies."""
    assert signed(figure) == text


@pytest.mark.parametrize(
    ("p", "text"), [(0.0468, "p = 0.047"), (1.0, "p = 1"), (0.0001, "p = 0.0001"), (0.0, "p < 0.0001")]
)
def test_a_p_value_has_two_digits_or_a_bound(p, text):
    """Smaller than one in ten thousand is not told apart."""
    assert p_value(p) == text
