"""`python -m mnist_bench`."""

from __future__ import annotations

from mnist_bench.cli import main

main()
