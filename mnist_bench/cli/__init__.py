"""The command line: one file a command, each a thin twin of the library.

A command's file is imported when the command is called, so that `--help` starts at once.
"""

from __future__ import annotations

import importlib
import signal
import sys

import click

from mnist_bench import __version__
from mnist_bench.errors import MnistBenchError

__all__ = ["COMMANDS", "cli", "main"]

INTERRUPTED = 130

# In the order of a day's work; a test holds that each line is the command's own first line of help.
COMMANDS = {
    "list": "Show what there is to run: architectures, suites, datasets.",
    "data": "Show what a dataset is: sizes, split, class counts, digests, source.",
    "plan": "Say before any training what a suite costs, and what its seeds can and can't show.",
    "run": "Train every variant of a suite over paired seeds, and record each run.",
    "tune": "Search numbers and widths of layers by Optuna, and train the best again on fresh seeds.",
    "leaderboard": "Rank what was recorded of a suite, with a verdict for each variant.",
    "compare": "Compare two variants, or two runs, over their seeds and image by image.",
    "claims": "Judge what was published about these models by what was run.",
    "sync": "Deliver to MLflow the finished runs that wait in the outbox.",
    "doctor": "Say what is wrong with store, outbox, data and machine, and mend it with --fix.",
    "ui": "Open MLflow's own pages on the store.",
}


class _Commands(click.Group):
    """Commands by name, imported at their call."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [*COMMANDS]  # not `list`: that is a command's module here

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"mnist_bench.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Did the change help? Paired, multi-seed comparisons of MNIST models, recorded in MLflow."""


def main() -> None:
    """Run the command line and exit: 0 all well, 1 runs failed, 2 bad input, 130 interrupted."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what a scheduler sends ends a command as Ctrl-C does
    try:
        code = cli.main(standalone_mode=False)
    except click.Abort:  # click's name for Ctrl-C
        code = INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        code = 0
    except click.ClickException as error:
        message = " ".join(error.format_message().split()).rstrip(".")
        hint = f"; see `{error.ctx.command_path} --help`" if isinstance(error, click.UsageError) and error.ctx else ""
        code = _fail(message + hint, error.exit_code)
    except MnistBenchError as error:
        code = _fail(str(error), error.exit_code)
    sys.exit(code)


def _fail(message: str, code: int) -> int:
    # A name that a user gave may hold a newline, or what a terminal obeys.
    told = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in message)
    click.echo(f"mnist-bench: {told}", err=True)
    return code
