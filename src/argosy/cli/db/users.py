"""`argosy db users`: who may log in to an instance, and enter which of its databases."""

from __future__ import annotations

from typing import IO

import click

from argosy.cli import output, waiting
from argosy.cli.db.life import wait
from argosy.cli.place import Place, connect
from argosy.client.accounts import Accounts
from argosy.client.resources import Client

COLUMNS: tuple[output.Column, ...] = (
    ("NAME", lambda row: row["name"]),
    ("HOST", lambda row: row["host"]),
    ("DATABASES", lambda row: [each["name"] for each in row["databases"]]),
)
password_file = click.option("--password-file", type=click.File(), help="The password, or - for standard input.")
database = click.option(
    "--database", "databases", multiple=True, help="A database that the user may enter; repeatable."
)


@click.group()
def users() -> None:
    """Who may log in to an instance. USER is a name, or name@host where the engine tells users apart by their hosts."""


@users.command("list")
@click.argument("name")
@output.option
@click.pass_obj
def list_users(place: Place, name: str, form: str) -> None:
    """All but the master and the engine's own."""
    _client, _instance, accounts = _open(place, name)
    output.rows(list(accounts.users()), COLUMNS, form)


@users.command()
@click.argument("name")
@click.argument("user")
@output.option
@click.pass_obj
def show(place: Place, name: str, user: str, form: str) -> None:
    """One user."""
    _client, _instance, accounts = _open(place, name)
    found = accounts.user(user)
    output.one(found, {title.lower(): look(found) for title, look in COLUMNS}, form)


@users.command()
@click.argument("name")
@click.argument("user")
@password_file
@database
@click.option(
    "--host", default="", help="Where the user may come from (MySQL and MariaDB); from everywhere by default."
)
@wait
@click.pass_obj
def create(  # noqa: PLR0913 - one parameter for each option
    place: Place,
    /,
    *,
    name: str,
    user: str,
    password_file: IO[str] | None,
    databases: tuple[str, ...],
    host: str,
    wait: bool,
) -> None:
    """Make a user."""
    client, instance, accounts = _open(place, name)
    accounts.create_user(user, _password(user, password_file), databases, host)
    _end(client, instance, "create_users", wait=wait)
    click.echo(f"user {user} {'is there' if wait else 'is being made'}")


@users.command()
@click.argument("name")
@click.argument("user")
@click.option("--name", "new_name", default="", help="Another name.")
@click.option("--host", default="", help="Another host.")
@click.option("--password", is_flag=True, help="Another password: asked for, or from --password-file.")
@password_file
@wait
@click.pass_obj
def update(  # noqa: PLR0913 - one parameter for each option
    place: Place,
    /,
    *,
    name: str,
    user: str,
    new_name: str,
    host: str,
    password: bool,
    password_file: IO[str] | None,
    wait: bool,
) -> None:
    """Give a user another name, host or password. Rights and open sessions stay."""
    client, instance, accounts = _open(place, name)
    secret = _password(user, password_file) if password or password_file else ""
    changes = {"name": new_name, "host": host, "password": secret}
    accounts.update_user(user, **{key: value for key, value in changes.items() if value})
    _end(client, instance, "update_user", wait=wait)
    click.echo(f"user {new_name or user} {'has been changed' if wait else 'is being changed'}")


@users.command()
@click.argument("name")
@click.argument("user")
@wait
@click.pass_obj
def delete(place: Place, /, name: str, user: str, wait: bool) -> None:
    """Drop a user. What it owns becomes the master's, and its sessions end."""
    client, instance, accounts = _open(place, name)
    accounts.delete_user(user)
    _end(client, instance, "delete_user", wait=wait)
    click.echo(f"user {user} is {'deleted' if wait else 'being deleted'}")


@users.command()
@click.argument("name")
@click.argument("user")
@click.argument("databases", nargs=-1, required=True, metavar="DATABASE...")
@wait
@click.pass_obj
def grant(place: Place, /, name: str, user: str, databases: tuple[str, ...], wait: bool) -> None:
    """Give a user all rights in databases."""
    client, instance, accounts = _open(place, name)
    accounts.grant(user, databases)
    _end(client, instance, "grant_access", wait=wait)
    click.echo(f"user {user} may enter {', '.join(databases)}")


@users.command()
@click.argument("name")
@click.argument("user")
@click.argument("database")
@wait
@click.pass_obj
def revoke(place: Place, /, name: str, user: str, database: str, wait: bool) -> None:
    """Shut a user out of a database. Its sessions there end."""
    client, instance, accounts = _open(place, name)
    accounts.revoke(user, database)
    _end(client, instance, "revoke_access", wait=wait)
    click.echo(f"user {user} may not enter {database} any more")


def _open(place: Place, name: str) -> tuple[Client, str, Accounts]:
    client = connect(place)
    instance: str = client.instances.find(name)["id"]
    return client, instance, Accounts(client.session, instance)


def _end(client: Client, instance: str, operation: str, *, wait: bool) -> None:
    if wait:
        waiting.until_done(client, instance, operation)


def _password(user: str, file: IO[str] | None) -> str:
    if file:
        return file.readline().rstrip("\n")
    told: str = click.prompt(f"Password of {user}", hide_input=True, confirmation_prompt=True, err=True)
    return told
