"""`mnist-bench report`: the page by its data, and as a browser shows it."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import html5lib
import pytest
from cli.awkward_suite import QUESTION, VARIANTS, WIDE, new_awkward_store
from click.testing import CliRunner
from made_up import recorded_suite

from mnist_bench import data
from mnist_bench.analysis.leaderboard import leaderboard
from mnist_bench.cli.report import _command
from mnist_bench.cli.report import command as report
from mnist_bench.errors import OutputError, StoreError
from mnist_bench.reporting.tables import as_cells
from mnist_bench.tracking.reader import read_suite

TAGS = {"svg", "script", "link", "iframe", "object", "embed"}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A store of a suite whose words are out to break the page, in a folder that holds its dataset."""
    return new_awkward_store(tmp_path_factory, tmp_path_factory.mktemp("report"))


def _report(store, output, *arguments):
    where = ["--tracking-uri", store.location.uri, "-o", str(output)]
    arguments = [*arguments] if "--data-dir" in arguments else [*arguments, "--data-dir", _folder(store)]
    return CliRunner().invoke(report, ["--suite", "made_up", *map(str, arguments), *where], catch_exceptions=False)


def _folder(store):
    return store.location.folder.parent


@pytest.fixture(scope="module")
def page(recorded, tmp_path_factory):
    """The path of the page that the command makes."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    shown = _report(recorded, path)
    assert re.fullmatch(
        rf"{re.escape(str(path))}: \d\.\d MB, open it in any browser\n".replace(" ", r"\s+"), shown.stdout
    )
    return path


@pytest.fixture(scope="module")
def tree(page):
    """The page, parsed as HTML whose every fault is an error."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page.read_text(encoding="utf-8"))


def _text(element):
    return " ".join("".join(element.itertext()).split())


def test_the_page_stands_alone(page, tree):
    """It is valid, small, and asks for nothing from elsewhere; only its own script is in it, and allowed."""
    source = page.read_text(encoding="utf-8")
    assert len(source.encode()) < 5e6
    assert all(image.get("src").startswith("data:image/png;base64,") for image in tree.iter("img"))
    assert [element.tag for element in tree.iter() if element.tag in TAGS] == ["script"]
    assert not re.search(r"https?://|url\(|@import", source)
    (policy,) = (each.get("content") for each in tree.iter("meta") if each.get("http-equiv"))
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_each_run_is_asked_for_once(recorded, tmp_path, monkeypatch):
    """Where it comes from, its confusion matrix and its predictions are of one record."""
    client, asked = type(recorded.client), []
    get_run = client.get_run
    monkeypatch.setattr(client, "get_run", lambda self, run_id: asked.append(run_id) or get_run(self, run_id))
    _report(recorded, tmp_path / "report.html")
    runs = read_suite(recorded, "made_up").runs
    finished = runs.loc[runs["finished"].astype(bool), "run_id"]
    assert sorted(each for each in asked if each in {*finished}) == sorted(finished)


def test_what_a_suite_says_stands_as_text(tree):
    """Markup in a question, or in a failed run's cause, is shown and not obeyed."""
    (title,) = tree.iter("h1")
    assert _text(title) == QUESTION
    assert _text(tree).count("failed: broken, seed 0: the loss was <nan>") == 1
    assert QUESTION in {_text(each) for each in tree.iter("span") if each.get("class") == "question"}


def test_its_figures_are_the_leaderboards(recorded, tree):
    """The table has the leaderboard's cells, in its order, and is sorted by its unrounded figures."""
    board = leaderboard(read_suite(recorded, "made_up"))
    (table,) = tree.iter("table")
    rows = [[_text(cell) for cell in row] for row in table.iter("tr")]
    assert [tuple(row) for row in rows] == as_cells(board)
    keys = [[cell.get("data-sort") for cell in row] for row in table.iter("tr")][1:]
    assert [float(row[2] or "nan") for row in keys] == pytest.approx([*board["test_accuracy_percent"]], nan_ok=True)
    assert keys[-1][2] == ""


def test_the_answer_comes_first_and_all_sections_follow(tree):
    """The first words after the question are the verdicts; each that is asked of a report has a section."""
    (body,) = tree.iter("body")
    words = _text(body)
    assert words.index("Of 3 changes to the baseline, 1 helps: " + WIDE + " (+3.33 pp)") < 500
    headings = [_text(each) for each in tree.iter("h2")]
    assert headings == [
        "Does each change help?",
        "Leaderboard",
        "What accuracy costs",
        "Variant by variant",
        "Images most often got wrong",
        "What was published",
        "Run it again",
    ]
    assert "validation loss least at epoch 2; overfitting is shown from epoch 3." in words
    assert "no images were held out to see overfitting by" in words
    assert "No published claim is about this suite." in words


def test_each_picture_is_told_in_words(tree):
    """Every picture has an alternative text of its own that says what it shows."""
    texts = [image.get("alt") for image in tree.iter("img")]
    assert len(texts) == len(set(texts)) == 1 + 2 + 2 + 3 + 3 + 1  # effects, costs, three variants that ran, images
    told = " ".join(texts)
    for fact in (
        f"{WIDE}: +3.33 pp",
        f"On the Pareto front: baseline (94.27%, 5,000 parameters), {WIDE} (97.60%, 30,000 parameters)",
        "Learning curves of baseline, 8 runs. Training loss ends at 0.77, validation loss at 0.77, least at epoch 2",
        "Most often mistaken: 0 for 1 (2.0 images)",
        "image 0, a 0, mistaken for 1, wrong in 24",
    ):
        assert fact in told


def test_it_says_how_to_run_it_again(recorded, tree):
    """Command, processor, digests and every run's key stand in it."""
    words = _text(tree)
    assert "mnist-bench run --suite path/to/made_up.toml --dataset mnist --seeds 8" in words
    facts = {_text(name): _text(fact) for name, fact in zip(tree.iter("dt"), tree.iter("dd"), strict=True)}
    assert (facts["processor"], facts["threads a run"], facts["versions"]) == ("made up", "1", "not known")
    assert facts["digest of the data"] == data.load("mnist", _folder(recorded)).digest
    runs = read_suite(recorded, "made_up").runs
    assert all(f"{run.seed} {run.run_key} {run.run_id}" in words for run in runs[runs["finished"]].itertuples())


@pytest.mark.parametrize(
    ("variants", "changes", "words"),
    [
        (["baseline", "mlp"], {"dataset": "mnist-5k"}, "--suite smoke --dataset mnist-5k --seeds 3"),
        (["baseline"], {}, "--suite smoke --dataset path/to/made-up --seeds 3 --only baseline"),
        (["baseline", "mlp"], {"epochs": 7}, "--suite smoke --dataset path/to/made-up --seeds 3 --epochs 7"),
        (
            ["baseline", "mlp"],
            {"looks": (2, 4, 5)},
            "--suite smoke --dataset path/to/made-up --seeds 2 --until-decided --max-seeds 5",
        ),
        (["baseline", "mlp"], {"looks": (2, 3, 5)}, "--suite smoke --dataset path/to/made-up --seeds 3"),
    ],
    ids=["as the file says", "some variants", "other epochs", "until decided", "seeds added by hand"],
)
def test_the_command_is_for_what_was_planned(variants, changes, words):
    """Seeds, rounds, epochs and variants are given where they aren't the file's own."""
    suite = recorded_suite({name: [0.9] * 3 for name in variants})
    table = suite.variants.assign(epochs=changes.get("epochs", 2))
    table["looks"] = [changes.get("looks", (3,))] * len(table)
    suite = dataclasses.replace(suite, name="smoke", dataset=changes.get("dataset", "made-up"), variants=table)
    assert _command(suite) == f"mnist-bench run {words}"


def test_it_is_in_mlflow_too(recorded, page):
    """The page and the suite's pictures are files of the baseline's parent, each variant's pictures of its own."""
    parents = read_suite(recorded, "made_up").variants.set_index("variant")["run_id"]
    files = {
        variant: {path.name for path in recorded.location.folder.glob(f"artifacts/*/*/{run_id}/artifacts/*")}
        for variant, run_id in parents.items()
    }
    of_suite = {
        "report.html",
        "effects.png",
        "accuracy_parameters.png",
        "accuracy_seconds_a_run.png",
        "wrong_images.png",
    }
    assert files == {
        "baseline": of_suite | {"curves.png", "confusion.png"},
        WIDE: {"curves.png", "confusion.png", "confusion_change.png"},
        "no_validation": {"curves.png", "confusion.png", "confusion_change.png"},
        "broken": set(),
    }
    (logged,) = recorded.location.folder.glob("artifacts/*/*/*/artifacts/report.html")
    assert logged.read_bytes() == page.read_bytes()


def test_without_the_images_it_says_why(recorded, tmp_path):
    """Where the dataset can't be had the section has one line, and the rest of the page is there."""
    shown = _report(recorded, tmp_path / "report.html", "--data-dir", tmp_path)
    assert shown.exit_code == 0
    words = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"The images can't be had here: {tmp_path}: holds neither mnist.npz nor the four IDX files" in words
    assert "Leaderboard" in words


def test_a_place_that_cannot_be_written_is_told(recorded, tmp_path):
    """A folder that isn't there is one line, and says the way out."""
    with pytest.raises(
        OutputError, match=r"none/report.html: can't be written \(no such folder\): name another place by -o"
    ):
        _report(recorded, tmp_path / "none" / "report.html")


def test_what_is_not_recorded_has_no_report(recorded, tmp_path):
    """A dataset that the suite was never run on is refused, with what there is."""
    with pytest.raises(StoreError, match="known: mnist"):
        _report(recorded, tmp_path / "report.html", "--dataset", "fashion")
    assert not [*tmp_path.iterdir()]


_OUTSIDE = """() => [...document.querySelectorAll("body *")].filter((element) => {
  const box = element.getBoundingClientRect();
  return (box.right > innerWidth + 1 || box.left < -1) && !element.closest(".scroll, script");
}).map((element) => element.outerHTML.slice(0, 80))"""


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_it(browser, page, width, scheme):
    """On a telephone and a desk, by day and night: nothing overflows, pictures load, and the console has no errors."""
    view = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    said = []
    view.on("console", lambda message: said.append(message.text))
    view.on("pageerror", lambda error: said.append(str(error)))
    view.goto(page.as_uri())
    assert said == []
    assert view.evaluate("document.documentElement.scrollWidth") <= width
    assert view.evaluate(_OUTSIDE) == []
    shown = view.evaluate("[...document.images].map((image) => [image.naturalWidth, image.clientWidth])")
    assert all(natural > 0 and 340 <= drawn <= natural for natural, drawn in shown)
    paper = view.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 20, 20)"}[scheme]
    view.close()


@pytest.mark.browser
def test_a_click_sorts_the_leaderboard(browser, page):
    """By figures up and then down, by words too; what is unknown stays last."""
    view = browser.new_page()
    view.goto(page.as_uri())

    def order(header):
        view.get_by_role("button", name=header).click()
        return view.locator("tbody th").all_inner_texts()

    assert order("test acc.") == ["no_validation", "baseline", WIDE, "broken"]
    assert order("test acc.") == [WIDE, "baseline", "no_validation", "broken"]
    assert view.locator("th[aria-sort=descending]").count() == 1
    assert order("variant") == [WIDE, "baseline", "broken", "no_validation"]
    view.close()


@pytest.mark.browser
def test_it_is_whole_without_scripts_and_in_print(browser, page, tmp_path):
    """With scripts turned off all is there but the sorting, and it prints."""
    context = browser.new_context(java_script_enabled=False)
    view = context.new_page()
    view.goto(page.as_uri())
    assert view.locator("tbody tr").count() == len(VARIANTS)
    assert view.locator("th button").count() == 0
    view.pdf(path=tmp_path / "report.pdf", format="A4")
    assert Path(tmp_path / "report.pdf").stat().st_size > 50_000
    context.close()
