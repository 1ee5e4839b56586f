"""Workers as rows: the dead lose their runs at once, the frozen cannot write."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import pytest
from building import Site, build
from sqlalchemy import select, update
from stage import Stage

from argosy import clock
from argosy.db.session import Database
from argosy.db.tables import Run, Worker
from argosy.durable import workers
from argosy.durable.lease import Leases
from argosy.durable.times import DatabaseClock
from argosy.durable.workers import Heartbeat
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.testing import crashes
from argosy.testing.waiting import eventually

SLOW: Workflow[Path] = Workflow("slow")


@SLOW.step()
def act(ctx: Context[Path]) -> Outcome:
    """Takes long the first time, and goes on only when it is let."""
    (ctx.world / "begun").touch()
    while not (ctx.world / "go").exists():
        time.sleep(0.01)
    me = os.getpid()
    ctx.record(lambda _session: (ctx.world / f"recorded-{me}").touch())
    return None


class Slow:
    """For `crashes.work`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.workflows = {"slow": SLOW}

    def start(self, session: object) -> None: ...

    def world(self, _passes: crashes.Passes) -> Path:
        return self.directory

    def meanwhile(self, database: Database) -> None: ...

    def check(self, database: Database) -> None: ...


def fork(scenario: Slow, database: Database) -> int:
    child = os.fork()
    if child == 0:
        try:
            database.dispose()
            crashes.work(scenario, database, lambda _point: None)
        except BaseException:  # noqa: BLE001 - the end of this process
            os._exit(1)
        os._exit(0)
    return child


def test_a_reaped_worker_costs_no_lease(database: Database, tmp_path: Path) -> None:
    stage = Stage(database, (SLOW,))
    run_id = stage.enqueue()
    child = fork(Slow(tmp_path), database)
    started = workers.started(child)
    assert started is not None
    eventually((tmp_path / "begun").exists)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    (tmp_path / "go").touch()
    before = time.monotonic()
    assert workers.reap(database, child, started) == 1
    crashes.work(Slow(tmp_path), database, lambda _point: None)
    assert time.monotonic() - before < 2
    assert stage.run(run_id).state == "done"
    with database.read() as session:
        assert session.scalars(select(Worker)).all() == []


def test_a_frozen_worker_is_taken_over_and_writes_nothing_when_it_thaws(database: Database, tmp_path: Path) -> None:
    """SIGSTOP in the middle of a step, its lease runs out, another does the work, SIGCONT."""
    stage = Stage(database, (SLOW,))
    run_id = stage.enqueue()
    child = fork(Slow(tmp_path), database)
    eventually((tmp_path / "begun").exists)
    os.kill(child, signal.SIGSTOP)
    try:
        with database.write() as session:
            session.execute(update(Run).values(lease_until=0.0))
        (tmp_path / "go").touch()
        crashes.work(Slow(tmp_path), database, lambda _point: None)
        assert stage.run(run_id).state == "done"
    finally:
        os.kill(child, signal.SIGCONT)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    run = stage.run(run_id)
    assert (run.epoch, run.state) == (2, "done")
    assert [step.attempts for step in stage.steps(run_id)] == [2]
    assert (tmp_path / f"recorded-{os.getpid()}").exists()


def test_only_the_named_process_is_reaped(database: Database) -> None:
    now = DatabaseClock(database)
    workers.register(database, now)
    own = workers.started(os.getpid()) or 0
    assert workers.reap(database, os.getpid(), own + 1) == 0
    assert workers.reap(database, os.getpid() + 1, own) == 0
    with database.read() as session:
        assert len(session.scalars(select(Worker)).all()) == 1


def test_a_new_worker_takes_the_runs_of_those_that_died_on_its_host(database: Database, tmp_path: Path) -> None:
    stage = Stage(database, (build,), Site(tmp_path))
    run_id = stage.enqueue()
    with database.write() as session:
        here = {"host": socket.gethostname(), "boot_id": clock.boot_id(), "seen_at": 0.0}
        session.add(Worker(id="dead", pid=os.getpid(), started=1, **here))
        session.add(Worker(id="rebooted", **{**here, "boot_id": "another"}, pid=1, started=workers.started(1)))
        session.add(Worker(id="alive", pid=1, started=workers.started(1), **here))
        session.add(Worker(id="elsewhere", pid=1, started=1, **{**here, "host": "another"}))
    stage.worker("dead").next()
    epoch = stage.run(run_id).epoch
    workers.register(database, stage.now)
    assert (stage.run(run_id).worker, stage.run(run_id).epoch) == (None, epoch + 1)
    with database.read() as session:
        left = set(session.scalars(select(Worker.id)))
    assert left >= {"alive", "elsewhere"}
    assert not left & {"dead", "rebooted"}


def test_a_heartbeat_keeps_leases_and_says_that_we_live(database: Database) -> None:
    now = DatabaseClock(database)
    leases = Leases(database, workers.register(database, now), now, seconds=0.3)
    stage = Stage(database, (SLOW,))
    run_id = stage.enqueue()
    lease = leases.offer(stage.run(run_id), now())
    with database.write() as session:
        session.execute(update(Run).values(worker=lease.worker, lease_until=lease.until))
    heartbeat = Heartbeat(database, leases, now)
    heartbeat.start()
    try:
        eventually(lambda: stage.run(run_id).lease_until > lease.until + 0.3)
        with database.read() as session:
            assert now() - session.scalars(select(Worker.seen_at)).one() < 1
    finally:
        leases.closed.set()
        heartbeat.join()


def test_a_process_is_known_by_pid_and_start() -> None:
    assert workers.started(os.getpid()) == workers.started(os.getpid())
    child = os.fork()
    if child == 0:
        os._exit(0)
    eventually(lambda: workers.started(child) is None)  # a zombie is dead
    os.waitpid(child, 0)
    assert workers.started(child) is None


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_the_wall_clock_may_jump(database: Database, monkeypatch: pytest.MonkeyPatch, jump: float) -> None:
    before = DatabaseClock(database)
    monkeypatch.setattr(clock, "now", lambda: time.time() + jump)
    assert abs(DatabaseClock(database)() - before()) < 1


def test_time_goes_on_over_a_reboot_even_with_a_wrong_wall_clock(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.dialect != "sqlite":
        pytest.skip("a server tells the time by itself")
    before = DatabaseClock(database)
    workers.register(database, before)
    seen = before()
    monkeypatch.setattr(clock, "boot_id", lambda: "the next")
    monkeypatch.setattr(clock, "boot", lambda: 5.0)
    monkeypatch.setattr(clock, "now", lambda: 0.0)
    assert seen <= DatabaseClock(database)() + 1
