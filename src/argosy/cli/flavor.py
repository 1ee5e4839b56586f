"""`argosy flavor`: how much memory and processor there is to choose from."""

from __future__ import annotations

import click

from argosy.cli import output
from argosy.cli.place import Place, connect

COLUMNS: tuple[output.Column, ...] = (
    ("ID", lambda row: row.get("str_id", row["id"])),
    ("NAME", lambda row: row["name"]),
    ("RAM MiB", lambda row: row["ram"]),
    ("VCPUS", lambda row: row["vcpus"]),
)


@click.group()
def flavor() -> None:
    """How much memory and processor there is to choose from."""


@flavor.command("list")
@output.option
@click.pass_obj
def list_flavors(place: Place, form: str) -> None:
    """Every flavor."""
    output.rows(connect(place).flavors(), COLUMNS, form)
