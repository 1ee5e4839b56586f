"""`argosy webhook`: addresses that are told of the project's events."""

from __future__ import annotations

import click

from argosy.cli import output
from argosy.cli.place import Place, connect
from argosy.client.resources import Document
from argosy.client.webhooks import Webhooks

COLUMNS: tuple[output.Column, ...] = (
    ("URL", lambda row: row["url"]),
    ("STATE", lambda row: row["state"]),
    ("KINDS", lambda row: row["kinds"] or "all"),
    ("FAILURES", lambda row: row["failures"]),
    ("ID", lambda row: row["id"]),
)


@click.group()
def webhook() -> None:
    """Addresses that are told of the project's events."""


@webhook.command("list")
@output.option
@click.pass_obj
def list_webhooks(place: Place, form: str) -> None:
    """Every webhook of the project."""
    output.rows(_of(place).list(), COLUMNS, form)


@webhook.command()
@click.argument("webhook_id")
@output.option
@click.pass_obj
def show(place: Place, webhook_id: str, form: str) -> None:
    """One webhook, by its id, and why it fails if it does."""
    _show(_of(place).get(webhook_id), form)


@webhook.command()
@click.argument("url")
@click.option("--kind", "kinds", multiple=True, help="Only events that begin so; all when not given. May be repeated.")
@output.option
@click.pass_obj
def create(place: Place, url: str, kinds: tuple[str, ...], form: str) -> None:
    """Have an address told of events. The secret that signs them is shown this once."""
    _show(_of(place).create(url, kinds), form)


@webhook.command()
@click.argument("webhook_id")
@click.pass_obj
def delete(place: Place, webhook_id: str) -> None:
    """Tell an address no more."""
    _of(place).delete(webhook_id)


def _of(place: Place) -> Webhooks:
    return Webhooks(connect(place).session)


def _show(found: Document, form: str) -> None:
    fields = {
        "url": found["url"],
        "id": found["id"],
        "state": found["state"],
        "kinds": found["kinds"] or "all",
        "failures": found["failures"],
        "fault": found.get("fault", {}).get("message"),
        "secret": found.get("secret"),
    }
    output.one(found, {title: value for title, value in fields.items() if value is not None}, form)
