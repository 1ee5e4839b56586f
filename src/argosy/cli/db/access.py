"""`argosy db access`: who reaches a database from outside."""

from __future__ import annotations

from typing import Any

import click

from argosy.cli import output, waiting
from argosy.cli.db.life import wait
from argosy.cli.place import Place, connect
from argosy.client.resources import Document


@click.command()
@click.argument("name")
@click.option("--public/--private", default=None, help="Reached at the host's own addresses, or not any more.")
@click.option("--allow", multiple=True, metavar="CIDR", help="Only from this network; may be given several times.")
@click.option("--allow-all", is_flag=True, help="From everywhere.")
@wait
@output.option
@click.pass_obj
def access(place: Place, /, name: str, wait: bool, form: str, **told: Any) -> None:
    """Show who reaches a database from outside, or change it. Connections that are not allowed any more end."""
    wanted, client = _wanted(**told), connect(place)
    instance = client.instances.find(name)
    if wanted:
        client.instances.change(instance["id"], {"access": wanted})
        if wait:
            waiting.until_done(client, instance["id"], "change_access")
    _show(client.instances.get(instance["id"]), form)


def _wanted(*, public: bool | None, allow: tuple[str, ...], allow_all: bool) -> Document:
    """Nothing when nothing is to change. Raises UsageError."""
    if allow and allow_all:
        raise click.UsageError("only one of --allow and --allow-all")
    told: Document = {} if public is None else {"is_public": public}
    return {**told, "allowed_cidrs": list(allow)} if allow or allow_all else told


def _show(instance: Document, form: str) -> None:
    told = instance["access"]
    places = [each for each in instance.get("addresses", ()) if each["type"] == "public"]
    fields = {
        "public": "yes" if told.get("is_public") else "no",
        "reached at": [f"{each['address']} port {each['port']}" for each in places],
        "allowed": told.get("allowed_cidrs") or "everybody who reaches it",
        "fault": instance.get("fault", {}).get("message"),
    }
    output.one({**told, "addresses": places}, {title: value for title, value in fields.items() if value}, form)
