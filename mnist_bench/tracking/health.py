"""How a store is: what killed processes left in it and in its outbox, and how to put that right."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from mnist_bench.errors import StoreError, UndeliveredError
from mnist_bench.tracking import schema
from mnist_bench.tracking.leases import claims, withdraw
from mnist_bench.tracking.outbox import Outbox
from mnist_bench.tracking.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from mlflow.entities import Experiment, Run

    from mnist_bench.tracking.store import Store

__all__ = ["Finding", "abandoned", "end_abandoned", "findings"]


@dataclass(frozen=True)
class Finding:
    """What was looked at, and what came of it."""

    area: str
    told: str
    wrong: bool = False
    mend: Callable[[], object] | None = None  # puts it right, or raises MnistBenchError


def findings(store: Store) -> Iterator[Finding]:
    """Look at schema, outbox, leases and runs.

    Raises:
        StoreError: the store doesn't answer.
    """
    with store.answering():
        ours = [found for found in store.experiments() if "dataset" in found.tags]
    yield _schema(ours)
    yield from _outbox(store)
    yield _leases(store, ours)
    yield _runs(store, ours)


def abandoned(store: Store, experiment: str, ours: Collection[str] = ()) -> list[Run]:
    """The runs that read RUNNING and that no living process trains or records.

    Args:
        store: where.
        experiment: the experiment's id.
        ours: keys of the variants that this process has a lease on; it has begun none of their runs yet.

    Raises:
        StoreError: the store doesn't answer.
    """
    held = {key for claim in claims(store, experiment) if claim.live for key in claim.variants} - set(ours)
    with store.answering():
        running = store.client.search_runs([experiment], "attributes.status = 'RUNNING'")
    return [run for run in running if not _is_held(run, held)]


def end_abandoned(store: Store, experiment: str, ours: Collection[str] = ()) -> int:
    """Make them KILLED, and count them; one whose result waits in an outbox is completed when that is delivered.

    Raises:
        StoreError: the store doesn't answer.
    """
    left = abandoned(store, experiment, ours)
    with store.answering():
        for run in left:
            store.client.set_terminated(run.info.run_id, "KILLED")
    return len(left)


def _is_held(run: Run, held: Collection[str]) -> bool:
    """Whether a variant's run or a study is in somebody's hands; a study's trial is completed by its next search."""
    tags = run.data.tags
    studies = {key.partition(" ")[0] for key in held}
    return "trial" in tags or tags.get("variant_key") in held or tags.get("study_identity") in studies


def _schema(experiments: Collection[Experiment]) -> Finding:
    for experiment in experiments:
        try:
            schema.check(experiment)
        except StoreError as fault:
            return Finding("schema", str(fault), wrong=True)
    return Finding("schema", f"{len(experiments)} experiments, all of this version or older ones")


def _outbox(store: Store) -> Iterator[Finding]:
    outbox = Outbox(store.location.outbox)
    waiting, aside = outbox.entries() + outbox.half_written(), outbox.set_aside()
    if waiting:
        told = f"{len(waiting)} files wait in {outbox.folder}: `mnist-bench sync` delivers them"
        yield Finding("outbox", told, wrong=True, mend=partial(_deliver, store, outbox))
    else:
        yield Finding("outbox", f"nothing waits in {outbox.folder}")
    if aside:
        yield Finding("outbox", f"{len(aside)} files that can't be read were set aside as {outbox.folder}/*.rejected")


def _deliver(store: Store, outbox: Outbox) -> None:
    delivery = Recorder(store, outbox).deliver()
    if outbox.entries():
        raise UndeliveredError("; ".join(delivery.faults) or "another process has them in hand")


def _leases(store: Store, experiments: Collection[Experiment]) -> Finding:
    held = {found.experiment_id: claims(store, found.experiment_id) for found in experiments}
    dead = {experiment: [claim.tag for claim in there if not claim.live] for experiment, there in held.items()}
    many = sum(map(len, dead.values()))
    if not many:
        live = sum(map(len, held.values()))
        return Finding("leases", f"{live} held, all by living processes" if live else "none held")

    def mend() -> None:
        for experiment, tags in dead.items():
            withdraw(store, experiment, tags)

    return Finding("leases", f"{many} of processes that are no more", wrong=True, mend=mend)


def _runs(store: Store, experiments: Collection[Experiment]) -> Finding:
    left = {found.experiment_id: abandoned(store, found.experiment_id) for found in experiments}
    many = sum(map(len, left.values()))
    if not many:
        return Finding("runs", "none reads RUNNING that isn't")

    def mend() -> None:
        for experiment in left:
            end_abandoned(store, experiment)

    return Finding("runs", f"{many} read RUNNING, but no process trains or records them", wrong=True, mend=mend)
