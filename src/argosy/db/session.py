"""Sessions on the control database: SQLite (WAL), PostgreSQL and MariaDB/MySQL, by URL."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.orm import Session

RINGS = "rings"
"""`session.info[RINGS]`: whom to wake once this transaction is committed (a set of role names)."""

DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "mariadb": "mysql+pymysql"}


class Database:
    """The control database of one deployment. Safe to share between threads; not across a fork (`dispose` there)."""

    def __init__(self, url: str, *, pool: int = 16) -> None:
        self.url = make_url(url)
        self.dialect = self.url.get_backend_name()
        self.engine = _sqlite(url) if self.dialect == "sqlite" else _server(url, pool)
        self._writing = self.engine.execution_options(writes=True)
        self.ring: Callable[[set[str]], None] = lambda _roles: None
        """Called after each commit that asked for it, with the roles to wake (durable/doorbell.py)."""

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent look that takes no lock and can write nothing durable: it ends in a rollback."""
        with Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction, committed at the end, rolled back by an exception. Keep it short: look and act before it.

        On SQLite it takes the write lock at its start (BEGIN IMMEDIATE), so it waits there and never fails at its
        end. On servers it is READ COMMITTED.
        """
        with Session(self._writing, expire_on_commit=False) as session:
            with session.begin():
                yield session
            rings: set[str] = session.info.pop(RINGS, set())
        if rings:
            self.ring(rings)

    def dispose(self) -> None:
        """Forget every connection: call it in a child after fork, and at the end of a process."""
        self.engine.dispose(close=False)


def ring(session: Session, *roles: str) -> None:
    """Wake these roles (`taskmanager`, `conductor`, `api`) once the session's transaction is committed."""
    session.info.setdefault(RINGS, set()).update(roles)


def _server(url: str, pool: int) -> Engine:
    target = make_url(url)
    target = target.set(drivername=DRIVERS.get(target.drivername, target.drivername))
    return create_engine(
        target, isolation_level="READ COMMITTED", pool_size=pool, max_overflow=pool, pool_pre_ping=True
    )


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False})
    event.listen(engine, "connect", _opened)
    event.listen(engine, "begin", _begin)
    return engine


def _opened(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # we begin by ourselves: the driver does not begin before a SAVEPOINT
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
