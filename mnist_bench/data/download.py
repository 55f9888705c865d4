"""What `fetch` runs in a process of its own: `python -m mnist_bench.data.download NAME`."""

from __future__ import annotations

import contextlib
import socket
import sys
import urllib.error
import urllib.request

CONNECT_SECONDS = 5

HOSTS = {
    "mnist": "https://storage.googleapis.com",
    "fashion_mnist": "https://storage.googleapis.com",
    "kmnist": "http://codh.rois.ac.jp",
}

# Keras has no loader for KMNIST. The MD5 sums are those that torchvision checks, since the address is not encrypted.
KMNIST = "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"
KMNIST_MD5 = {
    "train-images-idx3-ubyte.gz": "bdb82020997e1d708af4cf47b453dcf7",
    "train-labels-idx1-ubyte.gz": "e144d726b3acfaa3e44228e80efcd344",
    "t10k-images-idx3-ubyte.gz": "5c965bf0a639b31b8f53240b1b52f4d7",
    "t10k-labels-idx1-ubyte.gz": "7320c461ea6c1c855c0b718fb2a4b134",
}


def download(name: str) -> None:
    """Have Keras fill its cache with the dataset `name`; any exception ends the process, and `fetch` reads why."""
    socket.setdefaulttimeout(CONNECT_SECONDS)
    # Asked first, because without a network it would take Keras seconds to be imported only to fail.
    with contextlib.suppress(urllib.error.HTTPError):  # an answer, whatever it says
        urllib.request.urlopen(HOSTS[name]).close()  # noqa: S310  an address of our own

    import keras  # noqa: PLC0415  brings TensorFlow, so after the question above

    if name == "kmnist":
        for file, md5 in KMNIST_MD5.items():
            keras.utils.get_file(file, KMNIST + file, cache_subdir="datasets/kmnist", file_hash=md5)
    else:
        getattr(keras.datasets, name).load_data()


if __name__ == "__main__":
    download(sys.argv[1])
