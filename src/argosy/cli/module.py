"""`argosy module`: small additions that instances are given."""

from __future__ import annotations

from typing import BinaryIO

import click

from argosy.cli import output
from argosy.cli.place import Place, connect
from argosy.client.modules import Modules

COLUMNS: tuple[output.Column, ...] = (
    ("NAME", lambda row: row["name"]),
    ("TYPE", lambda row: row["type"]),
    ("FOR", lambda row: f"{row['datastore']} {row['datastore_version']}"),
    ("ID", lambda row: row["id"]),
)
APPLIED: tuple[output.Column, ...] = (
    ("NAME", lambda row: row["name"]),
    ("STATUS", lambda row: row["status"]),
    ("CURRENT", lambda row: "yes" if row["current"] else "no"),
    ("MESSAGE", lambda row: row["message"]),
    ("ID", lambda row: row["id"]),
)


@click.group()
def module() -> None:
    """Small additions that instances are given."""


@module.command("list")
@click.argument("instance", default="")
@output.option
@click.pass_obj
def list_modules(place: Place, instance: str, form: str) -> None:
    """Every module of the project; with the name of an INSTANCE, those that it has."""
    client = connect(place)
    modules = Modules(client.session)
    if instance:
        output.rows(modules.of_instance(client.instances.find(instance)["id"]), APPLIED, form)
    else:
        output.rows(modules.list(), COLUMNS, form)


@module.command()
@click.argument("name")
@click.argument("contents", type=click.File("rb"))
@click.option("--type", "kind", required=True, help="What the contents are for: ping, new_relic_license.")
@click.option("--description", default="", help="What it is for.")
@output.option
@click.pass_obj
def create(place: Place, /, *, name: str, contents: BinaryIO, form: str, **told: str) -> None:
    """Make a module of the file CONTENTS, or of - for standard input."""
    made = Modules(connect(place).session).create(name, told["kind"], contents.read(), told["description"])
    output.rows([made], COLUMNS, form)


@module.command()
@click.argument("name")
@click.pass_obj
def delete(place: Place, name: str) -> None:
    """Delete a module that no instance has."""
    modules = Modules(connect(place).session)
    modules.delete(modules.find(name)["id"])


@module.command()
@click.argument("instance")
@click.argument("names", nargs=-1, required=True, metavar="MODULE...")
@output.option
@click.pass_obj
def apply(place: Place, instance: str, names: tuple[str, ...], form: str) -> None:
    """Give an instance modules; how each has ended."""
    client = connect(place)
    modules = Modules(client.session)
    ids = [modules.find(name)["id"] for name in names]
    output.rows(modules.apply(client.instances.find(instance)["id"], ids), APPLIED, form)


@module.command()
@click.argument("instance")
@click.argument("name", metavar="MODULE")
@click.pass_obj
def remove(place: Place, instance: str, name: str) -> None:
    """Take a module away from an instance."""
    client = connect(place)
    modules = Modules(client.session)
    modules.remove(client.instances.find(instance)["id"], modules.find(name)["id"])
