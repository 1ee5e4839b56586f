"""`argosy events`: what happened, who did it; to follow it, or to take it away for the audit."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import click

from argosy.cli import output
from argosy.cli.place import Place, connect
from argosy.client.session import Session

PATIENCE = 15
"""Seconds that one request waits for news."""
PAUSE = 0.5
"""Seconds between two answers without news: where too many wait already they come at once."""
PAGE = 1000
COLUMNS: tuple[output.Column, ...] = (
    ("SEQ", lambda row: row["seq"]),
    ("TIME", lambda row: row["created"]),
    ("EVENT", lambda row: row["event_type"]),
    ("ABOUT", lambda row: row["payload"].get("instance_name") or row.get("subject", "")),
    ("BY", lambda row: row.get("user_id", "argosy")),
    ("SAYS", lambda row: _says(row["payload"])),
)


@click.command()
@click.argument("name", required=False)
@click.option("--kind", default="", help="Only event types that begin so, such as dbaas.instance_.")
@click.option("--since", type=click.IntRange(min=0), default=0, help="Only events after this number.")
@click.option("--all-projects", is_flag=True, help="Administrators: of every project and of the deployment itself.")
@click.option("--follow", is_flag=True, help="Go on with what happens, until interrupted.")
@click.option("--export", is_flag=True, help="Everything as JSON lines.")
@output.option
@click.pass_obj
def events(place: Place, /, name: str | None, form: str, *, follow: bool, export: bool, **told: Any) -> None:
    """What happened, oldest first; of the instance NAME only, where one is given (a deleted one by its id)."""
    client = connect(place)
    query = {key: value for key, value in told.items() if value}
    if name:
        query["instance"] = client.instances.find(name)["id"] if not _is_id(name) else name
    if export or follow:
        for each in _walk(client.session, query, endless=follow):
            _line(each, export=export or form == "json")
    else:
        output.rows(list(_walk(client.session, query)), COLUMNS, form)


def _says(payload: Any) -> str:
    """How bad it is or how well something is, and why: what an event of this kind is there for."""
    told = ": ".join(str(payload[key]) for key in ("level", "health", "message") if payload.get(key))
    return " ".join(told.split())  # an event is a line


def _is_id(name: str) -> bool:
    """Of an instance that may be gone."""
    return len(name) == 36 and name.count("-") == 4


def _walk(session: Session, query: dict[str, Any], *, endless: bool = False) -> Iterator[Any]:
    since = query.get("since", 0)
    while True:
        wait = {"wait": PATIENCE} if endless else {}
        answer = session.get("/events", **{**query, "since": since, "limit": PAGE, **wait})
        yield from answer["events"]
        since = answer["cursor"]
        if not endless and len(answer["events"]) < PAGE:
            return
        if endless and not answer["events"]:
            time.sleep(PAUSE)


def _line(event: Any, *, export: bool) -> None:
    click.echo(json.dumps(event) if export else "  ".join(str(look(event)) for _title, look in COLUMNS).rstrip())
    sys.stdout.flush()
