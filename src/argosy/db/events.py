"""Tell what changed, in the transaction that changes it. What is rolled back, also to a savepoint, was never told."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

from sqlalchemy import delete, event, select, update
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.orm import Session, SessionTransaction

from argosy import clock
from argosy.db import actors
from argosy.db.session import ring
from argosy.db.tables import Counter, Event, Instance
from argosy.model.events import CATALOGUE

TOLD = "told"
"""`session.info[TOLD]`: events of this transaction that have no number yet, each with the savepoint it was told in"""
NAME = "events"
"""of the counter"""
AT_ONCE = 1000
"""Events deleted in one transaction."""


def tell(session: Session, kind: str, *, subject: str = "", project_id: str = "", **payload: Any) -> None:
    """An event of the catalogue about `subject`: an instance, whose own facts are added, or anything else by its id.

    The actor is whoever this thread acts for (db/actors.py). `payload` is JSON without secrets. Raises KeyError for
    a kind that is not in the catalogue.
    """
    told = CATALOGUE[kind].name
    instance = session.get(Instance, subject) if subject else None
    who = actors.current()
    row = Event(
        id=str(uuid.uuid4()),
        at=clock.now(),
        kind=told,
        project_id=instance.project_id if instance else project_id,
        instance_id=instance.id if instance else None,
        subject=subject,
        actor=who.user_id,
        actor_project=who.project_id,
        request_id=who.request_id,
        payload={**(_facts(instance) if instance else {}), **payload},
    )
    session.info.setdefault(TOLD, []).append((session.get_nested_transaction(), row))
    ring(session, "api", "post")


def last(session: Session) -> int:
    """The number of the latest event, 0 before the first."""
    return session.scalar(select(Counter.value).where(Counter.name == NAME)) or 0


def prune(session: Session, before: float) -> bool:
    """Forget some of what was told before that moment, oldest first; true when there may be more."""
    rows = session.execute(select(Event.seq, Event.at).order_by(Event.seq).limit(AT_ONCE)).all()
    old = [seq for seq, _at in itertools.takewhile(lambda row: row.at < before, rows)]
    session.execute(delete(Event).where(Event.seq.in_(old)))
    return len(old) == AT_ONCE


def _facts(instance: Instance) -> dict[str, Any]:
    """What every notification of Trove about an instance carries, under its keys."""
    return {
        "tenant_id": instance.project_id,
        "instance_id": instance.id,
        "instance_name": instance.name,
        "instance_type_id": instance.flavor_id,
        "volume_size": instance.gigabytes,
        "region": instance.region,
    }


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, undone: SessionTransaction) -> None:
    told: list[tuple[SessionTransaction | None, Event]] = session.info.get(TOLD, [])
    session.info[TOLD] = [(within, row) for within, row in told if undone.nested and not _inside(within, undone)]


def _inside(within: SessionTransaction | None, outer: SessionTransaction) -> bool:
    while within is not None and within is not outer:
        within = within.parent
    return within is outer


@event.listens_for(Session, "before_commit")
def _number(session: Session) -> None:
    """Numbers are taken last: their counter is held for no longer than the commit, and after every other lock."""
    if session.in_nested_transaction():
        return
    told = session.info.pop(TOLD, [])
    if not told:
        return
    first = _take(session, len(told))
    for number, (_within, row) in enumerate(told, first):
        row.seq = number
        session.add(row)


def _take(session: Session, many: int) -> int:
    """The first of so many consecutive numbers."""
    session.flush()
    if not _raise(session, many):
        _begin(session)
        _raise(session, many)
    counter = session.get_one(Counter, NAME, populate_existing=True)
    return counter.value - many + 1


def _raise(session: Session, many: int) -> bool:
    raised = update(Counter).where(Counter.name == NAME).values(value=Counter.value + many)
    done = session.execute(raised, execution_options={"synchronize_session": False})
    return bool(done.rowcount)  # type: ignore[attr-defined] # what an UPDATE gives


def _begin(session: Session) -> None:
    """The counter is there afterwards, whoever else begins it at the same time."""
    dialect, first = session.get_bind().dialect.name, {"name": NAME, "value": 0}
    if dialect == "sqlite":
        session.execute(sqlite.insert(Counter).values(first).on_conflict_do_nothing())
    elif dialect == "postgresql":
        session.execute(postgresql.insert(Counter).values(first).on_conflict_do_nothing())
    else:  # IGNORE would share the lock of a row that is there already, and two who share it wait for each other
        session.execute(mysql.insert(Counter).values(first).on_duplicate_key_update(value=Counter.value))
