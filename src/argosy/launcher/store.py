"""`argosy store`: whether backups have a place to go to."""

from __future__ import annotations

import json
from typing import Any

import click

from argosy import errors, settings
from argosy.cli import output
from argosy.cli.place import Place
from argosy.launcher import forks
from argosy.launcher.self_backup import owner
from argosy.settings import Settings

COLUMNS: tuple[output.Column, ...] = (
    ("STORE", lambda row: row["store"]),
    ("USED", lambda row: f"{row['used_percent']} %" if row["used_percent"] is not None else "unknown"),
    ("WRITE", lambda row: _milliseconds(row, "write")),
    ("LIST", lambda row: _milliseconds(row, "list")),
    ("READ", lambda row: _milliseconds(row, "read")),
    ("DELETE", lambda row: _milliseconds(row, "delete")),
)


class Away(errors.Unavailable):
    """the object store does not answer"""


class Unusable(errors.Broken):
    """the object store cannot be used"""


@click.group()
def store() -> None:
    """Where backups and logs are kept."""


@store.command()
@click.option("--region", default="", help="List and read in that region's store, where nothing is written.")
@output.option
@click.pass_obj
def check(place: Place, form: str, region: str) -> None:
    """Write, list, read and delete an object, as Argosy itself would. Says what is wrong, and who can mend it."""
    deployment = settings.load(place.state)
    told = json.loads(forks.ask(lambda: json.dumps(_checked(deployment, region)), owner(deployment)) or "{}")
    if "seconds" not in told:
        raise (Away if told.get("away") else Unusable)(told.get("error", ""))
    output.rows([told], COLUMNS, form)


def _checked(deployment: Settings, region: str) -> dict[str, Any]:
    """In a process of the deployment's own user, who alone may read the store's credentials."""
    from argosy.model import usage
    from argosy.stores import probe
    from argosy.stores.deployment import store as opened

    try:
        there = opened(deployment, region)
        seconds, room = (probe.look if region else probe.probe)(there), there.room()
    except errors.ArgosyError as error:
        return {"error": error.message, "away": isinstance(error, errors.Unavailable)}
    percent = usage.percent(*room) if room else None
    return {"store": name(deployment, region), "used_percent": percent, "seconds": seconds}


def name(deployment: Settings, region: str = "") -> str:
    told = deployment.region(region).store if region else deployment.store
    if told.kind == "filesystem":
        return told.path or str(deployment.state / "objects")
    return f"{told.kind} {told.url or 'amazonaws.com'} {told.bucket}/{told.prefix}"


def _milliseconds(row: Any, name: str) -> str:
    seconds = row["seconds"].get(name)
    return "" if seconds is None else f"{seconds * 1000:.0f} ms"
