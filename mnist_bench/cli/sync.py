"""`mnist-bench sync`: what waits in the outbox, delivered."""

from __future__ import annotations

import click

from mnist_bench.cli.options import tracking_uri_option
from mnist_bench.errors import UndeliveredError
from mnist_bench.tracking import Outbox, Recorder, locate, open_store

__all__ = ["command"]


@click.command("sync")
@tracking_uri_option
def command(tracking_uri: str | None) -> None:
    """Deliver to MLflow the finished runs that wait in the outbox.

    What `mnist-bench run` couldn't deliver while MLflow didn't answer. Delivering twice changes nothing.
    """
    location = locate(tracking_uri)
    outbox = Outbox(location.outbox)
    if not outbox.entries() and not outbox.half_written():
        click.echo(f"nothing waits in {outbox.folder}")
        return
    recorder = Recorder(open_store(tracking_uri, create=True), outbox)
    delivery = recorder.deliver()
    click.echo(f"{delivery.delivered} runs delivered to {location.address}")
    for fault in delivery.faults:
        click.echo(fault, err=True)
    left = len(outbox.entries())
    if left:
        raise UndeliveredError(f"{left} runs still wait in {outbox.folder}: give this command again later")
