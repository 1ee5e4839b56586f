"""Restore an instance in place, and go back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from argosy.cli import output, waiting
from argosy.cli.db import recovery
from argosy.cli.db.life import wait
from argosy.cli.place import Place, connect
from argosy.client.backups import Backups
from argosy.client.resources import Client, Document

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
@click.option("--backup", default="", help="A backup's name or id (argosy backup list).")
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
    client = connect(place)
    if target["backup"]:
        chosen["backup"] = Backups(client.session).find(target["backup"])["id"]
    found, what = client.instances.find(name), " and ".join(value for value in target.values() if value)
    _replace(client, found, RESTORE, chosen, f"by {what}", yes=yes, wait=wait)


@click.command()
@click.argument("name")
@click.option("--id", "undo_id", default="", help="What to go back to (argosy db undos); the latest when not given.")
@yes
@wait
@click.pass_obj
def undo(place: Place, name: str, undo_id: str, yes: bool, wait: bool) -> None:
    """Have an instance's data be what they were before they were restored over."""
    client = connect(place)
    found = client.instances.find(name)
    kept = client.instances.undos(found["id"])
    meant = next((each for each in kept if undo_id in ("", each["id"])), None)
    what = f"by what they were at {meant['created']}, before it was {meant['reason']}" if meant else "by older ones"
    _replace(client, found, UNDO, {"id": undo_id} if undo_id else {}, what, yes=yes, wait=wait)


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


def _replace(  # noqa: PLR0913 - what both commands are given
    client: Client, instance: Document, action: Action, told: Mapping[str, Any], what: str, *, yes: bool, wait: bool
) -> None:
    if not yes:
        question = f"Replace all data of {instance['name']} ({instance['id']}) {what}?"
        click.confirm(question, abort=True, err=True)
    client.instances.act(instance["id"], {action.name: {**told, "confirm": True}})
    if wait:
        waiting.until_done(client, instance["id"], action.operation)
    click.echo(f"{instance['name']} {action.done if wait else action.begun}")
