"""Restore an instance in place, and go back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import click

from argosy.cli import output, waiting
from argosy.cli.db import recovery
from argosy.cli.db.life import wait
from argosy.cli.place import Place, connect

COLUMNS: tuple[output.Column, ...] = (
    ("ID", lambda row: row["id"]),
    ("WHAT WAS DONE THEN", lambda row: row["reason"]),
    ("VERSION", lambda row: row["datastore_version"]),
    ("KEPT SINCE", lambda row: row["created"]),
    ("UNTIL", lambda row: row["until"]),
)


@dataclass(frozen=True)
class Action:
    name: str
    operation: str
    begun: str
    done: str


RESTORE = Action(
    "restore", "restore_in_place", "is being restored", "has been restored: `argosy db undo` takes it back"
)
UNDO = Action("undo", "undo_change", "is going back", "is what it was: `argosy db undo` takes that back")
yes = click.option("--yes", is_flag=True, help="Do not ask; needed too for an instance with deletion protection.")


@click.command()
@click.argument("name")
@click.option("--backup", default="", help="Id of the backup (argosy backup list).")
@click.option("--at", default="", metavar="TIME", help="A moment of its own, as 2026-01-31T12:00:00Z, or latest.")
@click.option("--into", default="", metavar="NEW", help="A new instance of that name; this one stays as it is.")
@yes
@wait
@output.option
@click.pass_obj
def restore(place: Place, /, *, name: str, into: str, yes: bool, wait: bool, form: str, **target: str) -> None:  # noqa: PLR0913 - what it is given
    """Have an instance's data be those of a backup, or its own of a moment. What they were can be had back: db undo."""
    if into:
        if target["backup"]:
            raise click.UsageError("name --at: a new instance of a backup is made by `argosy backup restore`")
        recovery.make(place, name, into, {"at": target["at"] or "latest"}, wait=wait, form=form)
        return
    chosen = {key: value for key, value in target.items() if value}
    if not chosen:
        raise click.UsageError("name --backup or --at")
    _replace(place, name, RESTORE, chosen, yes=yes, wait=wait)


@click.command()
@click.argument("name")
@click.option("--id", "undo_id", default="", help="What to go back to (argosy db undos); the latest when not given.")
@yes
@wait
@click.pass_obj
def undo(place: Place, name: str, undo_id: str, yes: bool, wait: bool) -> None:
    """Have an instance's data be what they were before they were restored over."""
    _replace(place, name, UNDO, {"id": undo_id} if undo_id else {}, yes=yes, wait=wait)


@click.command()
@click.argument("name")
@click.option("--forget", default="", metavar="ID", help="Let go of this one: it takes room.")
@output.option
@click.pass_obj
def undos(place: Place, name: str, forget: str, form: str) -> None:
    """What can be gone back to."""
    client = connect(place)
    instance = client.instances.find(name)
    if forget:
        client.instances.forget_undo(instance["id"], forget)
        return
    output.rows(client.instances.undos(instance["id"]), COLUMNS, form)


def _replace(place: Place, name: str, action: Action, told: Mapping[str, str], *, yes: bool, wait: bool) -> None:  # noqa: PLR0913 - what both commands are given
    client = connect(place)
    instance = client.instances.find(name)
    if not yes:
        click.confirm(f"Replace all data of {instance['name']} ({instance['id']})?", abort=True, err=True)
    client.instances.act(instance["id"], {action.name: {**told, "confirm": True}})
    if wait:
        waiting.until_done(client, instance["id"], action.operation)
    click.echo(f"{instance['name']} {action.done if wait else action.begun}")
