"""What happened, oldest first: read on from a number, wait for news, or take the audit trail away as JSON lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Select, select, union_all

from argosy.api import query
from argosy.api.exchange import Answer, Request
from argosy.db import events
from argosy.db.event_view import view
from argosy.db.tables import Event
from argosy.model.events import CATALOGUE

LONGEST_WAIT = 20
"""Seconds that one request may wait for news."""
MOST = 1000
"""Events in one answer."""
USUAL = 100
FEW = 12
"""Kinds that are looked for one by one."""
LINES = "jsonl"


def index(request: Request) -> Answer:
    """With `wait` (seconds) the answer comes with the first event, or when too many wait already at once."""
    wanted, seconds = _wanted(request), query.number(request, "wait", most=LONGEST_WAIT)
    bell = request.services.bell
    with bell.seat() as seated:
        patience = seconds if seated else 0
        body = bell.until(lambda: _body(request, wanted), lambda seen: bool(seen["events"]), patience)
    crowded = {"Retry-After": "1"} if seconds and not seated and not body["events"] else {}
    if request.query.get("format", "json") != LINES:
        return Answer(200, body, headers=crowded)
    return Answer(200, text=_lines(body["events"]), media_type="application/jsonl; charset=utf-8", headers=crowded)


def _body(request: Request, wanted: Sequence[ColumnElement[bool]]) -> dict[str, Any]:
    """`cursor` is the number to read on from: nothing that was asked for lies between it and the last one shown."""
    since, limit = query.number(request, "since"), query.number(request, "limit", most=MOST) or USUAL
    with request.services.database.read() as session:
        head = events.last(session)
        between = (Event.seq > since, Event.seq <= head, *wanted)
        mine = _of_kinds(request, between, limit)
        found = session.scalars(mine.order_by(Event.seq).limit(limit)).all()
    cursor = found[-1].seq if len(found) == limit else max(since, head)
    return {"events": [view(each) for each in found], "cursor": cursor}


def _wanted(request: Request) -> list[ColumnElement[bool]]:
    """Of the project; with all_projects, for administrators, of every project and of the deployment itself."""
    asked = request.query
    conditions: list[ColumnElement[bool]] = []
    if query.flag(request, "all_projects"):
        request.permit(request.caller.project_id, "event:index:all_projects")
    else:
        conditions.append(Event.project_id == request.caller.project_id)
    if "instance" in asked:
        conditions.append(Event.instance_id == asked["instance"][:64])
    if "kind" in asked:
        conditions.append(Event.kind.startswith(asked["kind"][:64], autoescape=True))
    return conditions


def _of_kinds(request: Request, between: Sequence[ColumnElement[bool]], limit: int) -> Select[Event]:
    """Each kind by its index: who asks for a rare one must not pay for a project's long history. Otherwise as they
    come: an instance's history is short, and one of many kinds is met soon.
    """
    kinds = [each for each in CATALOGUE if each.startswith(request.query.get("kind", ""))]
    if "instance" in request.query or len(kinds) not in range(1, FEW):
        return select(Event).where(*between)
    first = (select(Event.seq).where(*between, Event.kind == each).order_by(Event.seq).limit(limit) for each in kinds)
    found = union_all(*(select(each.subquery().c.seq) for each in first)).subquery()
    return select(Event).join(found, found.c.seq == Event.seq)


def _lines(views: Sequence[dict[str, Any]]) -> str:
    return "".join(orjson.dumps(each).decode() + "\n" for each in views)
