"""The judgements on claims in each form."""

from __future__ import annotations

import json
import subprocess

import pytest

from mnist_bench.analysis.claims import CONTRADICTED, INCONCLUSIVE, NOT_RUN, REPRODUCED, Judgement
from mnist_bench.analysis.statistics import mean_interval
from mnist_bench.claims import AtLeast, Figure
from mnist_bench.reporting.claims import as_json, as_markdown, as_text

COMMAND = "mnist-bench run --suite references --dataset mnist --only baseline --only batchnorm-cnn-rotated"


def _claim(says, source="Somebody, 2020", **changes):
    about = {"says": says, "source": source, "suite": "references", "variant": "mlp"}
    return Figure(**about | {"accuracy_percent": 98, "tolerance_pp": 0.5} | changes)


JUDGEMENTS = {
    "first": Judgement(_claim("It is 98%."), REPRODUCED, "98.10% over 3 seeds.", mean_interval([98, 98.1, 98.2]), 3),
    "second": Judgement(
        _claim("It is 98% a|b, whatever the optimizer, the batch, the rate, the order and the seed.", why="Luck."),
        CONTRADICTED,
        "90.00% over 2 of 3 planned seeds, which is so much lower that there is no way to take the one for the other.",
        mean_interval([90, 90]),
        3,
    ),
    "third": Judgement(
        _claim("It is 98% again.", "Somebody else", why="Never to be seen."),
        INCONCLUSIVE,
        "98.00% over 1 of 3 planned seeds: one run has no interval.",
        mean_interval([98]),
        3,
    ),
    "fourth": Judgement(
        AtLeast(says="It is 97%.", source="Somebody, 2020", suite="references", variant="cnn", at_least_percent=97),
        NOT_RUN,
        "Nothing is there.",
        command=COMMAND,
    ),
}


def test_text_is_a_block_a_claim_within_80_columns():
    """Verdicts stand in the margin in the claims' order, under a line that counts them."""
    lines = as_text(JUDGEMENTS, "mnist").splitlines()
    assert max(map(len, lines)) <= 80
    assert " ".join(lines[:2]) == (
        "4 claims, judged by runs on mnist: 1 reproduced, 1 contradicted, 1 inconclusive, 1 not run yet."
    )
    blocks = [block.split("\n") for block in as_text(JUDGEMENTS, "mnist").split("\n\n")[1:5]]
    assert [block[0][:14].rstrip() for block in blocks] == [REPRODUCED, CONTRADICTED, INCONCLUSIVE, NOT_RUN]
    assert blocks[0] == ["reproduced    It is 98%.", "  98.10% over 3 seeds."]
    assert blocks[1][1] == " " * 14 + "order and the seed."


def test_a_long_command_can_be_pasted():
    """Over several lines, within the 80 columns, it is to the shell what it was in one."""
    block = as_text(JUDGEMENTS, "mnist").split("\n\n")[4]
    first, _, command = block.partition("Nothing is there.\n")
    assert first.startswith(NOT_RUN)
    assert command.count("\n") == 1
    shell = ["/bin/sh", "-c", f"printf '%s\\n' {command}"]
    words = subprocess.run(shell, capture_output=True, text=True, check=True).stdout
    assert words.split("\n")[:-1] == COMMAND.split(" ")


@pytest.mark.parametrize("form", [as_text, as_markdown, as_json])
def test_why_stands_at_contradictions_alone(form):
    """A reason for what didn't happen is not shown in any form."""
    assert "Luck." in form(JUDGEMENTS, "mnist")
    assert "Never to be seen." not in form(JUDGEMENTS, "mnist")


@pytest.mark.parametrize("form", [as_text, as_markdown])
def test_chance_is_told_of_what_was_judged(form):
    """5% of the claims with an interval, here two of four; where none has one there is nothing to tell."""
    assert "itself: of 2 such intervals 0.1 miss by chance on average." in " ".join(form(JUDGEMENTS, "mnist").split())
    assert "interval" not in form({"fourth": JUDGEMENTS["fourth"]}, "mnist")


@pytest.mark.parametrize("form", [as_text, as_markdown])
def test_another_dataset_is_told(form):
    """Claims about MNIST are not settled by other images."""
    warning = "The claims are about mnist: what holds on mnist-5k says little of them."
    assert warning in form(JUDGEMENTS, "mnist-5k")
    assert "says little" not in form(JUDGEMENTS, "mnist")


def test_markdown_is_a_table_with_its_sources():
    """A row a claim, of as many cells as the head, and each source once, by number."""
    text = as_markdown(JUDGEMENTS, "mnist")
    rows = [line.replace(r"\|", "").split("|")[1:-1] for line in text.splitlines() if line.startswith("|")]
    assert [len(row) for row in rows] == [5] * 6
    assert [cell.strip() for cell in rows[2]] == [
        *("It is 98%. [1]", "98.00% (± 0.5 pp)", "98.10% over 3 seeds.", "reproduced", "3/3"),
    ]
    assert [row[4].strip() for row in rows[2:]] == ["3/3", "2/3", "1/3", "–"]
    assert rows[5][2].strip() == f"Nothing is there. `{COMMAND}`"
    assert text.endswith("Sources:\n\n1. Somebody, 2020\n2. Somebody else")


def test_markdown_without_contradictions_has_no_reasons():
    """The heading of the reasons doesn't stand alone."""
    assert "Why" in as_markdown(JUDGEMENTS, "mnist")
    assert "Why" not in as_markdown({"first": JUDGEMENTS["first"]}, "mnist")


def test_json_has_figures_unrounded_and_null_for_the_unknown():
    """It reads back; one run has a mean without bounds, and what isn't run has neither."""
    read = json.loads(as_json(JUDGEMENTS, "mnist"))
    assert (read["dataset"], read["confidence"], read["intervals"]) == ("mnist", 0.95, 2)
    first, second, third, fourth = read["claims"]
    expected = mean_interval([98, 98.1, 98.2])
    assert (first["name"], first["unit"], first["low"], first["high"]) == (
        *("first", "percent"),
        *(expected.low, expected.high),
    )
    assert (second["why"], second["seeds"], second["seeds_planned"]) == ("Luck.", 2, 3)
    assert (third["mean"], third["low"], third["high"]) == (98, None, None)
    assert (fourth["mean"], fourth["seeds"], fourth["command"]) == (None, 0, COMMAND)
    assert (fourth["published"], fourth["variants"]) == ("at least 97%", ["cnn"])
