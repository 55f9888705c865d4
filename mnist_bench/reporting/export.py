"""What was recorded as files for other programs: tidy tables in CSV and Parquet, and what their columns mean."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["COLUMNS", "DICTIONARY", "as_files"]

DICTIONARY = "data_dictionary.csv"

_PANDAS = {
    "text": "str",
    "integer": "Int64",
    "number": "float64",
    "truth value": "boolean",
    "time": "datetime64[ms, UTC]",
}


class Column(NamedTuple):
    """What a column holds. Of every kind, an empty cell (null in Parquet) is what is unknown or not finite."""

    kind: str  # a key of _PANDAS
    unit: str
    description: str


_LABELS = {
    "suite": Column("text", "", "The suite."),
    "dataset": Column("text", "", "The dataset that it was run on."),
    "variant": Column("text", "", "The variant, by the name that it had when it was run."),
    "seed": Column("integer", "", "The seed of all that is random in the run."),
    "run_id": Column("text", "", "The run's id in MLflow, which joins the tables."),
}
COLUMNS: Mapping[str, Mapping[str, Column]] = {
    "runs": {
        **_LABELS,
        "state": Column("text", "", "How the run ended: finished or failed."),
        "counts": Column("truth value", "", "Whether the leaderboard counts it, under the suite's last plan."),
        "pair": Column("integer", "", "Of what counts: runs of two variants with the same number are compared."),
        "started_at": Column("time", "UTC", "When the run began."),
        "seconds": Column("number", "s", "Training and evaluation together."),
        "test_accuracy": Column("number", "share of the images, 0 to 1", "Test images classified rightly."),
        "test_loss": Column("number", "nats an image", "Mean cross-entropy over the test images."),
        "parameters": Column("integer", "", "Weights of the model, those that aren't trained included."),
        "epochs": Column("integer", "", "Epochs that were trained."),
        "kept_epoch": Column("integer", "", "The epoch, from 1, whose weights the run ended with."),
        "train_seconds": Column("number", "s", "The epochs' training alone."),
        "run_key": Column("text", "", "Digest of all that decides the result."),
        "variant_key": Column("text", "", "The run key less the seed; joins runs and settings."),
        "cause": Column("text", "", "Why it failed."),
        "data_digest": Column("text", "", "Digest of the dataset's arrays."),
        "split_digest": Column("text", "", "Digest of which training images are held out for validation."),
        "processor": Column("text", "", "The processor that trained it."),
        "threads": Column("text", "", "TensorFlow's threads."),
        "onednn": Column("text", "", "Whether oneDNN was on (1)."),
        "versions": Column("text", "", "Versions of mnist-bench, Python, TensorFlow, Keras and NumPy."),
        "commit": Column("text", "", "The git commit of the checkout that ran it."),
    },
    "settings": {
        **{name: _LABELS[name] for name in ("suite", "dataset", "variant")},
        "variant_key": Column("text", "", "The run key less the seed; joins runs and settings."),
        "setting": Column("text", "", "The dotted name of an option of the model or of the recipe."),
        "value": Column("text", "by the setting's name", "What it was set to."),
    },
    "curves": {
        **_LABELS,
        "epoch": Column("integer", "", "The epoch, from 1."),
        "metric": Column("text", "", "What was measured: a loss, an accuracy, learning_rate or epoch_seconds."),
        "value": Column(
            "number",
            "losses: nats an image; accuracies: share of the images, 0 to 1; learning_rate: none; epoch_seconds: s",
            "Its value: of the training images as they were trained on, of validation images after the epoch.",
        ),
    },
    "confusion": {
        **_LABELS,
        "true_class": Column("integer", "", "The class that the test images have."),
        "predicted_class": Column("integer", "", "The class that the run's model gives them."),
        "images": Column("integer", "images", "How many test images these are."),
    },
}


def as_files(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, bytes]:
    """Each table as CSV and Parquet, and the data dictionary: files by name.

    Args:
        rows: by table; the keys of `COLUMNS[table]` in each.
    """
    described = [
        {"table": table, "column": name, "type": column.kind, "unit": column.unit, "description": column.description}
        for table, columns in COLUMNS.items()
        for name, column in columns.items()
    ]
    files = {DICTIONARY: pd.DataFrame(described).to_csv(index=False).encode()}
    for table, columns in COLUMNS.items():
        frame = pd.DataFrame(rows[table], columns=[*columns])
        frame = frame.astype({name: _PANDAS[column.kind] for name, column in columns.items()})
        packed = io.BytesIO()
        frame.to_parquet(packed, index=False)
        files |= {f"{table}.csv": frame.to_csv(index=False).encode(), f"{table}.parquet": packed.getvalue()}
    return files
