"""`mnist-bench doctor`: what is wrong, and mended."""

from __future__ import annotations

import platform
import shutil
from functools import partial
from importlib import metadata
from typing import TYPE_CHECKING

import click
import psutil
from dask.system import CPU_COUNT
from packaging.requirements import Requirement

from mnist_bench import data
from mnist_bench.cli.options import data_dir_option, dataset_option, tracking_uri_option
from mnist_bench.errors import MnistBenchError, OutdatedError, UnwellError
from mnist_bench.tracking import locate, open_if_there
from mnist_bench.tracking.health import Finding, findings
from mnist_bench.tracking.migration import migrate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mnist_bench.tracking import Location

__all__ = ["command"]

_GIB = 2**30
_WORKER_BYTES = _GIB  # one holds 0.65 GiB after 100 runs (README, Measured), and its model trains in the rest
_DISK_BYTES = _GIB


@click.command("doctor")
@click.option("--fix", is_flag=True, help="Mend what can be mended.")
@dataset_option
@data_dir_option
@tracking_uri_option
def command(*, fix: bool, dataset: str, data_dir: Path | None, tracking_uri: str | None) -> None:
    """Say what is wrong with store, outbox, data and machine, and mend it with --fix."""
    wrong = mendable = 0
    for finding in _all(locate(tracking_uri), dataset, data_dir):
        state, told = "ok", finding.told
        if finding.wrong:
            state, told = _mended(finding.mend, told) if fix and finding.mend else ("WRONG", told)
            wrong += state == "WRONG"
            mendable += state == "WRONG" and finding.mend is not None and not fix
        click.echo(f"{state:<6} {finding.area:<8} {told}")
    if wrong:
        raise UnwellError(f"{wrong} wrong" + (f", of which --fix mends {mendable}" if mendable else ""))


def _mended(mend: Callable[[], object], told: str) -> tuple[str, str]:
    """The state and the words of a finding after the attempt to mend it."""
    try:
        mend()
    except MnistBenchError as fault:
        return "WRONG", f"{told}; can't be mended now: {fault}"
    return "mended", told


def _all(location: Location, dataset: str, data_dir: Path | None) -> Iterator[Finding]:
    yield from _store(location)
    yield _data(dataset, data_dir)
    yield _versions()
    yield _threads()
    yield _disk(location.folder)


def _store(location: Location) -> Iterator[Finding]:
    try:
        yield from _outdated(location)
        store = open_if_there(location.uri)
        if store is None:
            yield Finding("store", f"none yet at {location.address}: `mnist-bench run` makes it")
            return
        yield Finding("store", location.address)
        yield from findings(store)
    except OutdatedError:
        return  # which was told, and isn't mended
    except MnistBenchError as fault:
        yield Finding("store", str(fault), wrong=True)


def _outdated(location: Location) -> Iterator[Finding]:
    """MLflow's schema, where it has to be mended before anything else can be looked at."""
    try:
        store = open_if_there(location.uri)
        _ = store and store.client  # what is read without it, an upgraded MLflow may refuse
    except OutdatedError as fault:
        yield Finding("database", str(fault), wrong=True, mend=partial(migrate, location))


def _data(dataset: str, data_dir: Path | None) -> Finding:
    try:
        loaded = data.load(dataset, data_dir)
    except MnistBenchError as fault:
        return Finding("data", str(fault), wrong=True)
    images = len(loaded.train_labels) + len(loaded.test_labels)
    return Finding("data", loaded.note or f"{loaded.name}, {images:,} images: {loaded.source}")


def _versions() -> Finding:
    """Whether what is installed is what this package asks for."""
    asked = [Requirement(line) for line in metadata.requires("mnist-bench") or ()]
    unmet = []
    for requirement in asked:
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            installed = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            installed = "none"
        if installed == "none" or not requirement.specifier.contains(installed, prereleases=True):
            unmet.append(f"{requirement} (installed: {installed})")
    if unmet:
        return Finding("versions", f"asked for {', '.join(unmet)}: install mnist-bench anew", wrong=True)
    shown = [f"{name} {metadata.version(name)}" for name in ("tensorflow", "keras", "numpy", "mlflow", "optuna")]
    return Finding("versions", ", ".join([f"python {platform.python_version()}", *shown]))


def _threads() -> Finding:
    """Whether as many workers as there are cores find memory."""
    each = psutil.virtual_memory().available / CPU_COUNT
    told = f"{CPU_COUNT} cores: {CPU_COUNT} workers of one thread, {each / _GIB:.1f} GiB of free memory for each"
    if each >= _WORKER_BYTES:
        return Finding("threads", told)
    fewer = max(1, int(each * CPU_COUNT // _WORKER_BYTES))
    return Finding("threads", f"{told}, which may be too little: take --workers {fewer}", wrong=True)


def _disk(folder: Path) -> Finding:
    place = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(place).free
    told = f"{free / _GIB:.1f} GiB free in {place}"
    if free < _DISK_BYTES:
        return Finding("disk", f"{told}: make room, or keep the store elsewhere by --tracking-uri", wrong=True)
    return Finding("disk", told)
