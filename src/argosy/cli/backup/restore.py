"""A new instance that begins as a backup."""

from __future__ import annotations

from typing import Any

import click

from argosy.cli import output, waiting
from argosy.cli.db import life
from argosy.cli.db.life import wait
from argosy.cli.place import Place, connect
from argosy.client.backups import Backups
from argosy.client.resources import Request

UNSEEN = ("unproven", "proving")


@click.command()
@click.argument("name", metavar="BACKUP")
@click.argument("instance")
@click.option("--flavor", default="1", show_default=True, help="Memory and processor (argosy flavor list).")
@click.option("--size", type=click.IntRange(min=1), help="Volume in GB; as large as the one it was taken from.")
@click.option("--engine", default="", help="Datastore, where the backup's own is not wanted.")
@click.option("--version", default="", help="Another version of it that takes the backup's data.")
@wait
@output.option
@click.pass_obj
def restore(place: Place, /, name: str, instance: str, wait: bool, form: str, **told: Any) -> None:
    """Make a new INSTANCE of a backup. Its master password goes to your credential file."""
    client = connect(place)
    backup = Backups(client.session).find(name)
    engine = told["engine"] or (backup["datastore"]["type"] if told["version"] else "")
    size = told["size"] or backup["volume_size"]
    wanted = Request(instance, engine, told["flavor"], size, version=told["version"], backup=backup["id"])
    if backup["proof"]["state"] in UNSEEN:
        click.echo(f"{backup['name']} is {backup['proof']['state']}: nobody has seen it restored yet", err=True)
    made = client.instances.create(wanted)
    if "password" in made:
        place.credentials.keep_password(client.session.login.auth_url, made["id"], made["password"])
    if wait:
        waiting.until_done(client, made["id"], "create_instance")
        made = {**client.instances.get(made["id"]), **{key: made[key] for key in ("password",) if key in made}}
    life.tell(made, form)
