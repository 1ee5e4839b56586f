"""Whether backups restore."""

from __future__ import annotations

import click

from argosy import errors
from argosy.cli import output, waiting
from argosy.cli.db.life import wait
from argosy.cli.place import Place, connect
from argosy.client import words
from argosy.client.backups import Backups
from argosy.client.resources import Document

COLUMNS: tuple[output.Column, ...] = (
    ("STARTED", lambda row: row["started"]),
    ("STATE", lambda row: row["state"]),
    ("SECONDS", lambda row: row["seconds"]),
    ("FAULT", lambda row: row["fault"] or ""),
    ("REPORT", lambda row: words.report(row["report"])),
)


@click.command()
@click.argument("name", metavar="BACKUP")
@wait
@output.option
@click.pass_obj
def prove(place: Place, name: str, wait: bool, form: str) -> None:
    """Restore a backup in a sandbox, and see whether it restores. Exit code 1: it does not."""
    backups = Backups(connect(place).session)
    found = backups.find(name)
    begun = backups.prove(found["id"])
    if not wait:
        output.rows([begun], COLUMNS, form)
        return
    waiting.follow(backups.follow(found["id"]), "drill_backup")
    ended = next(each for each in backups.drills(found["id"]) if each["id"] == begun["id"])
    output.rows([ended], COLUMNS, form)
    if ended["state"] != "passed":
        raise errors.Broken(f"{found['name']} was not restored: {ended['fault']}{_next(backups.get(found['id']))}")


@click.command()
@click.argument("name", metavar="BACKUP")
@output.option
@click.pass_obj
def drills(place: Place, name: str, form: str) -> None:
    """Every trial of a backup, newest first: how it ended, and what was looked at."""
    backups = Backups(connect(place).session)
    output.rows(list(backups.drills(backups.find(name)["id"])), COLUMNS, form)


def _next(backup: Document) -> str:
    """One trial that fails is not believed yet."""
    state = backup["proof"]["state"]
    return "" if state == "broken" else f" (it is {state} still: a second trial that fails makes it broken)"
