"""Images and labels: where they come from, whether they can be used, and what is held out."""

from mnist_bench.data.dataset import Dataset
from mnist_bench.data.sources import DATASETS, load
from mnist_bench.data.splits import Split, split

__all__ = ["DATASETS", "Dataset", "Split", "load", "split"]
