"""A store that holds a model of real digits, and a browser for the tests that open pages."""

from __future__ import annotations

import shutil

import pytest
from made_up import run_spec
from tracking.recordings import new_store, record

from mnist_bench.data import load, split
from mnist_bench.specs import DatasetRef


@pytest.fixture(scope="session")
def digits_store(tmp_path_factory):
    """Two seeds of a small network, trained on mnist-5k: the model of the better one is kept."""
    from mnist_bench.training.trainer import train  # noqa: PLC0415 - TensorFlow, for the tests of this store alone

    digits = load("mnist-5k")
    cut = split(digits.train_labels, 0.1).digest
    specs = [
        run_spec(seed=seed, options={"widths": [64]}, epochs=6).model_copy(
            update={"dataset": DatasetRef(name=digits.name, digest=digits.digest, split=cut)}
        )
        for seed in (0, 1)
    ]
    store = new_store(tmp_path_factory, tmp_path_factory.mktemp("digits"))
    record(store, specs, [train(spec, digits, on_epoch=lambda _: None) for spec in specs])
    return store


@pytest.fixture(scope="module")
def browser():
    """Chromium as Debian ships it, driven by Playwright."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium here: `apt-get install chromium` has it")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - for these tests alone

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])  # root has none
        yield browser
        browser.close()
