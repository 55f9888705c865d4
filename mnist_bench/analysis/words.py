"""Figures as sentences and tables set them."""

from __future__ import annotations

__all__ = ["p_value", "signed"]

_LEAST_SHOWN = 0.0001  # p-values


def signed(figure: float) -> str:
    """A figure with its sign, to two digits, as text sets it."""
    return f"{figure:+.2f}".replace("-", "−")


def p_value(p: float) -> str:
    """A p-value to two digits, with its sign of equality; the smallest are only bounded."""
    return f"p = {p:.2g}" if p >= _LEAST_SHOWN else f"p < {_LEAST_SHOWN:g}"
