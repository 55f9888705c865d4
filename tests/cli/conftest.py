"""A browser for the tests that open pages."""

from __future__ import annotations

import os
import shutil

import pytest


@pytest.fixture(scope="module")
def browser():
    """Chromium as Debian ships it, driven by Playwright."""
    chromium = shutil.which("chromium")
    if chromium is None and os.environ.get("MNIST_BENCH_REQUIRE_BROWSER") == "1":
        pytest.fail("MNIST_BENCH_REQUIRE_BROWSER is 1, but there is no chromium")
    if chromium is None:
        pytest.skip("no chromium here: `apt-get install chromium` has it")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - for these tests alone

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])  # root has none
        yield browser
        browser.close()
