"""A suite's report as one page that stands alone: no network, no script needed."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mnist_bench import __version__
from mnist_bench.reporting import claims, pictures, tables
from mnist_bench.reporting.answer import answer
from mnist_bench.reporting.remarks import remarks

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from mnist_bench.reporting.claims import Judgements
    from mnist_bench.reporting.evidence import Evidence, Mistakes
    from mnist_bench.reporting.pictures import Picture

__all__ = ["Page", "Report", "make_page"]

_FOLDER = Path(__file__).parent / "page"

# What the leaderboard's columns are sorted by.
_SORTED_BY = (
    *("rank", "variant", "test_accuracy_percent", "effect_pp", "verdict", "finished", "parameters", "seconds_a_run"),
)
# What a reader who runs it again must have alike, and what it is called.
_PROVENANCE = {
    "versions": "versions",
    "processor": "processor",
    "threads": "threads a run",
    "onednn": "oneDNN (1: on)",
    "commit": "git commit",
    "data_digest": "digest of the data",
    "split_digest": "digest of the split",
}


@dataclass(frozen=True)
class Report:
    """What a page is made of."""

    evidence: Evidence
    mistakes: Mistakes | str | None  # None: no run is finished; or why the images can't be had
    judgements: Judgements  # on the claims about this suite
    command: str  # that runs it again


@dataclass(frozen=True)
class Page:
    """A page, and its pictures: of the suite, and by variant."""

    html: str
    of_suite: tuple[Picture, ...]
    of_variants: Mapping[str, tuple[Picture, ...]]


def make_page(report: Report) -> Page:
    """The report's page, with its pictures in it."""
    evidence = report.evidence
    effects, tradeoffs = pictures.effects(evidence), [*pictures.tradeoffs(evidence)]
    wrong = None if report.mistakes is None or isinstance(report.mistakes, str) else pictures.mistakes(report.mistakes)
    by_variant = {name: (*pictures.of_variant(evidence, name),) for name in evidence.learning}
    shown = {"effects": effects, "tradeoffs": tradeoffs, "wrong": wrong, "by_variant": by_variant}
    html = _environment().get_template("report.html").render(_words(report) | shown)
    of_suite = (each for each in (effects, *tradeoffs, wrong) if each is not None)
    return Page(html, (*of_suite,), by_variant)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = {"breakable": _breakable, "data_uri": _data_uri, "marked": _marked, "whole_options": _whole_options}
    environment.filters |= filters
    return environment


def _words(report: Report) -> dict[str, Any]:
    """All that the template sets in words."""
    evidence, suite = report.evidence, report.evidence.suite
    headers, *rows = tables.as_cells(evidence.board)
    style, script = (_source(name) for name in ("report.css", "report.js"))
    return {
        "suite": suite,
        "board": evidence.board.to_dict("records"),
        "planned": datetime.fromisoformat(suite.planned_at),
        "version": __version__,
        "style": style,
        "script": script,
        "script_digest": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "answer": [*answer(evidence.board)],
        "sentences": _sentences(evidence),
        "remarks": [*remarks(suite, evidence.board, evidence.failed)],
        "headers": headers,
        "rows": [[*zip(cells, keys, strict=True)] for cells, keys in zip(rows, _keys(evidence.board), strict=True)],
        "learning": evidence.learning,
        "overfitting": pictures.overfitting,
        "mistakes": report.mistakes,
        "judgements": report.judgements,
        "claims_summary": claims.summary(report.judgements, suite.dataset),
        "claims_notes": [*claims.notes(report.judgements, suite.dataset)],
        "claim_seeds": claims.seeds,
        "command": report.command,
        "provenance": _provenance(evidence.provenance),
        "run_keys": _run_keys(evidence.provenance),
    }


def _source(name: str) -> Markup:
    """A file of ours that stands in the page as it is."""
    return Markup((_FOLDER / name).read_text(encoding="utf-8"))  # noqa: S704 - of this package, nobody else's


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _breakable(name: str) -> Markup:
    """A name that may go on in the next line after each underscore."""
    return Markup("_<wbr>").join(name.split("_"))


def _marked(text: str) -> Markup:
    """A text, what stands between backticks in it set as code."""
    parts = [
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(text.split("`"))
    ]
    return Markup().join(parts)


def _whole_options(command: str) -> Markup:
    """A command whose lines are broken between its options."""
    return Markup(" ").join(
        Markup('<span class="whole">{}</span>').format(each) for each in re.split(" (?=--)", command)
    )


def _sentences(evidence: Evidence) -> list[dict[str, str]]:
    """Each verdict's sentence, with the variant's own question."""
    questions = dict(zip(evidence.suite.variants["variant"], evidence.suite.variants["question"], strict=True))
    judged = evidence.board[evidence.board["verdict"].notna()].to_dict("records")
    return [
        {
            "variant": row["variant"],
            "question": questions[row["variant"]],
            "verdict": row["verdict"],
            "says": row["sentence"].removeprefix(f"{row['variant']}: "),
        }
        for row in judged
    ]


def _keys(board: pd.DataFrame) -> list[list[Any]]:
    """What each cell of the leaderboard is sorted by; None for what is unknown."""
    return [[row[name] for name in _SORTED_BY] for row in tables.records(board)]


def _provenance(runs: pd.DataFrame) -> list[tuple[str, list[str]]]:
    """What the runs were trained by, on and from: a name and its values, which are more than one where runs differ."""
    facts = []
    for name, called in _PROVENANCE.items():
        counts = runs[name].fillna("not known").value_counts()
        told = [str(value) if len(counts) == 1 else f"{value} ({count} runs)" for value, count in counts.items()]
        facts.append((called, told))
    return facts


def _run_keys(runs: pd.DataFrame) -> list[tuple[str, list[tuple[int, str, str]]]]:
    """Seed, run key and MLflow's run id of each run, by variant."""
    columns = ["seed", "run_key", "run_id"]
    return [
        (str(variant), [*group.sort_values("seed")[columns].itertuples(index=False, name=None)])
        for variant, group in runs.groupby("variant", sort=False)
    ]
