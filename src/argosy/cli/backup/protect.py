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
    found = backups.find(name)
    backups.change(found["id"], {"deletion_protection": not off})
    click.echo(f"{found['name']} is protected{' no more' if off else ''}")


@click.command()
@click.argument("backup_id", metavar="BACKUP_ID")
@click.option("--until", required=True, metavar="TIME", help="As 2030-01-31T00:00:00Z.")
@click.pass_obj
def hold(place: Place, backup_id: str, until: str) -> None:
    """Have nobody delete a backup, of whichever project, before a time. For administrators."""
    Backups(connect(place).session).act(backup_id, {"hold": {"until": until}})
    click.echo(f"nobody can delete {backup_id} before {until}")


@click.command()
@click.argument("backup_id", metavar="BACKUP_ID")
@click.pass_obj
def release(place: Place, backup_id: str) -> None:
    """Let a backup that was held be deleted again. For administrators."""
    Backups(connect(place).session).act(backup_id, {"release": {}})
    click.echo(f"{backup_id} is held no more")


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
    found = waiting_ones.find(name)
    waiting_ones.bring_back(found["id"])
    click.echo(f"{found['name']} is back")


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
    click.echo(f"{found['name']} is deleted for good")


def _deleted(place: Place) -> Deleted:
    return Deleted(connect(place).session, "backups")
