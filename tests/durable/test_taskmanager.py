"""The process itself: it starts, works, is woken by a ring, rests, and stops when it is told to."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from argosy.db import migrate, sealed
from argosy.db.session import Database
from argosy.db.tables import Run, Worker
from argosy.durable import queue
from argosy.durable.doorbell import Doorbell
from argosy.settings import BadSetting, Provider, Settings, Taskmanager
from argosy.taskmanager import main
from argosy.testing.waiting import eventually
from argosy.workflows.watch import watch


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(state=tmp_path, provider=Provider(level="user"), taskmanager=Taskmanager(threads=2))
    sealed.make(settings.keys / "master.key")
    sealed.use(settings.keys / "master.key")
    return settings


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database_url)
    migrate.upgrade(database)
    yield database
    database.engine.dispose()


@pytest.fixture
def process(settings: Settings, database: Database) -> Iterator[int]:
    child = os.fork()
    if child == 0:
        try:
            os._exit(main.run(settings))
        finally:
            os._exit(1)
    eventually(lambda: _workers(database))
    yield child
    if _alive(child):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _alive(child: int) -> bool:
    try:
        return os.waitpid(child, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return False


def _workers(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(Worker.id)))


def _idle(database: Database) -> bool:
    with database.read() as session:
        return session.scalar(select(Run.id).where(Run.state == "active")) is None


def test_works_when_rung(settings: Settings, database: Database, process: int) -> None:
    bell = Doorbell(settings, "api")
    database.ring = bell.ring
    fastest = min(_seconds(database, number) for number in range(8))
    bell.close()
    assert fastest < 0.5, "by itself it would look once a second"
    assert process


def _seconds(database: Database, number: int) -> float:
    """From a commit to the end of a small run, begun at odd moments."""
    time.sleep(0.13 * (number % 5))
    begun = time.monotonic()
    with database.write() as session:
        run_id = queue.enqueue(session, watch, f"watch {number}").id
    eventually(lambda: _ended(database, run_id), every=0.002)
    return time.monotonic() - begun


def _ended(database: Database, run_id: str) -> bool:
    with database.read() as session:
        return session.get_one(Run, run_id).state == "done"


def test_stops_when_told_and_leaves_nothing_behind(settings: Settings, database: Database, process: int) -> None:
    eventually(lambda: _idle(database))
    os.kill(process, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    assert _workers(database) == []
    assert list(settings.run.glob("*.bell")) == []


def test_a_lease_that_a_busy_machine_would_lose_is_refused(settings: Settings) -> None:
    with pytest.raises(BadSetting, match="at least 30"):
        main.lease_seconds(Settings(state=settings.state, taskmanager=Taskmanager(lease_seconds=3)))
