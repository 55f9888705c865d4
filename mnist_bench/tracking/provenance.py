"""Where runs come from: on what, by what, and where they were trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mnist_bench.tracking.store import Store

__all__ = ["TAGS", "read_provenance"]

# Our names for MLflow's tags.
TAGS = {
    "data_digest": "data_digest",
    "split_digest": "split_digest",
    "versions": "environment.versions",
    "processor": "environment.processor",
    "threads": "environment.threads",
    "onednn": "environment.onednn",
    "commit": "mlflow.source.git.commit",
}


def read_provenance(store: Store, run_ids: Iterable[str]) -> pd.DataFrame:
    """A row a run of one seed: run_id, data_digest, split_digest, versions, processor, threads, onednn, commit.

    None where the run doesn't say.

    Raises:
        StoreError: there is no such run, or the store doesn't answer.
    """
    with store.answering():
        runs = [store.client.get_run(run_id) for run_id in run_ids]
    rows = [{"run_id": run.info.run_id} | {name: run.data.tags.get(tag) for name, tag in TAGS.items()} for run in runs]
    return pd.DataFrame(rows, columns=["run_id", *TAGS], dtype=object)
