"""Processes that run workflows, as rows: who is known to be dead loses its runs at once, not after a lease."""

from __future__ import annotations

import logging
import os
import socket
import threading
import uuid
from pathlib import Path

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from argosy import clock
from argosy.clock import Clock
from argosy.db.session import Database, ring
from argosy.db.tables import Run, Worker
from argosy.durable import locks
from argosy.durable.claims import DATABASE_AWAY, changed
from argosy.durable.lease import Leases
from argosy.durable.times import DatabaseClock

log = logging.getLogger(__name__)


def started(pid: int) -> int | None:
    """When the process was started, in clock ticks since the machine was; None when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def register(database: Database, now: Clock) -> str:
    """Make this process known as a worker; takes the runs of workers of this host that died. Its id."""
    me = Worker(id=str(uuid.uuid4()), host=socket.gethostname(), boot_id=clock.boot_id(), pid=os.getpid())
    me.started, me.seen_at = started(me.pid) or 0, now()
    with database.write() as session:
        for other in session.scalars(select(Worker).where(Worker.host == me.host)):
            if other.boot_id != me.boot_id or started(other.pid) != other.started:
                _bury(session, other.id)
        session.add(me)
    return me.id


def unregister(database: Database, worker: str) -> None:
    with database.write() as session:
        _bury(session, worker)


def reap(database: Database, pid: int, started: int) -> int:
    """The process of this host is dead: its runs can be claimed from now on, and it can write nothing more.

    `started` is what `workers.started(pid)` said while it lived. How many runs it held.
    """
    dead = (Worker.host == socket.gethostname()) & (Worker.pid == pid) & (Worker.started == started)
    with database.write() as session:
        return sum(_bury(session, worker) for worker in session.scalars(select(Worker.id).where(dead)).all())


def _bury(session: Session, worker: str) -> int:
    taken = _take(session, (Run.worker == worker) & (Run.state == "active"))
    session.execute(delete(Worker).where(Worker.id == worker))
    return taken


def _take(session: Session, held: ColumnElement[bool]) -> int:
    values = {"epoch": Run.epoch + 1, "worker": None, "lease_until": 0.0, "wake_at": 0.0}
    ring(session, "taskmanager")
    return changed(session, update(Run).where(held).values(values))


class Heartbeat:
    """A thread that renews the worker's leases at a third of their length, and says that it is alive."""

    def __init__(self, database: Database, leases: Leases, now: DatabaseClock) -> None:
        self._database = database
        self._leases = leases
        self._now = now
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        """Returns once `leases.closed` is set."""
        self._thread.join()

    def _beat(self) -> None:
        while not self._leases.closed.wait(self._leases.seconds / 3):
            try:
                self.beat()
            except DATABASE_AWAY as away:
                log.warning("leases cannot be renewed", extra={"error": str(away)})
            except Exception:
                log.exception("leases cannot be renewed")

    def beat(self) -> None:
        self._now.adjust()
        self._leases.renew()
        locks.sweep(self._database)
        with self._database.write() as session:
            me = Worker.id == self._leases.worker
            changed(session, update(Worker).where(me).values(seen_at=self._now()))
