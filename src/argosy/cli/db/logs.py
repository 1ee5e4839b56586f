"""`argosy db logs` and `argosy db log`: read, switch and publish the logs of a database server."""

from __future__ import annotations

from contextlib import suppress

import click

from argosy.cli import output
from argosy.cli.place import Place, connect
from argosy.client.logs import Logs

COLUMNS: tuple[output.Column, ...] = (
    ("NAME", lambda row: row["name"]),
    ("TYPE", lambda row: row["type"]),
    ("STATUS", lambda row: row["status"]),
    ("PUBLISHED", lambda row: row["published"]),
    ("PENDING", lambda row: row["pending"]),
    ("PREFIX", lambda row: row["prefix"]),
)
TAIL_BYTES = 16_384


@click.command()
@click.argument("name")
@click.option("--log", default="error", show_default=True, help="Which one: error, slow_query, general …")
@click.option("--all", "whole", is_flag=True, help="All that is kept, and not only the end.")
@click.option("--follow", "-f", is_flag=True, help="Go on with whatever is written, until interrupted.")
@click.pass_obj
def logs(place: Place, name: str, log: str, whole: bool, follow: bool) -> None:
    """The text of a log, as it stands on the server."""
    client = connect(place)
    found, offset = Logs(client.session, client.instances.find(name)["id"]), 0 if whole else -TAIL_BYTES
    pieces = found.follow(log, offset=offset) if follow else found.text(log, offset=offset)
    with suppress(KeyboardInterrupt):
        for piece in pieces:
            click.echo(output.plain(piece), nl=False)


@click.command("log")
@click.argument("name")
@click.argument("log", default="")
@click.option("--enable", "doing", flag_value="enable", help="Have the server write it.")
@click.option("--disable", "doing", flag_value="disable", help="Have the server write it no more.")
@click.option("--publish", "doing", flag_value="publish", help="Bring what is new to the object store.")
@click.option("--discard", "doing", flag_value="discard", help="Delete what was published.")
@output.option
@click.pass_obj
def change(place: Place, name: str, log: str, doing: str | None, form: str) -> None:
    """The logs of an instance, or one of them and what is to be done with it."""
    client = connect(place)
    found = Logs(client.session, client.instances.find(name)["id"])
    if not log:
        output.rows(list(found.list()), COLUMNS, form)
    else:
        output.rows([found.change(log, *filter(None, (doing,)))], COLUMNS, form)
