"""What the server that workers are forked from imports, once for all of them."""

from __future__ import annotations

import os

# TensorFlow greets whoever imports it on standard error, in C++, before it can be told not to.
_errors = os.dup(2)
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
try:
    import mnist_bench.execution.worker
    import mnist_bench.figures.run
    import mnist_bench.training.trainer  # noqa: F401 - imported for what it loads
finally:
    os.dup2(_errors, 2)
