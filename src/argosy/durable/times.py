"""The time that leases, waits and deadlines are judged by: one for all workers of a database.

On a server it is the server's clock. With SQLite all workers are on one host: it is the time since the machine started
plus an offset that the first worker after a start of the machine writes down. Setting the host's wall clock moves
neither, and no run is woken, taken over or given up because of it.
"""

from __future__ import annotations

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.session import Database
from argosy.db.tables import Fact, Worker

FACT = "clock"

SERVER_TIME = {
    "postgresql": "SELECT extract(epoch FROM clock_timestamp())",
    "mysql": "SELECT unix_timestamp(sysdate(6))",
    "mariadb": "SELECT unix_timestamp(sysdate(6))",
}


class DatabaseClock:
    """Call it for the time. Between two looks at a server's clock it goes on by this machine's, which never jumps."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._offset = self._look()

    def __call__(self) -> float:
        return clock.boot() + self._offset

    def adjust(self) -> None:
        """Look at the server's clock again; nothing to do with SQLite."""
        if self._database.dialect in SERVER_TIME:
            self._offset = self._look()

    def _look(self) -> float:
        if self._database.dialect in SERVER_TIME:
            return _measured(self._database)
        with self._database.read() as session:
            offset = _pinned(session)
        if offset is not None:
            return offset
        with self._database.write() as session:
            return _pin(session)


def _measured(database: Database) -> float:
    with database.read() as session:
        asked = clock.boot()
        told = float(session.execute(text(SERVER_TIME[database.dialect])).scalar_one())
        return told - (asked + clock.boot()) / 2


def _pinned(session: Session) -> float | None:
    """The offset of this start of the machine, if somebody has written it down."""
    fact = session.get(Fact, FACT)
    same = fact is not None and fact.value["boot"] == clock.boot_id()
    return float(fact.value["offset"]) if fact is not None and same else None


def _pin(session: Session) -> float:
    """Choose the offset, unless another was faster; never behind what a worker has seen before."""
    offset = _pinned(session)
    if offset is not None:
        return offset
    seen = session.scalar(select(func.max(Worker.seen_at))) or 0.0
    offset = max(clock.now(), seen) - clock.boot()
    session.merge(Fact(name=FACT, value={"boot": clock.boot_id(), "offset": offset}))
    return offset
