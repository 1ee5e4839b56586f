"""Operations of an instance, newest first: every step with start, end, attempts, and what it waits for."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from argosy import clock, errors
from argosy.api import paging, query
from argosy.api.exchange import ACCEPTED, Answer, Request
from argosy.api.v1 import backups, instance_rows, progress_view
from argosy.db import events
from argosy.db.tables import Run, RunStep
from argosy.durable import queue
from argosy.workflows.registry import WORKFLOWS

LONGEST_WAIT = 20
"""Seconds that one request may wait for news."""


Find = Callable[[Session, Request], str]
"""The id of what the path names, if the caller may see it."""


def index(request: Request) -> Answer:
    return _told(request, lambda session, asked: instance_rows.one(session, asked).id)


def of_backup(request: Request) -> Answer:
    return _told(request, lambda session, asked: backups.one(session, asked).id)


def cancel(request: Request) -> Answer:
    """It ends at its next step, and leaves the instance as a failure would. Raises NotFound, Unprocessable."""
    with request.services.database.write() as session:
        instance = instance_rows.one(session, request)
        run = session.get(Run, request.path["operation"][:36])
        if run is None or run.subject != instance.id or run.id != request.path["operation"]:
            raise errors.NotFound(f"Operation {request.path['operation']} cannot be found.")
        if run.state != "active" or not WORKFLOWS[run.workflow].cancellable:
            raise errors.Unprocessable(f"The operation {run.workflow} cannot be cancelled: it is {run.state}.")
        queue.cancel_run(session, run.id)
        events.tell(session, "dbaas.operation_cancel", subject=instance.id, operation=run.workflow)
    return ACCEPTED


def _told(request: Request, find: Find) -> Answer:
    """With `since` (the `cursor` of an earlier answer) and `wait` (seconds) the answer comes when something changed.

    When too many wait already it comes at once, with a Retry-After.
    """
    since, seconds = request.query.get("since", ""), _seconds(request)
    bell = request.services.bell
    with bell.seat() as seated:
        body = bell.until(lambda: _body(request, find), lambda seen: seen["cursor"] != since, seconds if seated else 0)
    crowded = not seated and seconds > 0 and body["cursor"] == since
    return Answer(200, body, headers={"Retry-After": "1"} if crowded else {})


def _seconds(request: Request) -> int:
    """0 without a cursor: there is nothing to compare with."""
    seconds = query.number(request, "wait", most=LONGEST_WAIT)
    return seconds if request.query.get("since") else 0


def _body(request: Request, find: Find) -> dict[str, Any]:
    with request.services.database.read() as session:
        operations = _operations(session, find(session, request), paging.limit(request))
    return {"operations": operations, "cursor": _cursor(operations)}


def _cursor(operations: Sequence[Mapping[str, Any]]) -> str:
    """Another one whenever there is news. What time alone changes is none, or nobody would ever have to wait."""
    told = [{**each, "progress": _counted(each.get("progress", {}))} for each in operations]
    return hashlib.sha256(orjson.dumps(told)).hexdigest()[:32]


def _counted(progress: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in progress.items() if name not in progress_view.OF_TIME}


def _operations(session: Session, subject: str, limit: int) -> list[dict[str, Any]]:
    mine = select(Run).where(Run.subject == subject).order_by(Run.created.desc(), Run.id).limit(limit)
    runs = session.scalars(mine.options(defer(Run.memory, raiseload=True))).all()
    steps = defaultdict(list)
    rows = select(RunStep).where(RunStep.run_id.in_([run.id for run in runs]))
    for step in session.scalars(rows.order_by(RunStep.run_id, RunStep.position)):
        steps[step.run_id].append(step)
    progress = progress_view.of_runs(session, [run.id for run in runs if run.state == "active"])
    return [_view(run, steps[run.id], progress.get(run.id)) for run in runs]


def _view(run: Run, steps: Sequence[RunStep], progress: Mapping[str, Any] | None) -> dict[str, Any]:
    view = {
        "id": run.id,
        "operation": run.workflow,
        "state": run.state,
        **_times(run.created, run.ended),
        "steps": [_step(each) for each in steps],
    }
    waiting = {"waiting_for": run.note} if run.note and run.state == "active" else {}
    error = {"error": run.fault} if run.fault else {}
    return {**view, **waiting, **error, **({"progress": progress} if progress else {})}


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
