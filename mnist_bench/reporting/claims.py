"""The judgements on claims, for a terminal, as Markdown or as JSON."""

from __future__ import annotations

import json
import re
import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Any

from mnist_bench.analysis.claims import CONTRADICTED, INCONCLUSIVE, NOT_RUN, REPRODUCED
from mnist_bench.analysis.pairing import FEWEST
from mnist_bench.analysis.statistics import CONFIDENCE
from mnist_bench.claims import DATASET

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mnist_bench.analysis.claims import Judgement

    Judgements = Mapping[str, Judgement]  # by the claims' names

__all__ = ["as_json", "as_markdown", "as_text", "notes", "seeds", "summary"]

_WIDTH = 80  # columns
_VERDICTS = (REPRODUCED, CONTRADICTED, INCONCLUSIVE, NOT_RUN)
_COLUMN = max(map(len, _VERDICTS)) + 2
_HEADERS = ("claim", "published (our tolerance)", "what we found", "verdict", "seeds")
_UNKNOWN = "–"


def as_text(judgements: Judgements, dataset: str) -> str:
    """A block a claim, in 80 columns: verdict and claim, the evidence, and the command for what isn't run yet."""
    lines = _wrapped(summary(judgements, dataset))
    for judgement in judgements.values():
        lines += ["", *_wrapped(judgement.claim.says, judgement.verdict.ljust(_COLUMN), " " * _COLUMN)]
        lines += _wrapped(judgement.evidence, "  ")
        lines += _wrapped(f"Why: {judgement.why}", "  ") if judgement.why else []
        lines += _folded(judgement.command) if judgement.command else []
    for note in notes(judgements, dataset):
        lines += ["", *_wrapped(note)]
    return "\n".join(lines)


def as_markdown(judgements: Judgements, dataset: str) -> str:
    """A table of GitHub's Markdown, then why claims may be contradicted, and who published them."""
    sources = [*dict.fromkeys(judgement.claim.source for judgement in judgements.values())]
    rows = [_cells(each, sources.index(each.claim.source) + 1) for each in judgements.values()]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in (_HEADERS, ("---",) * len(_HEADERS), *rows))
    parts = [summary(judgements, dataset), table, *notes(judgements, dataset)]
    if whys := [f"- {each.claim.says} {each.why}" for each in judgements.values() if each.why]:
        parts += ["Why claims may be contradicted:", "\n".join(whys)]
    parts += ["Sources:", "\n".join(f"{number}. {source}" for number, source in enumerate(sources, start=1))]
    return "\n\n".join(parts)


def as_json(judgements: Judgements, dataset: str) -> str:
    """All that is known of each judgement, figures unrounded; what is unknown is null."""
    records = [_record(name, judgement) for name, judgement in judgements.items()]
    about = {"dataset": dataset, "confidence": CONFIDENCE, "intervals": _intervals(judgements)}
    return json.dumps(about | {"claims": records}, indent=2, allow_nan=False, ensure_ascii=False)


def summary(judgements: Judgements, dataset: str) -> str:
    """How many claims there are, and how many of each verdict."""
    counts = Counter(judgement.verdict for judgement in judgements.values())
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in _VERDICTS)
    claims = "1 claim" if len(judgements) == 1 else f"{len(judgements)} claims"
    return f"{claims}, judged by runs on {dataset}: {told}."


def notes(judgements: Judgements, dataset: str) -> Iterator[str]:
    """What the reader must know to weigh the verdicts."""
    if dataset != DATASET:
        yield f"The claims are about {DATASET}: what holds on {dataset} says little of them."
    if count := _intervals(judgements):
        yield (
            f"[low, high] is the {CONFIDENCE:.0%} interval of the mean over the seeds, by Student's t: by flipping "
            "signs three seeds could show nothing. It holds the noise of training alone. Each claim is judged by "
            f"itself: of {count} such intervals {(1 - CONFIDENCE) * count:.2g} miss by chance on average."
        )


def _intervals(judgements: Judgements) -> int:
    """How many claims were judged by an interval."""
    return sum(judgement.found is not None and judgement.found.n >= FEWEST for judgement in judgements.values())


def _cells(judgement: Judgement, source: int) -> tuple[str, ...]:
    claim = judgement.claim
    found = f"{judgement.evidence} `{judgement.command}`" if judgement.command else judgement.evidence
    cells = (f"{claim.says} [{source}]", claim.published, found, judgement.verdict, seeds(judgement))
    return tuple(cell.replace("|", r"\|") for cell in cells)


def seeds(judgement: Judgement) -> str:
    """How many seeds judge a claim, of how many that are planned."""
    return f"{judgement.found.n if judgement.found else 0}/{judgement.planned}" if judgement.planned else _UNKNOWN


def _record(name: str, judgement: Judgement) -> dict[str, Any]:
    claim, found = judgement.claim, judgement.found
    bounds = (found.low, found.high) if found and found.n >= FEWEST else (None, None)
    return {
        "name": name,
        **claim.model_dump(include={"says", "source", "suite"}),
        "variants": claim.variants,
        "published": claim.published,
        "verdict": judgement.verdict,
        "evidence": judgement.evidence,
        "mean": found.mean if found else None,
        "low": bounds[0],
        "high": bounds[1],
        "unit": claim.unit,
        "seeds": found.n if found else 0,
        "seeds_planned": judgement.planned,
        "why": judgement.why or None,
        "command": judgement.command,
    }


def _folded(command: str) -> list[str]:
    """A command over as many lines as it needs, none within an option, which a shell takes as one."""
    bound = re.sub(r"(--\S+) ", "\\1\N{NO-BREAK SPACE}", command)
    lines = textwrap.wrap(bound, _WIDTH - 6, break_long_words=False, break_on_hyphens=False)
    return [f"    {line}".replace("\N{NO-BREAK SPACE}", " ") for line in " \\\n".join(lines).split("\n")]


def _wrapped(text: str, first: str = "", rest: str | None = None) -> list[str]:
    rest = first if rest is None else rest
    return textwrap.wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
