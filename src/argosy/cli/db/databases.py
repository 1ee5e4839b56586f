"""`argosy db databases`: the databases inside an instance."""

from __future__ import annotations

import click

from argosy.cli import output, waiting
from argosy.cli.db.life import wait
from argosy.cli.place import Place, connect
from argosy.client.accounts import Accounts


@click.group()
def databases() -> None:
    """The databases inside an instance."""


@databases.command("list")
@click.argument("name")
@output.option
@click.pass_obj
def list_databases(place: Place, name: str, form: str) -> None:
    """All but the engine's own."""
    client = connect(place)
    found = Accounts(client.session, client.instances.find(name)["id"]).databases()
    output.rows([{"name": each} for each in found], (("NAME", lambda row: row["name"]),), form)


@databases.command()
@click.argument("name")
@click.argument("database")
@click.option("--character-set", default="", help="The engine's default when not given.")
@click.option("--collate", default="", help="The engine's default when not given.")
@wait
@click.pass_obj
def create(place: Place, /, name: str, database: str, wait: bool, **options: str) -> None:
    """Make a database."""
    client = connect(place)
    instance = client.instances.find(name)["id"]
    chosen = {option: value for option, value in options.items() if value}
    Accounts(client.session, instance).create_database(database, **chosen)
    if wait:
        waiting.until_done(client, instance, "create_databases")
    click.echo(f"database {database} {'is there' if wait else 'is being made'}")


@databases.command()
@click.argument("name")
@click.argument("database")
@click.option("--yes", is_flag=True, help="Do not ask.")
@wait
@click.pass_obj
def delete(place: Place, /, name: str, database: str, yes: bool, wait: bool) -> None:
    """Drop a database with all that is in it; whoever is connected to it is disconnected."""
    client = connect(place)
    instance = client.instances.find(name)
    if not yes:
        click.confirm(f"Drop database {database} of {instance['name']} with all its data?", abort=True, err=True)
    Accounts(client.session, instance["id"]).delete_database(database)
    if wait:
        waiting.until_done(client, instance["id"], "delete_database")
    click.echo(f"database {database} is {'deleted' if wait else 'being deleted'}")
