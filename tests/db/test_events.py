"""Events have numbers without a gap, in the order of commits; what was rolled back was never told."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db import events
from argosy.db.session import Database
from argosy.db.tables import Event
from argosy.testing import databases
from argosy.testing.databases import Server

WRITERS, EACH = 8, 25


class Oops(Exception):
    pass


@pytest.fixture(scope="module", params=databases.KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with databases.serve(request.param) as server:
        yield server


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    with server.fresh() as database:
        yield database


def tell(session: Session, subject: str) -> None:
    events.tell(session, "dbaas.instance_update", subject=subject, project_id="p")


def told(database: Database) -> list[tuple[int, str]]:
    with database.read() as session:
        return [
            (seq, subject) for seq, subject in session.execute(select(Event.seq, Event.subject).order_by(Event.seq))
        ]


def test_numbers_are_consecutive_over_transactions(database: Database) -> None:
    for names in ("ab", "c"):
        with database.write() as session:
            for name in names:
                tell(session, name)
    assert told(database) == [(1, "a"), (2, "b"), (3, "c")]


def test_an_unknown_kind_is_refused(database: Database) -> None:
    with pytest.raises(KeyError), database.write() as session:
        events.tell(session, "dbaas.no_such_thing")


def test_what_is_rolled_back_is_not_told_and_takes_no_number(database: Database) -> None:
    with contextlib.suppress(Oops), database.write() as session:
        tell(session, "lost")
        raise Oops
    with database.write() as session:
        tell(session, "kept")
    assert told(database) == [(1, "kept")]


def test_a_savepoint_that_is_rolled_back_takes_its_events_along(database: Database) -> None:
    with database.write() as session:
        tell(session, "before")
        with contextlib.suppress(Oops), session.begin_nested():
            tell(session, "lost")
            with session.begin_nested():
                tell(session, "lost with it, though its own savepoint was good")
            raise Oops
        with session.begin_nested():
            tell(session, "within")
            with contextlib.suppress(Oops), session.begin_nested():
                tell(session, "lost alone")
                raise Oops
        tell(session, "after")
    assert told(database) == [(1, "before"), (2, "within"), (3, "after")]


def test_a_session_that_is_used_again_tells_nothing_old(database: Database) -> None:
    with Session(database.engine.execution_options(writes=True)) as session:
        tell(session, "lost")
        session.rollback()
        tell(session, "kept")
        session.commit()
    assert told(database) == [(1, "kept")]


class Reader(threading.Thread):
    """Reads on from the last number it saw, as every consumer does."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.seen: list[int] = []
        self._database = database
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.is_set():
            self.look()
        self.look()

    def look(self) -> None:
        last = self.seen[-1] if self.seen else 0
        with self._database.read() as session:
            self.seen += session.scalars(select(Event.seq).where(Event.seq > last).order_by(Event.seq))


def test_no_reader_ever_misses_one_while_eight_write(database: Database) -> None:
    """Whoever read up to a number has missed nothing before it: commits come in the order of numbers, without a gap."""
    failures: list[BaseException] = []

    def write(writer: int) -> None:
        try:
            for turn in range(EACH):
                with contextlib.suppress(Oops), database.write() as session:
                    tell(session, f"{writer}/{turn}")
                    if turn % 5 == 4:
                        raise Oops
                    tell(session, f"{writer}/{turn} too")
        except BaseException as failure:  # noqa: BLE001 - told below
            failures.append(failure)

    reader = Reader(database)
    writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    begun = clock.monotonic()
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    seconds = clock.monotonic() - begun
    reader.done.set()
    reader.join()
    many = WRITERS * EACH * 4 // 5 * 2
    assert failures == []
    assert reader.seen == list(range(1, many + 1))
    if os.environ.get("ARGOSY_MEASURE"):
        print(f"{database.dialect}: {many / 2 / seconds:.0f} transactions with events a second by {WRITERS} writers")


def test_old_ones_are_forgotten_up_to_the_first_young_one(database: Database) -> None:
    for name in "abc":
        with database.write() as session:
            tell(session, name)
    with database.write() as session:
        session.get_one(Event, 1).at -= 100
        session.get_one(Event, 3).at -= 100  # the clock was set back: nothing in the middle may go
    with database.write() as session:
        assert not events.prune(session, clock.now() - 50)
    assert told(database) == [(2, "b"), (3, "c")]


def test_numbers_go_on_after_everything_was_forgotten(database: Database) -> None:
    for _turn in range(2):
        with database.write() as session:
            tell(session, "a")
        with database.write() as session:
            events.prune(session, clock.now() + 1)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Event)) == 0
    with database.write() as session:
        tell(session, "b")
    assert told(database) == [(3, "b")]
