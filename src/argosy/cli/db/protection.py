"""Instances that are not lost by being deleted."""

from __future__ import annotations

import click

from argosy.cli import output, waiting
from argosy.cli.db.life import wait
from argosy.cli.place import Place, connect
from argosy.client.deleted import Deleted

COLUMNS: tuple[output.Column, ...] = (
    ("NAME", lambda row: row["name"]),
    ("DELETED", lambda row: row["deleted"]),
    ("UNTIL", lambda row: row["until"]),
    ("FAULT", lambda row: row["fault"] or ""),
    ("ID", lambda row: row["id"]),
)


@click.command()
@click.argument("name")
@click.option("--off", is_flag=True, help="Protect it no more.")
@click.pass_obj
def protect(place: Place, name: str, off: bool) -> None:
    """Deleted from now on, an instance gets a last backup, and can be brought back for some time."""
    instances = connect(place).instances
    found = instances.find(name)
    instances.change(found["id"], {"deletion_protection": not off})
    click.echo(f"{found['name']} is protected{' no more' if off else ''}")


@click.command()
@output.option
@click.pass_obj
def deleted(place: Place, form: str) -> None:
    """Instances that were deleted and can be brought back, and until when."""
    output.rows(Deleted(connect(place).session, "instances").list(), COLUMNS, form)


@click.command("bring-back")
@click.argument("name")
@wait
@click.pass_obj
def bring_back(place: Place, name: str, wait: bool) -> None:
    """Have a deleted instance back, with all its data."""
    client = connect(place)
    waiting_ones = Deleted(client.session, "instances")
    found = waiting_ones.find(name)
    waiting_ones.bring_back(found["id"])
    if wait:
        waiting.until_done(client, found["id"], "bring_back_instance")
    click.echo(f"{found['name']} {'is back' if wait else 'is coming back'}")


@click.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def purge(place: Place, name: str, yes: bool) -> None:
    """Have a deleted instance go at once. Nothing brings it back then."""
    client = connect(place)
    waiting_ones = Deleted(client.session, "instances")
    found = waiting_ones.find(name)
    if not yes:
        click.confirm(f"Delete all data of {found['name']} ({found['id']}) for good?", abort=True, err=True)
    waiting_ones.purge(found["id"])
    place.credentials.drop_password(client.session.login.auth_url, found["id"])
    click.echo(f"{found['name']} is being deleted for good")
