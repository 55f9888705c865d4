"""Lines on standard output, wrapped."""

from __future__ import annotations

import click

__all__ = ["WIDTH", "echo"]

WIDTH = 80  # columns


def echo(line: str) -> None:
    """Print a line, its continuations indented."""
    click.echo(click.wrap_text(line, WIDTH, subsequent_indent="  "))
