"""What killed processes left in a store: runs that read RUNNING for ever, and claims that nobody holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnist_bench.tracking.leases import Claim, claims

if TYPE_CHECKING:
    from collections.abc import Collection

    from mlflow.entities import Experiment, Run

    from mnist_bench.tracking.store import Store

__all__ = ["abandoned", "dead_claims", "end_abandoned", "experiments"]


def experiments(store: Store) -> list[Experiment]:
    """Those of a store that this package made for suites.

    Raises:
        StoreError: the store doesn't answer.
    """
    with store.answering():
        return [found for found in store.client.search_experiments() if "suite" in found.tags]


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
    return [run for run in running if run.data.tags.get("variant_key", "") not in held]


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


def dead_claims(store: Store, experiment: str) -> list[Claim]:
    """The claims of processes that are no more.

    Raises:
        StoreError: the store doesn't answer.
    """
    return [claim for claim in claims(store, experiment) if not claim.live]
