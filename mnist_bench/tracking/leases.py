"""Who trains which variants of an experiment, so that no run is trained by two processes at once.

A lease is tags of the experiment in the store itself, which all drivers share, on whichever machine. MLflow has no
lock; but whoever writes his claim and then reads the others' knows of every claim that was written before, so of two
that claim the same at once at least one sees the other, and withdraws.
"""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from mnist_bench.errors import StoreError
from mnist_bench.tracking.holders import BEAT_SECONDS, STALE_SECONDS, holder, is_gone

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from types import TracebackType

    from mnist_bench.tracking.store import Store

__all__ = ["Claim", "Lease", "claims", "withdraw"]

_PREFIX = "lease."
_VARIANTS_A_TAG = 200  # of 16 digits each: within the 5,000 characters that any MLflow takes
_POLL_SECONDS = 2.0


@dataclass(frozen=True)
class Claim:
    """A tag by which a process claims variants."""

    tag: str
    owner: str  # the lease's id
    holder: Mapping[str, Any]
    variants: frozenset[str]  # their keys

    @property
    def live(self) -> bool:
        """Whether its process is alive, as far as can be told."""
        return not is_gone(self.holder)


class Lease:
    """The right to train and record some variants of an experiment. A context manager: it waits until it has it.

    Args:
        store: where.
        experiment: the experiment's id.
        variants: the variants' keys.
        on_wait: called once, with a line, where another process has to be waited for.

    Raises:
        StoreError: the store doesn't answer.
    """

    def __init__(
        self, store: Store, experiment: str, variants: Collection[str], on_wait: Callable[[str], None] = lambda _: None
    ) -> None:
        self._store = store
        self._experiment = experiment
        self._variants = sorted(set(variants))
        self._on_wait = on_wait
        self._id = uuid.uuid4().hex[:12]
        self._beat_at = 0.0
        self._over = threading.Event()
        self._lost = False
        self._thread = threading.Thread(target=self._keep_beating, name="lease", daemon=True)

    def __enter__(self) -> Self:
        """Wait for the lease, and keep it."""
        told = False
        while (rival := self._try()) is not None:
            if not told:
                self._on_wait(_waiting_for(rival))
                told = True
            time.sleep(random.uniform(0.5, 1) * _POLL_SECONDS)  # noqa: S311 - so that two don't meet for ever
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give the lease up; where the store doesn't answer, it ends with the process."""
        self._over.set()
        self._thread.join()
        try:
            withdraw(self._store, self._experiment, self._tags())
        except StoreError:
            if kind is None:
                raise

    def check(self) -> None:
        """Make sure that it is still ours.

        Raises:
            StoreError: this process was silent for so long that another took over.
        """
        if self._lost:
            raise StoreError(
                f"{self._store.location.address} did not hear of this process for {STALE_SECONDS:.0f} s, and another "
                "took its runs over: what is trained is kept; the same command waits for the other"
            )

    def _try(self) -> Claim | None:
        """Claim; None if it worked, else a claim that stands against it."""
        rival = self._rival()
        if rival is None:
            self._claim()
            rival = self._rival()
            if rival is not None:
                withdraw(self._store, self._experiment, self._tags())
        return rival

    def _rival(self) -> Claim | None:
        """Another's claim to one of the variants; those of processes that are no more are swept away."""
        wanted = set(self._variants)
        against = [c for c in claims(self._store, self._experiment) if c.owner != self._id and c.variants & wanted]
        withdraw(self._store, self._experiment, [claim.tag for claim in against if not claim.live])
        return next((claim for claim in against if claim.live), None)

    def _claim(self) -> None:
        held = holder()
        with self._store.answering():
            for tag, variants in zip(self._tags(), _batches(self._variants), strict=True):
                claim = json.dumps({"holder": held, "variants": variants})
                self._store.client.set_experiment_tag(self._experiment, tag, claim)
        self._beat_at = held["beat"]

    def _tags(self) -> list[str]:
        return [f"{_PREFIX}{self._id}.{n}" for n, _ in enumerate(_batches(self._variants))]

    def _keep_beating(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            try:
                self._beat()
            except StoreError:  # nobody can take over in a store that doesn't answer; once it does, this goes on
                continue

    def _beat(self) -> None:
        """Show that this process is alive, unless another has found it dead meanwhile."""
        if time.time() - self._beat_at > STALE_SECONDS:
            ours = {claim.tag for claim in claims(self._store, self._experiment) if claim.owner == self._id}
            self._lost = self._lost or ours != set(self._tags())
        if not self._lost:
            self._claim()


def claims(store: Store, experiment: str) -> list[Claim]:
    """All claims to variants of an experiment, the dead ones included.

    Raises:
        StoreError: the store doesn't answer.
    """
    with store.answering():
        tags = store.client.get_experiment(experiment).tags
    return [_read(tag, text) for tag, text in tags.items() if tag.startswith(_PREFIX)]


def withdraw(store: Store, experiment: str, tags: Collection[str]) -> None:
    """Delete claims, by their tags; those that are gone already are no fault.

    Raises:
        StoreError: the store doesn't answer.
    """
    if not tags:
        return
    with store.answering():
        there = store.client.get_experiment(experiment).tags
    for tag in tags:
        if tag in there:
            try:
                with store.answering():
                    store.client.delete_experiment_tag(experiment, tag)
            except StoreError:  # two that sweep at once both read it
                if any(claim.tag == tag for claim in claims(store, experiment)):
                    raise


def _read(tag: str, text: str) -> Claim:
    claim = json.loads(text)
    return Claim(tag, tag.removeprefix(_PREFIX).partition(".")[0], claim["holder"], frozenset(claim["variants"]))


def _batches(variants: Collection[str]) -> Iterator[list[str]]:
    remaining = iter(variants)
    while batch := list(islice(remaining, _VARIANTS_A_TAG)):
        yield batch


def _waiting_for(rival: Claim) -> str:
    return (
        f"Waiting for process {rival.holder['pid']} on {rival.holder['host']}, which trains some of these variants: "
        "what it finishes is not trained again. Ctrl-C ends the waiting."
    )
