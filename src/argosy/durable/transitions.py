"""A run's next move, written: the run, its timeline, its locks. All in the caller's one transaction, fenced at its end.

The run's own row comes last, here as in whatever signals a run: rows of the domain, then guards and locks, then runs.
One order for everybody keeps transactions from waiting for each other in a circle.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, insert, select, update
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db import events
from argosy.db.session import ring
from argosy.db.tables import Run
from argosy.durable import locks, queue
from argosy.durable.claims import DATABASE_AWAY, RUNS, STEPS, changed, write
from argosy.durable.moves import End, Enter, Sleep
from argosy.durable.workflow import OnEnd, Workflow

log = logging.getLogger(__name__)

SHORT = 1.0
"""Seconds: somebody looks for work as often as that without being rung."""
GIVEN_BACK: dict[str, Any] = {"worker": None, "lease_until": 0.0}


@dataclass(frozen=True)
class Moment:
    """What a transition is written with."""

    now: float
    """by the database's clock"""
    memory: dict[str, Any]
    keep: bool = True
    """go on with the same claim when another step follows at once"""


def enter(session: Session, run: Run, move: Enter, at: Moment) -> dict[str, Any]:
    """Close the step and open the next. Gives the run's new values, true once this is committed."""
    _close(session, run, "failed" if move.fault else "done", move.fault)
    values: dict[str, Any] = {
        "step": move.step,
        "position": run.position + 1,
        "note": "",
        "attempt": 1 if at.keep else 0,
        "deadline_at": at.now + move.seconds,
        "fault": run.fault or move.fault,
        **_memory(run, at),
    }
    _open(session, run, move.step, running=at.keep)
    _fenced(session, run, **values, **({} if at.keep else {**GIVEN_BACK, "wake_at": 0.0}))
    ring(session, "api", *([] if at.keep else ["taskmanager"]))
    return values | _signals(session, run)


def sleep(session: Session, run: Run, move: Sleep, at: Moment) -> None:
    """Give the run back until its time comes, or until somebody signals it; at once if somebody just has."""
    entry: dict[str, Any] = {"state": "waiting", "note": move.note}
    _entry(session, run, **entry, **({"error": move.error} if move.error else {}))
    wake_at = case((RUNS.c.wake_seq == run.wake_seq, at.now + move.seconds), else_=0.0)
    attempt = run.attempt if move.error else 0
    _fenced(session, run, wake_at=wake_at, note=move.note, attempt=attempt, **_memory(run, at), **GIVEN_BACK)
    # Whoever waits at the doorbell reckoned with what was due before: a short wait must not become a long one.
    ring(session, "api", *(["taskmanager"] if move.seconds < SHORT else []))


def end(session: Session, run: Run, move: End, workflow: Workflow[Any]) -> None:
    """The last word: the workflow's own, then locks are released, memory is emptied, and who waited is woken."""
    if move.fault and workflow.failed is not None:
        _last_word(session, run, move.fault, workflow.failed)
    if workflow.event and not (move.fault and run.memory.get(queue.REPEATED)):
        _tell(session, run, workflow.event, move.fault)
    _close(session, run, "failed" if move.fault and not run.fault else "done", "" if run.fault else move.fault)
    released = locks.release(session, run.id)
    queue.wake_waiting(session, run, released)
    ended: dict[str, Any] = {"state": move.state, "fault": move.fault, "note": "", "ended": clock.now(), "memory": {}}
    _fenced(session, run, **ended, **GIVEN_BACK)
    ring(session, "api", "taskmanager")


def _tell(session: Session, run: Run, event: str, fault: str) -> None:
    """With what its start told, so that whoever hears only of the end knows what of."""
    outcome, payload = ("error", {"message": fault, "exception": fault}) if fault else ("end", {})
    told = {**run.memory.get(queue.TOLD, {}), **payload}
    events.tell(session, f"dbaas.{event}.{outcome}", subject=run.subject, project_id=run.project_id, **told)


def _last_word(session: Session, run: Run, fault: str, failed: OnEnd) -> None:
    """What the workflow wants written; should that be impossible, the run ends without it."""
    try:
        with session.begin_nested():
            failed(session, run, fault)
    except DATABASE_AWAY:
        raise
    except Exception:
        log.exception("on_failure cannot be written: the run ends without it")


def _fenced(session: Session, run: Run, **values: Any) -> None:
    session.flush()
    if not write(session, run, **values):
        raise queue.LeaseLost


def _signals(session: Session, run: Run) -> dict[str, Any]:
    """What others did to the row up to this commit, which holds it: later signals differ from it."""
    row = session.execute(select(RUNS.c.wake_seq, RUNS.c.cancelled).where(RUNS.c.id == run.id)).one()
    return {"wake_seq": row.wake_seq, "cancelled": row.cancelled}


def _memory(run: Run, at: Moment) -> dict[str, Any]:
    """Sealed anew only when it changed."""
    return {"memory": at.memory} if at.memory != run.memory else {}


def _open(session: Session, run: Run, step: str, *, running: bool) -> None:
    entry: dict[str, Any] = {"run_id": run.id, "position": run.position + 1, "name": step, "started": clock.now()}
    session.execute(insert(STEPS).values(**entry, state="running" if running else "waiting", attempts=1))


def _close(session: Session, run: Run, state: str, error: str) -> None:
    _entry(session, run, state=state, ended=clock.now(), note="", **({"error": error} if error else {}))


def _entry(session: Session, run: Run, **values: Any) -> None:
    open_entry = (STEPS.c.run_id == run.id) & (STEPS.c.position == run.position)
    changed(session, update(STEPS).where(open_entry).values(values))
