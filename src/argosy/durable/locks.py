"""Who may work on what: exclusive and shared locks, kept by primary keys.

A taker first writes the guard row of each subject, in the order of their names, so takers of one subject come one after
another; then it looks, and takes all or none. What a run holds is released in the transaction that ends it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Insert, delete, select, update
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.orm import Session

from argosy.db.session import Database
from argosy.db.tables import Lock, LockGuard
from argosy.durable.claims import changed

EXCLUSIVE = ""
"""holder of an exclusive lock: its primary key admits one"""

SWEPT = 200
"""guards taken away at a time"""


def take(session: Session, run_id: str, exclusive: Collection[str], shared: Collection[str] = ()) -> list[str]:
    """Take all, or none and say which runs are in the way. What the run holds already stays held."""
    wanted = sorted({*exclusive, *shared})
    _guard(session, wanted)
    held = session.scalars(select(Lock).where(Lock.subject.in_(wanted))).all()
    blockers = _blockers(held, run_id, exclusive)
    if blockers:
        return blockers
    mine = {(lock.subject, lock.holder) for lock in held if lock.run_id == run_id}
    keys = {*((each, EXCLUSIVE) for each in exclusive), *((each, run_id) for each in set(shared) - set(exclusive))}
    session.add_all(Lock(subject=subject, holder=holder, run_id=run_id) for subject, holder in keys - mine)
    session.flush()
    return []


def release(session: Session, run_id: str, subject: str = "") -> list[str]:
    """Let go of everything that the run holds, or of this: the subjects that it held."""
    mine = (Lock.run_id == run_id) & (Lock.subject == subject) if subject else Lock.run_id == run_id
    subjects = sorted(session.scalars(select(Lock.subject).where(mine)).all())
    if subjects:
        session.execute(delete(Lock).where(mine))
    return subjects


def sweep(database: Database) -> int:
    """Take away guards of subjects that nobody holds. Not at each release: on MariaDB a row that is deleted and made
    anew under several takers makes them deadlock. How many there were, of at most SWEPT at a time.
    """
    held = select(Lock.subject).where(Lock.subject == LockGuard.subject).exists()
    with database.read() as session:
        idle = session.scalars(select(LockGuard).where(~held).order_by(LockGuard.subject).limit(SWEPT)).all()
    if idle:
        with database.write() as session:
            for guard in idle:
                as_seen = (LockGuard.subject == guard.subject) & (LockGuard.touched == guard.touched)
                session.execute(delete(LockGuard).where(as_seen))
    return len(idle)


def holders(session: Session, subject: str) -> Sequence[str]:
    return session.scalars(select(Lock.run_id).where(Lock.subject == subject).distinct()).all()


def _blockers(held: Collection[Lock], run_id: str, exclusive: Collection[str]) -> list[str]:
    """Others in the way: whoever holds what we want alone, and who alone holds what we want."""
    others = [lock for lock in held if lock.run_id != run_id]
    return sorted({lock.run_id for lock in others if lock.holder == EXCLUSIVE or lock.subject in exclusive})


def _guard(session: Session, subjects: Sequence[str]) -> None:
    for subject in subjects:
        touch = update(LockGuard).where(LockGuard.subject == subject).values(touched=LockGuard.touched + 1)
        if not changed(session, touch):
            session.execute(_made_or_touched(session.get_bind().dialect.name, subject))


def _made_or_touched(dialect: str, subject: str) -> Insert:
    """One statement that makes the guard row or writes it: it waits for every other taker's transaction to end."""
    values: dict[str, Any] = {"subject": subject, "touched": 0}
    again: dict[str, Any] = {"touched": LockGuard.touched + 1}
    if dialect == "sqlite":
        return sqlite.insert(LockGuard).values(values).on_conflict_do_update(index_elements=["subject"], set_=again)
    if dialect == "postgresql":
        return postgresql.insert(LockGuard).values(values).on_conflict_do_update(index_elements=["subject"], set_=again)
    return mysql.insert(LockGuard).values(values).on_duplicate_key_update(again)
