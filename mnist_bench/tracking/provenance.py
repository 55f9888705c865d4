"""Where runs come from: on what, by what, and where they were trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlflow.entities import Run

__all__ = ["TAGS", "provenance"]

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


def provenance(runs: Iterable[Run]) -> pd.DataFrame:
    """A row a run of one seed: run_id, data_digest, split_digest, versions, processor, threads, onednn, commit.

    None where the run doesn't say.
    """
    rows = [{"run_id": run.info.run_id} | {name: run.data.tags.get(tag) for name, tag in TAGS.items()} for run in runs]
    return pd.DataFrame(rows, columns=["run_id", *TAGS], dtype=object)
