"""Backups that are not lost by being deleted."""

from __future__ import annotations

import click

from argosy.cli import output
from argosy.cli.place import Place, connect
from argosy.client.backups import Backups
from argosy.client.deleted import Deleted

COLUMNS: tuple[output.Column, ...] = (
    ("NAME", lambda row: row["name"]),
    ("DELETED", lambda row: row["deleted"]),
    ("UNTIL", lambda row: row["until"]),
    ("INSTANCE", lambda row: row["instance_id"]),
    ("ID", lambda row: row["id"]),
)


@click.command()
@click.argument("name", metavar="BACKUP")
@click.option("--off", is_flag=True, help="Protect it no more.")
@click.pass_obj
def protect(place: Place, name: str, off: bool) -> None:
    """Deleted from now on, a backup can be brought back for some time, with all that builds on it."""
    backups = Backups(connect(place).session)
    backups.change(backups.find(name)["id"], {"deletion_protection": not off})


@click.command()
@output.option
@click.pass_obj
def deleted(place: Place, form: str) -> None:
    """Backups that were deleted and can be brought back, and until when."""
    output.rows(list(_deleted(place).list()), COLUMNS, form)


@click.command("bring-back")
@click.argument("name", metavar="BACKUP")
@click.pass_obj
def bring_back(place: Place, name: str) -> None:
    """Have a deleted backup back, with all that it stands on."""
    waiting_ones = _deleted(place)
    waiting_ones.bring_back(waiting_ones.find(name)["id"])


@click.command()
@click.argument("name", metavar="BACKUP")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def purge(place: Place, name: str, yes: bool) -> None:
    """Have a deleted backup go at once, with all that builds on it. Nothing brings it back then."""
    waiting_ones = _deleted(place)
    found = waiting_ones.find(name)
    if not yes:
        click.confirm(f"Delete {found['name']} ({found['id']}) for good?", abort=True, err=True)
    waiting_ones.purge(found["id"])


def _deleted(place: Place) -> Deleted:
    return Deleted(connect(place).session, "backups")
