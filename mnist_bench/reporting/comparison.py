"""Two variants, or two runs, side by side: in words and tables for a terminal, or as JSON."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

from rich import box
from rich.columns import Columns
from rich.console import Group
from rich.table import Table
from rich.text import Text

from mnist_bench.analysis.statistics import CONFIDENCE, least_p
from mnist_bench.analysis.verdicts import ALPHA, least_seeds
from mnist_bench.analysis.words import p_value, signed
from mnist_bench.reporting.tables import records

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from rich.console import RenderableType

    from mnist_bench.analysis.comparison import Comparison, Estimate, OverImages, OverSeeds

__all__ = ["LISTED", "as_json", "as_text"]

LISTED = 20  # images of each side; as JSON there are all
_WIDTH = 80  # columns
_TWO_RUNS = (
    "This is about these two models. Whether the change between them did it, two runs can't tell: two seeds of one and "
    "the same variant differ as well. Compare the variants for that."
)


def as_text(comparison: Comparison) -> Group:
    """All of a comparison for a terminal of 80 columns or more; differences are A less B."""
    sections = [_accuracies(comparison)]
    if comparison.over_seeds:
        sections.append(_seeds(comparison, comparison.over_seeds))
    sections += [_images(comparison), _classes(comparison)]
    if not comparison.over_seeds:
        sections.append([_paragraph(_TWO_RUNS)])
    return Group(*(part for section in sections for part in (Text(), *section)))


def as_json(comparison: Comparison, about: dict[str, Any]) -> str:
    """All of a comparison, unrounded, after what it is `about`; `over_seeds` is null for two runs."""
    seeds, images = comparison.over_seeds, comparison.over_images
    told = {
        "confidence": CONFIDENCE,
        "a": {"name": comparison.a, **_bounds("accuracy_percent", comparison.accuracy_a)},
        "b": {"name": comparison.b, **_bounds("accuracy_percent", comparison.accuracy_b)},
        "over_seeds": seeds
        and {
            "pairs": images.runs,
            **_bounds("effect_pp", seeds.effect),
            "p_sign_flip": seeds.p,
            "left_out": records(seeds.left_out),
        },
        "over_images": {
            "images": images.images,
            **_bounds("effect_pp", images.effect),
            "both_right": images.both,
            "neither_right": images.neither,
            "p_mcnemar": images.mcnemar.p,
            "only_a": records(images.only_a),
            "only_b": records(images.only_b),
        },
        "classes": records(comparison.classes),
    }
    return json.dumps(about | told, indent=2, allow_nan=False)


def _accuracies(comparison: Comparison) -> list[RenderableType]:
    table = _table(("", "variant" if comparison.over_seeds else "run"), ("test\naccuracy", "95% interval,\npercent"))
    for side, name, accuracy in (
        ("A", comparison.a, comparison.accuracy_a),
        ("B", comparison.b, comparison.accuracy_b),
    ):
        table.add_row(side, Text(name), f"{accuracy.figure:.2f}", f"{accuracy.low:.2f} to {accuracy.high:.2f}")
    made = (
        f"Means over {comparison.over_images.runs} seeds; their intervals, by Student's t, hold the noise of training."
        if comparison.over_seeds
        else f"The intervals, by Wilson, hold the noise of {comparison.over_images.images:,} test images."
    )
    return [table, _paragraph(made)]


def _seeds(comparison: Comparison, seeds: OverSeeds) -> list[RenderableType]:
    pairs = comparison.over_images.runs
    words = (
        f"{_compared(comparison, seeds.effect)} in the mean of {pairs} paired seeds. {_effect(seeds.effect)} "
        f"(Student's t: the noise of training); {p_value(seeds.p)} by flipping signs, of this comparison alone and not "
        f"corrected for others. {_carried_by_seeds(seeds.p, pairs)}"
    )
    paragraphs = [words]
    if len(seeds.left_out):
        paragraphs.append(f"Missing, so that their pairs don't count: {_left_out(seeds.left_out)}.")
    return [_heading("Over the seeds"), *map(_paragraph, paragraphs)]


def _carried_by_seeds(p: float, pairs: int) -> str:
    if p <= ALPHA:
        return "That is more than luck with the seeds."
    if least_p(pairs) > ALPHA:
        return f"So few seeds can't tell any two variants apart: p is at least {least_p(pairs):.3g} whatever they show."
    return "These seeds don't tell the two apart, which is not to say that they are equal."


def _left_out(runs: pd.DataFrame) -> str:
    groups = runs.groupby(["variant", "state"], sort=False)["seed"]
    return "; ".join(
        f"{variant} {'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, seeds))} ({state})"
        for (variant, state), seeds in groups
    )


def _images(comparison: Comparison) -> list[RenderableType]:
    images = comparison.over_images
    counts = (
        f"for a variant if more than half of its {images.runs} runs get it right (a majority outvotes single bad runs, "
        "which the mean counts)"
        if comparison.over_seeds
        else "if the run gets it right"
    )
    words = (
        f"{_effect(images.effect)} (bootstrap over {images.images:,} images: the noise of the test set, for these "
        f"very runs). An image counts as right {counts}: both do on {images.both:,}, neither on {images.neither:,}, "
        f"A alone on {images.mcnemar.a_only:,}, B alone on {images.mcnemar.b_only:,}, which "
        f"{'is more than' if images.mcnemar.p <= ALPHA else 'may be'} luck with the images "
        f"({p_value(images.mcnemar.p)}, McNemar)."
    )
    return [_heading("Image by image"), _paragraph(words), *_lists(images)]


def _lists(images: OverImages) -> Iterator[RenderableType]:
    for side, other, alone in (("A", "B", images.only_a), ("B", "A", images.only_b)):
        if len(alone):
            which = f"all {len(alone)}" if len(alone) <= LISTED else f"the first {LISTED} of {len(alone):,}"
            yield Text(f"\n{side} alone is right, {which} (number from 0: truth → {other}'s mistake)")
            shown = [f"{row.image}: {row.truth} → {row.taken_for}" for row in alone.head(LISTED).itertuples()]
            yield Columns([Text(entry, justify="right") for entry in shown], padding=(0, 3), equal=True)


def _classes(comparison: Comparison) -> list[RenderableType]:
    classes = comparison.classes
    tests = [name for name in ("p_images", "p_seeds") if name in classes]
    columns = ("class", "images", "A", "B", "differ-\nence", "only A", "only B")
    table = _table((), (*columns, *(name.replace("_", "\n") for name in tests), ""))
    for row in classes.to_dict("records"):
        table.add_row(
            str(row["class"]),
            f"{row['images']:,}",
            f"{row['recall_a_percent']:.2f}",
            f"{row['recall_b_percent']:.2f}",
            signed(row["difference_pp"]),
            f"{row['only_a']:,}",
            f"{row['only_b']:,}",
            *(p_value(row[name]).removeprefix("p = ").removeprefix("p ") for name in tests),
            "differ" if row["differs"] else "",
        )
    return [_heading("Class by class"), table, _paragraph(f"{_of_classes(comparison)} {_differing(comparison)}")]


def _of_classes(comparison: Comparison) -> str:
    words = (
        "Recall in percent, and the images that one side alone gets right. p of the images: McNemar within the class"
    )
    after = f"after Holm over {len(comparison.classes)} classes"
    if comparison.over_seeds is None:
        return f"{words}, {after}."
    return f"{words}; of the seeds: by flipping signs; both {after}, and both must be at most {ALPHA:g}."


def _differing(comparison: Comparison) -> str:
    classes, pairs = comparison.classes, comparison.over_images.runs
    differ = [str(label) for label in classes.loc[classes["differs"], "class"]]
    if differ:
        return f"They differ in {'class' if len(differ) == 1 else 'classes'} {', '.join(differ)}."
    enough = least_seeds(ALPHA / len(classes))
    if comparison.over_seeds and enough is not None and pairs < enough:
        return f"That takes {enough} seeds or more; of {pairs}, no class can be said to differ."
    return "The evidence carries a difference in no class."


def _compared(comparison: Comparison, effect: Estimate) -> str:
    size = signed(effect.figure)[1:]
    if float(size) == 0:
        return f"{comparison.a} and {comparison.b} are equally accurate, to 0.01 pp,"
    return f"{comparison.a} is {size} pp {'more' if effect.figure > 0 else 'less'} accurate than {comparison.b}"


def _effect(effect: Estimate) -> str:
    return f"Difference {signed(effect.figure)} pp, 95% interval {signed(effect.low)} to {signed(effect.high)}"


def _paragraph(words: str) -> Text:
    return Text(textwrap.fill(words, _WIDTH))


def _heading(words: str) -> Text:
    return Text(words, style="bold")


def _table(names: tuple[str, ...], figures: tuple[str, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    for header in names:
        table.add_column(header, overflow="fold")
    for header in figures:
        table.add_column(header, justify="right", no_wrap=True)
    return table


def _bounds(name: str, estimate: Estimate) -> dict[str, float]:
    unit = name.rpartition("_")[2]
    return {name: estimate.figure, f"low_{unit}": estimate.low, f"high_{unit}": estimate.high}
