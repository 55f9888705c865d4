"""Whatever a user gives that can't be: one line and exit 2, no traceback, and no file anywhere but where he said.

More than 500 bad inputs in all, most of them made up by Hypothesis.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import string
import struct
import sys
from unittest import mock

import made_up
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mnist_bench import claims, cli
from mnist_bench.errors import ClaimsError

# The same inputs each time, and as many as are counted in the README.
EXAMPLES = {"derandomize": True, "deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


def answer(*arguments, **environment):
    """Call `mnist-bench` in this process: its exit code and its standard error."""
    said = io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["mnist-bench", *arguments]),
        mock.patch.dict(os.environ, environment),
        mock.patch("signal.signal"),
        contextlib.redirect_stderr(said),
        contextlib.redirect_stdout(io.StringIO()),
        pytest.raises(SystemExit) as left,
    ):
        cli.main()
    return left.value.code, said.getvalue()


def refused(*arguments, **environment):
    """Call it with what can't be: it must say so in one line, and write nothing."""
    before = everything()
    code, said = answer(*arguments, **environment)
    assert code == 2, (arguments, said)
    assert said.startswith("mnist-bench: "), said
    assert said.count("\n") == 1, said
    assert everything() == before
    return said


def everything():
    """All files below the folder that the test stands in, and how large they are."""
    return sorted((folder, name) for folder, _, names in os.walk("..") for name in names)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder to stand in, with two datasets, so that it is none itself; there is nothing beside it."""
    folder = tmp_path_factory.mktemp("bad") / "here"
    folder.mkdir()
    dataset = made_up.images()
    arrays = dict(zip(("x_train", "y_train", "x_test", "y_test"), parts(dataset), strict=True))
    for name in ("images.npz", "others.npz"):
        np.savez(folder / name, **arrays)
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patched:
        for name in ("MNIST_BENCH_DATA", "MLFLOW_TRACKING_URI"):
            patched.delenv(name, raising=False)
        yield folder


def parts(dataset):
    return dataset.train_images, dataset.train_labels, dataset.test_images, dataset.test_labels


# Values that are no sensible name, number or table anywhere.
junk = st.one_of(
    st.just([]), st.just({}), st.booleans(), st.text(max_size=5).map(lambda text: f"?{text}"), st.just([[1], {"a": 2}])
)
bad_counts = st.one_of(junk, st.integers(max_value=0), st.floats())
keys = st.text(string.printable, min_size=1, max_size=12).map(lambda text: f"no_such_{text}")
wayward = st.sampled_from(
    [
        "../x",
        "/etc/x",
        "a/b",
        ".",
        "..",
        ".hidden",
        "a\nb",
        "a\x00b",
        "a\x1b[31mb",
        "x" * 61,
        "",
        " ",
        "-rf",
        "~",
        "a\\b",
    ]
)

RECIPE = {
    "epochs": bad_counts,
    "batch_size": bad_counts,
    "optimizer": junk,
    "learning_rate": st.one_of(junk, st.floats(max_value=0), st.just(float("nan")), st.just(float("inf"))),
    "schedule": junk,
    "momentum": st.one_of(junk, st.floats(min_value=1), st.floats(max_value=-0.1)),
    "normalize": st.one_of(st.integers(), st.text()),
    "label_smoothing": st.one_of(junk, st.floats(min_value=1)),
    "precision": junk,
    "validation": st.one_of(st.text(), st.integers(max_value=-1), st.floats(min_value=1.5)),
    "early_stopping": st.one_of(
        st.text(), st.sampled_from([True]), st.just({"watch": "nothing"}), st.just({"patience": 0})
    ),
    "augment": st.one_of(
        st.text(), st.sampled_from([True]), st.just({"rotation_degrees": -1.0}), st.just({"zoom_fraction": 1.0})
    ),
    "checkpoint_every": st.one_of(st.text(), st.integers(max_value=0), st.sampled_from([True])),
}
OPTIONS = {"widths": st.one_of(st.text(), st.integers(), st.just([0]), st.just(["a"]))}


@st.composite
def bad_suites(draw):
    """A suite that is right but for one thing."""
    suite = {
        "question": "Is it refused?",
        "cost": "none",
        "baseline": {"architecture": "mlp", "options": {"widths": [8]}, "recipe": {"epochs": 1}},
        "variants": {"wide": {"options": {"widths": [16]}}},
    }
    table = suite["baseline"] if draw(st.booleans()) else suite["variants"]["wide"]
    match draw(st.integers(0, 9)):
        case 0:
            suite[draw(st.sampled_from(["question", "cost", "variants"]))] = draw(st.integers() | st.booleans())
        case 1:
            suite["seeds"] = draw(bad_counts)
        case 2:
            del suite[draw(st.sampled_from(["question", "cost", "baseline"]))]
        case 3:
            suite[draw(keys)] = draw(junk)
        case 4:
            table[draw(keys)] = draw(junk)
        case 5:
            table["architecture"] = draw(st.text(max_size=5).map(lambda text: f"?{text}") | st.integers() | wayward)
        case 6 | 7:
            name = draw(st.sampled_from([*RECIPE]))
            table["recipe"] = {"epochs": 1, name: draw(RECIPE[name])}
        case 8:
            table["options"] = {draw(keys): 1} if draw(st.booleans()) else {"widths": draw(OPTIONS["widths"])}
        case 9:
            suite["variants"] = {draw(wayward): {}}
    return suite


def toml(value):
    """A value in TOML, inline; strings are escaped as in JSON."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return json.dumps(value)


def as_toml(table):
    return "".join(f"{json.dumps(key)} = {toml(value)}\n" for key, value in table.items())


@settings(max_examples=150, **EXAMPLES)
@given(suite=bad_suites())
def test_bad_suites(here, suite):
    """A suite file with one fault is refused, with the file's name."""
    (here / "bad.toml").write_text(as_toml(suite), encoding="utf-8")
    assert "bad.toml" in refused("plan", "--suite", "bad.toml", "--dataset", "images.npz")


@settings(max_examples=40, **EXAMPLES)
@given(content=st.binary(min_size=1, max_size=200).filter(lambda content: content.strip(b"\r\n\t #")))
@pytest.mark.parametrize("command", [["run", "--suite"], ["tune", "--space"]])
def test_files_that_are_no_toml(here, command, content):
    """Any bytes at all, where a suite or a space is due."""
    (here / "bad.toml").write_bytes(b"= " + content)
    assert "bad.toml: not a TOML file" in refused(*command, "bad.toml", "--dataset", "images.npz")


@st.composite
def bad_spaces(draw):
    """A search space with one fault."""
    low = draw(st.integers(1, 100))
    bad = draw(
        st.one_of(
            st.just({"low": low + 1, "high": low}),
            st.just({"low": low}),
            st.just({"low": 0.0, "high": 1.0, "log": True}),
            st.just({"low": float("nan"), "high": 1.0}),
            st.just({"low": 1.0, "high": float("inf")}),
            st.just([]),
            st.just("?"),
            st.dictionaries(keys, st.integers(), min_size=1, max_size=2),
        )
    )
    where = draw(
        st.sampled_from(["options.filters", "options.dropout", "recipe.learning_rate", "recipe.epochs", "top"])
    )
    if where == "top":
        return {draw(keys): draw(junk)}
    table, _, name = where.partition(".")
    return {table: {name: bad} if draw(st.booleans()) else {draw(keys): bad}}


@settings(max_examples=60, **EXAMPLES)
@given(space=bad_spaces())
def test_bad_spaces(here, space):
    """A space that nothing can be drawn from is refused, with the file's name."""
    (here / "space.toml").write_text(as_toml(space), encoding="utf-8")
    assert "space.toml" in refused("tune", "--space", "space.toml", "--dataset", "images.npz")


@st.composite
def bad_claims(draw):
    """A claims file with one fault."""
    claim = {"says": "It is.", "source": "somebody", "suite": "smoke", "kind": "at_least"}
    claim |= {"variant": "mlp", "at_least_percent": 90.0}
    match draw(st.integers(0, 3)):
        case 0:
            del claim[draw(st.sampled_from([*claim]))]
        case 1:
            claim[draw(keys)] = draw(junk)
        case 2:
            claim[draw(st.sampled_from([*claim]))] = draw(
                st.just([]) | st.just({}) | st.sampled_from([False]) | st.just(-1)
            )
        case 3:
            return {"claim": draw(junk)}
    return {"claim": claim}


@settings(max_examples=40, **EXAMPLES)
@given(table=bad_claims())
def test_bad_claims(here, table):
    """A claims file with one fault is refused in one line, with the file's name."""
    path = here / "claims.toml"
    path.write_text(as_toml(table), encoding="utf-8")
    with pytest.raises(ClaimsError, match=r"claims\.toml") as refusal:
        claims.load(path)
    assert "\n" not in str(refusal.value)


@st.composite
def bad_archives(draw):
    """The bytes of an .npz file that holds no dataset."""
    arrays = dict(zip(("x_train", "y_train", "x_test", "y_test"), parts(made_up.images()), strict=True))
    name = draw(st.sampled_from([*arrays]))
    match draw(st.integers(0, 5)):
        case 0:
            del arrays[name]
        case 1:
            arrays[name] = arrays[name][:0]
        case 2:
            arrays[name] = arrays[name][..., None, None]
        case 3:
            kinds = ["U3", "complex64", "datetime64[s]", "bool"]
            arrays[name] = np.zeros(arrays[name].shape, draw(st.sampled_from(kinds)))
        case 4:
            arrays[name] = arrays[name] + draw(st.sampled_from([0.5, np.nan, 1e9, -1000]))
        case 5:
            arrays[name] = np.array([{"an": "object"}] * len(arrays[name]), dtype=object)
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    content = packed.getvalue()
    if draw(st.booleans()):
        content = content[: draw(st.integers(0, len(content) - 23))]  # without the end, where a zip file has its index
    return content


@settings(max_examples=80, **EXAMPLES)
@given(content=bad_archives() | st.binary(max_size=300))
def test_bad_archives(here, content):
    """An .npz file that is broken, holds objects, or something else than images and labels is refused by its name."""
    (here / "bad.npz").write_bytes(content)
    assert "bad.npz" in refused("data", "--dataset", "bad.npz")


@st.composite
def bad_idx(draw):
    """Four IDX files, of which one is wrong."""
    files = []
    for array in parts(made_up.images()):
        header = struct.pack(f">{1 + array.ndim}I", 0x0800 | array.ndim, *array.shape)
        files.append(header + array.astype(np.uint8).tobytes())
    which = draw(st.integers(0, 3))
    content = bytearray(files[which])
    match draw(st.integers(0, 4)):
        case 0:
            content = content[: draw(st.integers(0, len(content) - 1))]
        case 1:
            content += draw(st.binary(min_size=1, max_size=20))
        case 2:
            content[draw(st.integers(0, 3))] ^= draw(st.integers(1, 255))
        case 3:
            place = draw(st.integers(4, 7))
            content[place] ^= draw(st.integers(1, 255))  # the number of images
        case 4:
            zipped = gzip.compress(bytes(content))
            content = zipped[: draw(st.integers(2, len(zipped) - 1))]
    files[which] = bytes(content)
    return files


@settings(max_examples=60, **EXAMPLES)
@given(files=bad_idx())
def test_bad_idx_files(here, files):
    """An IDX file that is cut, too long, of another kind or size is refused by its folder's name."""
    folder = here / "idx"
    folder.mkdir(exist_ok=True)
    names = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]
    for name, content in zip(names, files, strict=True):
        (folder / name).write_bytes(content)
    assert "idx" in refused("data", "--dataset", "idx")


BY_NAME = [
    ["plan", "--dataset", "images.npz", "--suite"],
    ["run", "--dataset", "images.npz", "--suite"],
    ["run", "--suite", "smoke", "--dataset", "images.npz", "--only"],
    ["leaderboard", "--suite"],
    ["compare", "a", "b", "--suite"],
    ["data", "--dataset"],
    ["data", "--data-dir"],
    ["tune", "--dataset", "images.npz", "--study"],
    ["tune", "--architecture"],
    ["tune", "--space"],
    ["list"],
    [],
]


@settings(max_examples=10, **EXAMPLES)
@given(name=(wayward | st.text(max_size=300).map(lambda text: f"?{text}")).filter(lambda name: "\0" not in name))
@pytest.mark.parametrize("command", BY_NAME, ids=" ".join)
def test_bad_names(here, command, name):
    """Names that lead elsewhere, hide, are too long or hold control characters name nothing, and reach no path."""
    sensible = {"--study": {".", ".."}, "--data-dir": {"", ".", "..", "~", "-rf"}}
    assume(name not in sensible.get(" ".join(command[-1:]), ()) and (command or name != ""))
    refused(*command, name)


NUMBERS = [
    ("run", "--seeds"),
    ("run", "--epochs"),
    ("run", "--max-seeds"),
    ("run", "--workers"),
    ("run", "--run-timeout"),
    ("plan", "--seeds"),
    ("plan", "--spread"),
    ("tune", "--trials"),
    ("tune", "--timeout"),
    ("tune", "--top"),
    ("tune", "--seeds"),
    ("ui", "--port"),
]


@pytest.mark.parametrize("value", ["nan", "-inf", "-1", "0x1", "", "1e999", "١٢٣x", "1,5", "--"])
@pytest.mark.parametrize(("command", "option"), NUMBERS)
def test_bad_numbers(here, command, option, value):
    """What is no number, or none that the option can take."""
    suite = ["--suite", "smoke", "--dataset", "images.npz"] if command in {"run", "plan"} else []
    refused(command, *suite, option, value)


NO_URIS = ["here", "file:///x", "sqlite:", "sqlite://", "://x"]
NO_STORES = ["nosuch://x/y", "http://", "http://[::1", "http://x:99999999", "postgresql://127.0.0.1:1/x"]
NO_STORES += ["sqlite:////proc/x/y.db", "sqlite:///images.npz"]


@pytest.mark.parametrize("uri", NO_URIS + NO_STORES)
def test_bad_tracking_uris(here, uri):
    """A URI that leads to no store is refused by option and by environment, and its password is never shown."""
    assert "secret" not in refused("leaderboard", "--suite", "x", "--tracking-uri", uri.replace("://", "://me:secret@"))
    refused("leaderboard", "--suite", "x", MLFLOW_TRACKING_URI=uri)


@pytest.mark.parametrize("uri", NO_URIS)
@pytest.mark.parametrize("command", ["sync", "ui", "doctor", "claims"])
def test_what_is_no_tracking_uri(here, command, uri):
    """Each command that takes one refuses it."""
    refused(command, "--tracking-uri", uri)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MNIST_BENCH_DATA", "/no/such/folder"),
        ("MNIST_BENCH_DATA", "images.npz"),
        ("MNIST_BENCH_DATA", "\x1b[31m"),
        ("MNIST_BENCH_DATA", "x" * 5000),
    ],
)
def test_bad_environment_variables(here, name, value):
    """A variable that leads to no data is named, or what is wrong with the name."""
    said = refused("data", "--dataset", "fashion_mnist", **{name: value})
    assert name in said or "File name too long" in said
