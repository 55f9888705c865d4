"""mnist-bench: did the change help? Paired, multi-seed comparisons of MNIST models."""

__version__ = "0.1.0"
