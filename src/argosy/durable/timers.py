"""What recurs. Whoever moves a timer's due time on, enqueues its workflow: exactly one of several workers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from argosy import errors
from argosy.clock import Clock
from argosy.db.session import Database
from argosy.db.tables import Timer
from argosy.durable import queue
from argosy.durable.claims import DATABASE_AWAY, changed
from argosy.durable.workflow import Workflow

log = logging.getLogger(__name__)

LOOK_EVERY = 30.0
"""Seconds after which a worker looks at timers that another may have moved."""


@dataclass(frozen=True)
class Recurrence:
    name: str
    seconds: float
    workflow: Workflow[Any]
    subject: str


def every(name: str, seconds: float, workflow: Workflow[Any], subject: str) -> Recurrence:
    """Run the workflow about the subject every so many seconds; left out while the last one still holds it."""
    return Recurrence(name, seconds, workflow, subject)


class Timers:
    """A thread that sleeps until the next recurrence is due."""

    def __init__(self, database: Database, recurrences: Iterable[Recurrence], now: Clock) -> None:
        self._database = database
        self._recurrences = tuple(recurrences)
        self._now = now
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._turn, name="timers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _turn(self) -> None:
        seconds = 0.0
        while not self._stopped.wait(seconds):
            try:
                seconds = min(fire(self._database, self._recurrences, self._now()), LOOK_EVERY)
            except DATABASE_AWAY as away:
                log.warning("timers cannot be looked at", extra={"error": str(away)})
                seconds = 1.0
            except Exception:
                log.exception("timers cannot be looked at")
                seconds = LOOK_EVERY


def fire(database: Database, recurrences: Sequence[Recurrence], now: float) -> float:
    """Enqueue what is due; seconds until the next will be."""
    with database.read() as session:
        due_at = {timer.name: timer.due_at for timer in session.scalars(select(Timer))}
    for each in recurrences:
        if not now < due_at.get(each.name, 0.0) <= now + each.seconds:  # later still: the clock was set back
            with database.write() as session:
                _fire(session, each, due_at.get(each.name), now)
            due_at[each.name] = now + each.seconds
    return min((due_at[each.name] for each in recurrences), default=float("inf")) - now


def _fire(session: Session, each: Recurrence, seen: float | None, now: float) -> None:
    if seen is None:
        _begin(session, each.name, now)
    mine = (Timer.name == each.name) & (Timer.due_at == (now if seen is None else seen))
    if changed(session, update(Timer).where(mine).values(due_at=now + each.seconds)):
        _enqueue(session, each)


def _begin(session: Session, name: str, now: float) -> None:
    try:
        with session.begin_nested():
            session.add(Timer(name=name, due_at=now))
    except IntegrityError:
        log.info("another worker has begun with it", extra={"timer": name})


def _enqueue(session: Session, each: Recurrence) -> None:
    try:
        with session.begin_nested():
            queue.enqueue(session, each.workflow, each.subject)
    except errors.Busy:
        log.info("still under way", extra={"timer": each.name})
