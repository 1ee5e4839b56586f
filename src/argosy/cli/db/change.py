"""Another size, stop and start, and a new server."""

from __future__ import annotations

from typing import Any

import click

from argosy.cli import waiting
from argosy.cli.db.life import wait
from argosy.cli.place import Place, connect


@click.command()
@click.argument("name")
@click.option("--flavor", default="", help="Memory and processor (argosy flavor list).")
@click.option("--size", type=click.IntRange(min=1), help="Volume in GB; it can only become larger.")
@wait
@click.pass_obj
def resize(place: Place, name: str, flavor: str, size: int | None, wait: bool) -> None:
    """Give an instance another flavor, or a larger volume while it runs."""
    if bool(flavor) == bool(size):
        raise click.UsageError("name one of --flavor and --size")
    what = {"flavorRef": flavor} if flavor else {"volume": {"size": size}}
    operation = "resize_flavor" if flavor else "resize_volume"
    _act(place, name, operation, {"resize": what}, wait=wait)


@click.command()
@click.argument("name")
@wait
@click.pass_obj
def stop(place: Place, name: str, wait: bool) -> None:
    """Stop the database server until you start it again. Its data and its address stay."""
    _act(place, name, "stop_instance", {"stop": {}}, wait=wait)


@click.command()
@click.argument("name")
@wait
@click.pass_obj
def start(place: Place, name: str, wait: bool) -> None:
    """Start the database server of a stopped instance."""
    _act(place, name, "start_instance", {"start": {}}, wait=wait)


@click.command()
@click.argument("name")
@wait
@click.pass_obj
def rebuild(place: Place, name: str, wait: bool) -> None:
    """Make a new server over the same data, users and settings: for one that does not come up any more."""
    _act(place, name, "rebuild_instance", {"rebuild": {}}, wait=wait)


@click.command()
@click.argument("name")
@click.option("--to", "version", required=True, help="A later version of its datastore, or the beginning of one.")
@wait
@click.pass_obj
def upgrade(place: Place, name: str, version: str, wait: bool) -> None:
    """Take an instance to a later version. It is away for some seconds, and is what it was if that fails."""
    client = connect(place)
    instance = client.instances.find(name)
    client.instances.upgrade(instance["id"], version)
    if wait:
        waiting.until_done(client, instance["id"], "upgrade_instance")
    click.echo(f"{instance['name']} {TOLD['upgrade_instance'][wait]}")


TOLD = {
    "upgrade_instance": ("is being upgraded", "has been upgraded"),
    "resize_flavor": ("is being resized", "has been resized"),
    "resize_volume": ("is being resized", "has been resized"),
    "stop_instance": ("is being stopped", "is stopped"),
    "start_instance": ("is being started", "has been started"),
    "rebuild_instance": ("is being rebuilt", "has been rebuilt"),
}


def _act(place: Place, name: str, operation: str, action: dict[str, Any], *, wait: bool) -> None:
    client = connect(place)
    instance = client.instances.find(name)
    client.instances.act(instance["id"], action)
    if wait:
        waiting.until_done(client, instance["id"], operation)
    click.echo(f"{instance['name']} {TOLD[operation][wait]}")
