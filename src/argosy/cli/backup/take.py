"""Backups taken, given up and deleted."""

from __future__ import annotations

from typing import Any

import click

from argosy import errors
from argosy.cli import output, waiting
from argosy.cli.backup import see
from argosy.cli.db.life import wait
from argosy.cli.place import Place, connect
from argosy.client.backups import Backups, NewBackup
from argosy.client.resources import Client

MEGABYTE = 1_000_000


@click.command()
@click.argument("instance")
@click.argument("name", default="")
@click.option("--parent", default="", metavar="BACKUP", help="Take only what changed since this one.")
@click.option("--incremental", is_flag=True, help="Take only what changed since the last one, if there is any.")
@click.option("--strategy", default="", help="How it is taken; the datastore's default when not given.")
@click.option("--container", default="", help="Where it goes in the object store.")
@click.option("--driver", type=click.Choice(["swift", "cinder"]), help="cinder: only a snapshot, on the same disk.")
@click.option("--description", default="", help="What it is for.")
@click.option("--limit", type=click.IntRange(min=1), metavar="MB", help="Read at most so many MB in a second.")
@click.option("--nice", type=click.IntRange(0, 19), help="How far it stands back for the database server.")
@wait
@output.option
@click.pass_obj
def create(place: Place, /, instance: str, name: str, wait: bool, form: str, **told: Any) -> None:
    """Take a backup of INSTANCE, called NAME, or as the instance."""
    client = connect(place)
    backups, found = Backups(client.session), client.instances.find(instance)
    wanted = NewBackup(
        name=name or found["name"],
        instance_id=found["id"],
        description=told["description"],
        parent_id=backups.find(told["parent"])["id"] if told["parent"] else "",
        incremental=told["incremental"],
        container=told["container"],
        strategy=told["strategy"],
        driver=told["driver"] or "",
        limits=_limits(told),
    )
    made = backups.create(wanted)
    if wait:
        waiting.follow(backups.follow(made["id"]), "create_backup")
        made = backups.get(made["id"])
    if told["incremental"] and not made["parent_id"]:
        click.echo(f"{made['name']} is a full backup: there was none that an incremental one could build on", err=True)
    see.tell(made, form)


@click.command()
@click.argument("name", metavar="BACKUP")
@click.pass_obj
def cancel(place: Place, name: str) -> None:
    """Stop a backup that is being made: nothing of it stays in the store."""
    backups = Backups(connect(place).session)
    found = backups.find(name)
    backups.cancel(found["id"])
    click.echo(f"{found['name']} is being cancelled")


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="BACKUP...")
@click.option("--yes", is_flag=True, help="Do not ask.")
@wait
@click.pass_obj
def delete(place: Place, names: tuple[str, ...], yes: bool, wait: bool) -> None:
    """Delete backups, and with each all that builds on it."""
    backups = Backups(connect(place).session)
    for found in [backups.find(name) for name in names]:
        if not yes:
            question = f"Delete {found['name']} ({found['id']}) and all that builds on it?"
            click.confirm(question, abort=True, err=True)
        backups.delete(found["id"])
        if wait:
            _until_gone(backups, found["id"])
        back = f": `argosy backup bring-back {found['name']}` brings it back" if found["deletion_protection"] else ""
        click.echo(f"{found['name']} is {'deleted' if wait else 'being deleted'}{back}")


@click.command()
@click.argument("name")
@click.argument("location")
@click.option("--engine", required=True, help="Datastore whose servers made it.")
@click.option("--version", required=True, help="Its version.")
@click.option("--size", type=float, required=True, help="GB of its data.")
@output.option
@click.pass_obj
def register(place: Place, /, name: str, location: str, form: str, **told: Any) -> None:
    """Have a backup restorable here that another deployment made, or that this one has lost: by its LOCATION."""
    client = connect(place)
    version_id = _version(client, told["engine"], told["version"])
    see.tell(Backups(client.session).register(name, location, version_id, told["size"]), form)


def _limits(told: dict[str, Any]) -> dict[str, int]:
    limits = {"bytes_per_second": told["limit"] and told["limit"] * MEGABYTE, "nice": told["nice"]}
    return {name: value for name, value in limits.items() if value is not None}


def _until_gone(backups: Backups, backup_id: str) -> None:
    """A protected one is gone at once, as far as anybody sees."""
    try:
        waiting.follow(backups.follow(backup_id), "delete_backup")
    except errors.NotFound:
        return


def _version(client: Client, engine: str, name: str) -> str:
    """Raises BadRequest."""
    for each in client.datastore(engine)["versions"]:
        if name in (each["id"], each["name"]):
            return str(each["id"])
    raise errors.BadRequest(f"{engine} has no version {name}: argosy datastore list shows all")
