"""Operations of an instance, newest first: every step with start, end, attempts, and what it waits for."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from argosy import clock
from argosy.api import paging, query
from argosy.api.exchange import Answer, Request
from argosy.api.v1 import instance_rows
from argosy.db.tables import Run, RunStep

LONGEST_WAIT = 20
"""Seconds that one request may wait for news."""


def index(request: Request) -> Answer:
    """With `since` (the `cursor` of an earlier answer) and `wait` (seconds) the answer comes when something changed.

    When too many wait already it comes at once, with a Retry-After.
    """
    since, seconds = request.query.get("since", ""), _seconds(request)
    bell = request.services.bell
    with bell.seat() as seated:
        body = bell.until(lambda: _body(request), lambda seen: seen["cursor"] != since, seconds if seated else 0)
    crowded = not seated and seconds > 0 and body["cursor"] == since
    return Answer(200, body, headers={"Retry-After": "1"} if crowded else {})


def _seconds(request: Request) -> int:
    """0 without a cursor: there is nothing to compare with."""
    seconds = query.number(request, "wait", most=LONGEST_WAIT)
    return seconds if request.query.get("since") else 0


def _body(request: Request) -> dict[str, Any]:
    with request.services.database.read() as session:
        instance = instance_rows.one(session, request)
        operations = _operations(session, instance.id, paging.limit(request))
    digest = hashlib.sha256(orjson.dumps(operations)).hexdigest()
    return {"operations": operations, "cursor": digest[:32]}


def _operations(session: Session, subject: str, limit: int) -> list[dict[str, Any]]:
    mine = select(Run).where(Run.subject == subject).order_by(Run.created.desc(), Run.id).limit(limit)
    runs = session.scalars(mine.options(defer(Run.memory, raiseload=True))).all()
    steps = defaultdict(list)
    rows = select(RunStep).where(RunStep.run_id.in_([run.id for run in runs]))
    for step in session.scalars(rows.order_by(RunStep.run_id, RunStep.position)):
        steps[step.run_id].append(step)
    return [_view(run, steps[run.id]) for run in runs]


def _view(run: Run, steps: Sequence[RunStep]) -> dict[str, Any]:
    view = {
        "id": run.id,
        "operation": run.workflow,
        "state": run.state,
        **_times(run.created, run.ended),
        "steps": [_step(each) for each in steps],
    }
    waiting = {"waiting_for": run.note} if run.note and run.state == "active" else {}
    error = {"error": run.fault} if run.fault else {}
    return {**view, **waiting, **error}


def _step(step: RunStep) -> dict[str, Any]:
    view = {"name": step.name, "state": step.state, **_times(step.started, step.ended), "attempts": step.attempts}
    waiting = {"waiting_for": step.note} if step.note and step.ended is None else {}
    error = {"error": step.error} if step.error else {}
    return {**view, **waiting, **error}


def _times(started: float, ended: float | None) -> dict[str, Any]:
    """`seconds` because a timestamp of Trove's has no fractions, and steps take milliseconds."""
    if ended is None:
        return {"started": clock.timestamp(started)}
    seconds = round(max(0.0, ended - started), 3)
    return {"started": clock.timestamp(started), "ended": clock.timestamp(ended), "seconds": seconds}
