"""Servers of the MySQL family that are held still."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator

import pytest

from argosy import errors
from argosy.engines.mysql import holding
from argosy.testing.hands import Hands
from argosy.testing.mysql import Handy, master
from argosy.testing.servers import Server
from argosy.testing.waiting import eventually


def test_nobody_commits_while_it_is_held_and_everybody_afterwards(primary: Server) -> None:
    tenant = master(primary)
    tenant.write(f"{uuid.uuid4()}", "before")
    position = primary.hands.call("begin_hold", 20.0)
    assert position["at"] <= time.time()
    done = threading.Event()
    writer = threading.Thread(target=lambda: (tenant.write(f"{uuid.uuid4()}", "during"), done.set()))
    writer.start()
    assert not done.wait(0.5)
    primary.hands.call("end_hold")
    assert done.wait(10)
    writer.join()
    tenant.close()


def test_a_holder_that_is_late_or_dead_holds_nobody(primary: Server) -> None:
    """The server ends what the agent cannot end any more."""
    tenant = master(primary)
    primary.hands.call("begin_hold", 1.0)
    tenant.write(f"{uuid.uuid4()}", "after the server had enough")
    with pytest.raises(errors.GuestFailed, match="not held still to the end"):
        primary.hands.call("end_hold")
    other = Hands(Handy, primary.site)
    other.call("begin_hold", 60.0)
    other._process.kill()
    other._process.join()
    tenant.write(f"{uuid.uuid4()}", "after the holder was killed")
    tenant.close()


def test_a_hold_that_cannot_be_had_gives_up(primary: Server) -> None:
    """Somebody holds a table by LOCK TABLES."""
    tenant = master(primary)
    tenant.write(f"{uuid.uuid4()}", "")
    tenant.run("LOCK TABLES kept.kept WRITE")
    started = time.monotonic()
    with pytest.raises(errors.GuestFailed):
        primary.hands.call("begin_hold", 1.0)
    assert time.monotonic() - started < 10
    tenant.run("UNLOCK TABLES")
    tenant.write(f"{uuid.uuid4()}", "nobody is in the way")
    tenant.close()


class Locking(Handy):
    """Where there are no stages."""

    def lock_tables(self) -> str:
        self._session = self.connect(20)
        return holding.lock(self._session)

    def unlock_tables(self, release: str) -> None:
        self._session.query(release)
        self._session.close()


class Writing(Handy):
    def write_down(self, switch: str) -> bool:
        with self.session() as session:
            return holding.write_down(session, switch)

    def unwritten(self) -> int:
        """Bytes of log that a server would go through after a crash."""
        with self.session() as session:
            return int(session.pairs("SHOW GLOBAL STATUS LIKE 'Innodb_checkpoint_age'")["Innodb_checkpoint_age"])


@pytest.fixture
def writing(primary: Server) -> Iterator[Hands]:
    hands = Hands(Writing, primary.site)
    yield hands
    hands.close()


@pytest.fixture
def much(primary: Server) -> Iterator[None]:
    """A table that is in memory for the most part."""
    tenant = master(primary)
    tenant.run("CREATE DATABASE much")
    tenant.run("CREATE TABLE much.much (id INT PRIMARY KEY, t TEXT)")
    tenant.run("INSERT INTO much.much SELECT seq, REPEAT('x', 2000) FROM much.seq_1_to_20000")
    yield
    tenant.run("DROP DATABASE much")
    tenant.close()


@pytest.mark.usefixtures("much")
def test_what_is_in_memory_is_written_down(writing: Hands) -> None:
    assert writing.call("unwritten") > 8 << 20
    eventually(lambda: writing.call("flush") or writing.call("unwritten") < 1 << 20)


@pytest.mark.usefixtures("much")
def test_nobody_who_writes_is_held_up_by_that(primary: Server, writing: Hands) -> None:
    tenant, begun, done = master(primary), threading.Event(), threading.Event()
    tenant.run("BEGIN")  # log without an end, however long the disk takes for a commit

    def write() -> None:
        while not done.is_set():
            tenant.run("UPDATE much.much SET t = REVERSE(CONCAT('y', t)) WHERE id < 100")
            begun.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert begun.wait(30)
        assert not writing.call("write_down", holding.CHECKPOINT)
    finally:
        done.set()
        writer.join()
    tenant.close()


def test_a_release_that_cannot_be_told_to_is_left_alone(writing: Hands) -> None:
    eventually(lambda: writing.call("write_down", holding.CHECKPOINT))
    assert not writing.call("write_down", "innodb_log_checkpoint_never")


def test_a_server_without_stages_is_held_by_its_read_lock(primary: Server) -> None:
    other = Hands(Locking, primary.site)
    tenant = master(primary)
    tenant.write(f"{uuid.uuid4()}", "")
    release = other.call("lock_tables")
    done = threading.Event()
    writer = threading.Thread(target=lambda: (tenant.write(f"{uuid.uuid4()}", "during"), done.set()))
    writer.start()
    assert not done.wait(0.5)
    assert release == "UNLOCK TABLES"
    other.call("unlock_tables", release)
    assert done.wait(10)
    other.close()
    writer.join()
    tenant.close()
