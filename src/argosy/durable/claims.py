"""Taking a due run: an optimistic update that raises its epoch. Who loses the race takes another run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import CursorResult, Table, Update, exc, select, tuple_, update
from sqlalchemy.orm import Session

from argosy.db.tables import Run, RunStep

DATABASE_AWAY = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)
"""The control database does not answer, or asks us to try again (a deadlock)."""

LOOKED_AT = 16
"""Runs considered at a time: enough that several workers rarely want the same one."""

RUNS, STEPS = cast("Table", Run.__table__), cast("Table", RunStep.__table__)
"""For what is written at every step: plain tables spare the ORM's share of the work (a sixth, measured)."""

Known = Collection[tuple[str, int]]
"""(workflow, version) pairs that this worker can run"""


@dataclass(frozen=True)
class Lease:
    worker: str
    now: float
    until: float


def waiting(session: Session, known: Known, now: float) -> Sequence[Run]:
    """Runs that nobody works on, the next to be woken first, due or not."""
    free = (Run.state == "active") & (Run.lease_until <= now) & tuple_(Run.workflow, Run.version).in_(known)
    return session.scalars(select(Run).where(free).order_by(Run.wake_at, Run.created).limit(LOOKED_AT)).all()


def due(runs: Sequence[Run], now: float) -> list[Run]:
    """The due ones, the more urgent first."""
    return sorted((run for run in runs if run.wake_at <= now), key=lambda run: -run.urgency)


def claim(session: Session, run: Run, lease: Lease, seconds: float) -> bool:
    """Take the run as it was read, or leave it: it is somebody else's by now, or somebody has signalled it.

    `seconds` is the deadline of its first step, which begins with the first claim.
    """
    as_read = (RUNS.c.id == run.id) & (RUNS.c.epoch == run.epoch) & (RUNS.c.wake_seq == run.wake_seq)
    free = (RUNS.c.state == "active") & (RUNS.c.lease_until <= lease.now)
    values: dict[str, Any] = {
        "epoch": run.epoch + 1,
        "worker": lease.worker,
        "lease_until": lease.until,
        "attempt": run.attempt + 1,
        "lost": run.lost + 1,
        "deadline_at": run.deadline_at or lease.now + seconds,
    }
    if not changed(session, update(RUNS).where(as_read & free).values(values)):
        return False
    open_entry = (STEPS.c.run_id == run.id) & (STEPS.c.position == run.position)
    again = STEPS.c.attempts + (1 if run.attempt else 0)
    changed(session, update(STEPS).where(open_entry).values(state="running", attempts=again))
    for name, value in values.items():
        setattr(run, name, value)
    return True


def write(session: Session, run: Run, **values: Any) -> bool:
    """Write the run if it is still ours: the fence of everything that a step does to the database.

    The epoch tells us from whoever took the run over; worker and position tell a commit of our own whose answer was
    lost from one that never happened.
    """
    ours = (RUNS.c.id == run.id) & (RUNS.c.epoch == run.epoch)
    same = (RUNS.c.worker == run.worker) & (RUNS.c.position == run.position)
    return bool(changed(session, update(RUNS).where(ours & same).values(lost=0, **values)))


def changed(session: Session, statement: Update) -> int:
    """Rows matched by an update that leaves the session's own objects alone."""
    result = session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)  # noqa: S101 - what an UPDATE gives; for the type checker
    return result.rowcount
