"""Backups as they are, and how far they are."""

from __future__ import annotations

from typing import Any

import click

from argosy import clock
from argosy.cli import output, waiting
from argosy.cli.place import Place, connect
from argosy.client import words
from argosy.client.backups import Backups
from argosy.client.resources import Document


def _size(row: Any) -> str:
    return f"{row['size']:g} GB" if row["size"] is not None else ""


def state(backup: Any) -> str:
    """With how far it is, while it is being made."""
    percent = backup.get("progress", {}).get("percent")
    return backup["status"] if percent is None else f"{backup['status']} {percent:g} %"


COLUMNS: tuple[output.Column, ...] = (
    ("NAME", lambda row: row["name"]),
    ("STATUS", state),
    ("TAKEN", lambda row: row["created"]),
    ("BY", lambda row: row["strategy"]),
    ("SIZE", _size),
    ("PROOF", lambda row: row["proof"]["state"]),
    ("PARENT", lambda row: row["parent_id"]),
    ("ID", lambda row: row["id"]),
)


@click.command("list")
@click.argument("instance", default="")
@output.option
@click.pass_obj
def list_backups(place: Place, instance: str, form: str) -> None:
    """Every backup of the project, or of one INSTANCE, newest first."""
    client = connect(place)
    instance_id = client.instances.find(instance)["id"] if instance else ""
    output.rows(list(Backups(client.session).list(instance_id)), COLUMNS, form)


@click.command()
@click.argument("name", metavar="BACKUP")
@output.option
@click.pass_obj
def show(place: Place, name: str, form: str) -> None:
    """One backup, and how far it is while it is being made."""
    tell(Backups(connect(place).session).find(name), form)


@click.command()
@click.argument("name", metavar="BACKUP")
@output.option
@click.pass_obj
def operations(place: Place, name: str, form: str) -> None:
    """Everything that was done about a backup, newest first, step by step."""
    backups = Backups(connect(place).session)
    waiting.tell(backups.operations(backups.find(name)["id"]), form)


def _held(backup: Document) -> str | None:
    until = backup["held_until"]
    return f"nobody can delete it before {until}" if until and until > clock.timestamp(clock.now()) else None


def tell(backup: Document, form: str) -> None:
    stored = backup["bytes"]
    fields = {
        "name": backup["name"],
        "id": backup["id"],
        "status": backup["status"],
        "progress": words.pace(backup["progress"]) if "progress" in backup else None,
        "instance": backup["instance_id"],
        "taken by": backup["strategy"],
        "builds on": backup["parent_id"],
        "restores to": backup["moment"],
        "size": _size(backup),
        "stored": words.size(stored["stored"]) if stored["stored"] else None,
        "volume": f"{backup['volume_size']} GB or more",
        "proof": words.proof(backup["proof"]),
        "protected": "deleted, it can be brought back" if backup["deletion_protection"] else None,
        "held": _held(backup),
        "region": backup["region"],
        "location": backup["locationRef"],
        "fault": backup.get("fault", {}).get("message"),
    }
    output.one(backup, {title: value for title, value in fields.items() if value}, form)
