"""The command line as a whole: help, exit codes, errors in one line."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from mnist_bench import cli

ROOT = Path(__file__).parents[2]


@pytest.fixture
def call(monkeypatch, capsys):
    """Call `mnist-bench` with arguments, in this process: exit code, standard output, standard error."""

    def caller(*arguments):
        monkeypatch.setattr(sys, "argv", ["mnist-bench", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return exit_.value.code or 0, *capsys.readouterr()

    return caller


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_help_says_what_the_command_says(name):
    """The line in `--help`, kept apart so that it imports nothing, is the first of the command's own help."""
    command = importlib.import_module(f"mnist_bench.cli.{name}").command
    assert command.name == name
    assert command.help.partition("\n")[0] == cli.COMMANDS[name]


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_the_readme_shows_every_command(name):
    """Who reads the README has met each command."""
    assert f"mnist-bench {name}" in (ROOT / "README.md").read_text()


def test_every_file_of_the_command_line_is_a_command_or_serves_one():
    """A command that isn't in the list could not be called."""
    files = {path.stem for path in (ROOT / "mnist_bench" / "cli").glob("*.py")}
    assert files - set(cli.COMMANDS) == {
        "__init__",
        "echo",
        "files",
        "options",
        "plan_view",
        "progress",
        "recorded",
        "round",
        "search",
    }


def test_help_imports_nothing_heavy():
    """`--help` starts at once: neither TensorFlow, MLflow, pandas, nor even NumPy is loaded."""
    code = (
        "import sys; from mnist_bench.cli import cli; cli.main(['--help'], standalone_mode=False);"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'mlflow', 'pandas', 'numpy', 'pydantic')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, stdout=subprocess.DEVNULL).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["runn"], "No such command 'runn'"),
        (["run"], "Missing option '--suite'; see `mnist-bench run --help`"),
        (["run", "--suite", "smoke", "--seeds", "0"], "Invalid value for '--seeds': 0 is not in the range x>=1"),
        (["run", "--suite", "smok"], "unknown suite 'smok'; did you mean 'smoke'? (a path ends in .toml)"),
        (["run", "--suite", "none.toml"], "none.toml: can't be read: No such file or directory"),
        (["run", "--suite", "smoke", "--dataset", "mnist-6k"], "did you mean 'mnist-5k'?"),
        (
            ["run", "--suite", "smoke", "--dataset", "mnist-5k", "--only", "mpl"],
            "suite smoke has no variant 'mpl'; did you mean 'mlp'?",
        ),
        (
            ["run", "--suite", "smoke", "--dataset", "mnist-5k", "--tracking-uri", "nowhere", "--dry-run"],
            "'nowhere' is no tracking URI",
        ),
        (
            ["run", "--suite", "smoke", "--workers", "1", "--scheduler", "tcp://x:1"],
            "--workers is for this machine's own",
        ),
        (["run", "--suite", "smoke", "--scheduler", ""], "--scheduler is empty: give an address, tcp://host:8786"),
        (["tune", "--architecture", "convnt"], "unknown architecture 'convnt'; did you mean 'convnet'?"),
        (["tune", "--space", "none.toml"], "none.toml: can't be read: No such file or directory"),
        (["tune", "--sampler", "grid"], "dropout is continuous, a grid can't have all of it"),
        (["tune", "--dataset", "mnist-6k"], "did you mean 'mnist-5k'?"),
        (
            ["tune", "--dataset", "mnist-5k", "--study", "a b"],
            "--study 'a b': the suite that confirms it, 'a b-top', has to be up to 60 letters",
        ),
        (["tune", "--trials", "0"], "Invalid value for '--trials': 0 is not in the range x>=1"),
        (
            ["tune", "--objectives", "accuracy,parameters", "--pruner", "median"],
            "--pruner median is for one objective: with accuracy,parameters nothing is pruned",
        ),
        (["tune", "--objectives", "accuracy,seconds", "--sampler", "cmaes"], "--sampler cmaes is for one objective"),
        (["tune", "--workers", "1", "--scheduler", "tcp://x:1"], "--workers is for this machine's own"),
        (["list"], "Missing argument"),
        (["show", "baseline"], "nothing recorded yet at"),
        (["predict"], "Missing argument 'IMAGE...'; see `mnist-bench predict --help`"),
        (["predict", "none.png", "--run", "x"], "File 'none.png' does not exist"),
        (["export", "-o", "out"], "nothing recorded yet at"),
        (["export"], "Missing option '-o' / '--output'"),
        (["leaderboard", "--suite", "smoke"], "nothing recorded yet at"),
        (["report", "--suite", "smoke"], "nothing recorded yet at"),
        (
            ["report", "--suite", "smoke", "-o", "none/report.html"],
            "none/report.html: can't be written (no such folder)",
        ),
        (["list", "models"], "'models' is not one of 'architectures', 'suites', 'datasets'"),
        (["data", "--dataset", "mnist-6k"], "did you mean 'mnist-5k'?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_input_gets_one_line_and_exit_2(call, tmp_path, monkeypatch, arguments, message):
    """Whatever the user got wrong is told in one line on standard error, without a traceback; nothing is written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MNIST_BENCH_DATA", raising=False)
    code, output, errors = call(*arguments)
    assert code == 2
    assert output == ""
    assert errors.startswith("mnist-bench: ")
    assert message in errors
    assert errors.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_without_a_command_the_help_is_shown(call):
    """Who types the name alone is told what there is."""
    code, output, errors = call()
    assert (code, errors) == (0, "")
    assert output.startswith("Usage: mnist-bench")


@pytest.mark.parametrize("what", ["architectures", "suites", "datasets"])
def test_list_shows_what_there_is(call, what):
    """Every registered name is in its list."""
    from mnist_bench import architectures, data, suites  # noqa: PLC0415 - not for the other tests

    names = {"architectures": architectures.names(), "suites": suites.names(), "datasets": list(data.DATASETS)}[what]
    code, output, _ = call("list", what)
    assert code == 0
    assert all(name in output for name in names)


def test_the_version_is_told(call):
    """`--version` says which one this is."""
    from mnist_bench import __version__  # noqa: PLC0415

    assert __version__ in call("--version")[1]
