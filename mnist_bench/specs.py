"""What a run is, and what came of it: frozen values that describe themselves, and the run key.

Everything here is plain data. A `RunSpec` says all that decides a run's result, so its key is a digest of its fields:
the same key means the same bits, on the same number of threads.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from mnist_bench.values import Count, Flag, Fraction, Frozen, Name, Positive

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

__all__ = ["Augmentation", "Code", "DatasetRef", "EarlyStopping", "Recipe", "RunResult", "RunSpec"]

# TOML has no null: a variant turns off by `false` what the baseline has.
_OFF = BeforeValidator(lambda value: None if value is False else value)

Degrees = Annotated[float, Field(strict=True, ge=0, le=180)]


class Augmentation(Frozen):
    """How far each training image is moved, drawn anew for each image and epoch, uniformly in ± each bound."""

    rotation_degrees: Degrees = 0.0
    shift_fraction: Fraction = 0.0  # of the image's height and width
    zoom_fraction: Fraction = 0.0  # 0.1: between 0.9 and 1.1 times as large
    shear_degrees: Annotated[float, Field(strict=True, ge=0, lt=90)] = 0.0


class EarlyStopping(Frozen):
    """Stop when `watch` has not improved for `patience` epochs."""

    watch: Literal["val_loss", "val_accuracy", "train_loss", "train_accuracy"] = "val_loss"
    patience: Count = 3
    restore_best: Flag = True  # whether the weights of the best epoch come back


class Recipe(Frozen):
    """Everything about training that is not the model."""

    epochs: Count = 10
    batch_size: Count = 100
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: Positive = 1e-3  # the peak, where the schedule moves it
    schedule: Literal["constant", "cosine", "one_cycle"] = "constant"
    momentum: Fraction = 0.9  # of sgd
    weight_decay: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)] = 0.004  # of adamw
    normalize: Flag = True  # pixels to [0, 1]; otherwise they stay in [0, 255]
    label_smoothing: Fraction = 0.0
    precision: Literal["float32", "bfloat16", "auto"] = "float32"
    validation: Annotated[int, Field(strict=True, ge=0)] | Fraction = 0.1  # images, or a fraction of them; 0: none
    early_stopping: Annotated[EarlyStopping | None, _OFF] = None
    augment: Annotated[Augmentation | None, _OFF] = None
    checkpoint_every: Annotated[Count | None, _OFF] = None  # epochs between checkpoints of the weights

    @model_validator(mode="after")
    def _watches_what_is_held_out(self) -> Self:
        if self.early_stopping and self.early_stopping.watch.startswith("val_") and not self.validation:
            raise ValueError(
                f"early stopping watches {self.early_stopping.watch}, but validation = 0 holds nothing out"
            )
        return self


class DatasetRef(Frozen):
    """Which dataset, and which cut of it."""

    name: Annotated[str, Field(pattern=r"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}\z")]  # a label, not part of the run key
    digest: str  # of the arrays
    split: str  # of the indices that are held out for validation


class Code(Frozen):
    """What trains: versions, and digests of the sources that decide a result."""

    tensorflow: str
    keras: str
    numpy: str  # its generators shuffle
    data: str
    training: str
    architecture: str  # the file of the architecture's family, and the registry that builds from it


class RunSpec(Frozen):
    """One variant, one seed, one dataset. `suite`, `variant` and `dataset.name` are labels; the rest is the key."""

    suite: Name
    variant: Name
    architecture: str
    options: dict[str, Any]
    recipe: Recipe
    dataset: DatasetRef
    seed: int
    code: Code
    start_from: RunSpec | None = None  # the run whose trained weights this one starts from

    def identity(self, *, seeded: bool = True) -> dict[str, Any]:
        """All that decides the result, as plain JSON values; without the seed, what a variant's runs share."""
        labels: dict[str, Any] = {"suite": True, "variant": True, "dataset": {"name"}}
        identity = self.model_dump(
            mode="json", exclude=labels | {"start_from": True} | ({} if seeded else {"seed": True})
        )
        identity["start_from"] = self.start_from.identity(seeded=seeded) if self.start_from else None
        return identity

    @property
    def key(self) -> str:
        """The run key: 16 hexadecimal digits."""
        return _digest(self.identity())

    @property
    def variant_key(self) -> str:
        """The run key less the seed: the same for every run of a variant, and for no other's."""
        return _digest(self.identity(seeded=False))


def _digest(identity: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What came of one run. A failed run has a `cause`, the epochs that it got through, and no test figures.

    A search's trial has no test figures either, and may be `pruned`: ended early, since others did better.
    """

    spec: RunSpec
    started_at: float  # seconds since 1970
    seconds: float  # training and evaluation
    cause: str | None = None  # why it failed, in one line
    pruned: bool = False
    history: tuple[Mapping[str, float], ...] = ()  # one an epoch: train_loss, val_accuracy, learning_rate, …
    metrics: Mapping[str, float] = field(default_factory=dict)  # of the whole: parameters, test_accuracy, test_loss, …
    environment: Mapping[str, str] = field(default_factory=dict)  # processor, threads, versions
    confusion: np.ndarray | None = None  # (classes, classes) int64: rows the truth, columns the prediction
    artifacts: Mapping[str, bytes] = field(default_factory=dict)  # files by name, such as `curves.png`
    model: bytes | None = None  # the `.keras` file

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return self.cause is None and not self.pruned

    @property
    def kept(self) -> Mapping[str, float]:
        """The figures of the epoch whose weights the run ended with; it has to have got through one."""
        return self.history[int(self.metrics.get("kept_epoch", len(self.history))) - 1]
