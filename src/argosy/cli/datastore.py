"""`argosy datastore`: which engines there are, in which versions."""

from __future__ import annotations

import click

from argosy.cli import output
from argosy.cli.place import Place, connect

COLUMNS: tuple[output.Column, ...] = (
    ("NAME", lambda row: row["name"]),
    ("VERSIONS", lambda row: [version["name"] for version in row.get("versions", ())]),
    ("ID", lambda row: row["id"]),
)
VERSION_COLUMNS: tuple[output.Column, ...] = (
    ("VERSION", lambda row: row["name"]),
    ("EXACT", lambda row: row.get("version", "")),
    ("ID", lambda row: row["id"]),
)


@click.group()
def datastore() -> None:
    """Which engines there are, in which versions."""


@datastore.command("list")
@output.option
@click.pass_obj
def list_datastores(place: Place, form: str) -> None:
    """Every engine on offer."""
    output.rows(connect(place).datastores(), COLUMNS, form)


@datastore.command()
@click.argument("name")
@output.option
@click.pass_obj
def show(place: Place, name: str, form: str) -> None:
    """The versions of one engine."""
    found = connect(place).datastore(name)
    if form == "table":
        output.rows(found.get("versions", ()), VERSION_COLUMNS, form)
    else:
        output.one(found, {}, form)
