"""Kill the worker of an operation at every point where it matters, and see that nobody can tell afterwards.

A point is before and after each commit, and before and after each call of the outside world. `every_point` loses the
worker there in-process, hundreds of times a minute; `every_kill` does it with real processes and SIGKILL, for worlds
that live outside the process. Both run the operation to its end each time and then ask the scenario if all is well.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from argosy.db.session import Database
from argosy.db.tables import Lock, LockGuard, Run
from argosy.durable import locks, workers
from argosy.durable.lease import Leases
from argosy.durable.runner import Runner
from argosy.durable.times import DatabaseClock
from argosy.durable.workflow import Workflow
from argosy.testing.databases import Server

World_co = TypeVar("World_co", covariant=True)
Passes = Callable[[str], None]
"""Called with its name at every point; may never return."""

STORMS = 3
"""Histories in which the worker is lost again and again, at random points."""
TURNS = 500
"""An operation that has not ended after so many turns never will."""


class Lost(BaseException):
    """The process is gone: nothing may catch this."""


class Scenario(Protocol[World_co]):
    """One operation and what is around it: new for every history, and outliving the workers in it."""

    @property
    def workflows(self) -> Mapping[str, Workflow[Any]]: ...

    def start(self, session: Session) -> None:
        """Admit the operation."""

    def world(self, passes: Passes) -> World_co:
        """What a worker that has just started reaches. It calls `passes` before and after each call outside."""

    def meanwhile(self, database: Database) -> None:
        """What others do while the worker has nothing to do: guests answer, users change their mind."""

    def check(self, database: Database) -> None:
        """All is as it should be, now that every run has ended."""


class Watched(Database):
    """A database whose commits are points."""

    def __init__(self, database: Database, passes: Passes) -> None:
        # Its very engine: a new one would compile every statement anew, which takes longer than all that they do.
        vars(self).update(vars(database))
        self._passes = passes

    @contextmanager
    def write(self) -> Iterator[Session]:
        with super().write() as session:
            yield session
            self._passes("before commit")
        self._passes("after commit")


@dataclass
class Counter:
    """Counts points and calls `at` where it is told to."""

    at: Callable[[int], bool]
    strike: Callable[[], None]
    passed: list[str] = field(default_factory=list)

    def __call__(self, name: str) -> None:
        self.passed.append(name)
        if self.at(len(self.passed)):
            self.strike()


@dataclass
class Jumping:
    """The time of a history: nobody waits, it jumps to the next thing to happen."""

    time: float = 1_000_000.0

    def __call__(self) -> float:
        return self.time


# --- in one process ----------------------------------------------------------------------------------------------


def once(scenario: Scenario[Any], server: Server) -> None:
    """Run the operation to its end, losing nobody. It takes no longer than its work: time jumps over every wait."""
    _history(scenario, server, lambda _number: False)


def every_point(
    make: Callable[[], Scenario[Any]], server: Server, chosen: Callable[[int], Iterable[int]] | None = None
) -> int:
    """Lose the worker at each point once, and in a few histories again and again. How many points there are.

    `chosen`: which of so many points it is lost at, from 1 on; all where nobody chooses.
    """
    points = _history(make(), server, lambda _number: False)
    for number in chosen(len(points)) if chosen else range(1, len(points) + 1):
        with _told(f"worker lost at point {number}, {points[number - 1]}; the points: {points}"):
            _history(make(), server, lambda passed, number=number: passed == number)  # type: ignore[misc]
    for seed in range(STORMS):
        with _told(f"worker lost at random, seed {seed}"):
            _history(make(), server, _random(seed))
    return len(points)


def _random(seed: int) -> Callable[[int], bool]:
    dice = random.Random(seed)  # noqa: S311 - for tests
    return lambda _number: dice.random() < 0.08


def _history(scenario: Scenario[Any], server: Server, at: Callable[[int], bool]) -> list[str]:
    """Run the operation to its end; every lost worker is followed by a new one. The points passed."""
    counter = Counter(at, _lose)
    with server.fresh() as database:
        with database.write() as session:
            scenario.start(session)
        _live(scenario, database, counter)
        settled(database)
        scenario.check(database)
    return counter.passed


def _lose() -> None:
    raise Lost


def _live(scenario: Scenario[Any], database: Database, counter: Counter) -> None:
    now = Jumping()
    for life in range(TURNS):
        worker, watched = f"worker-{life}", Watched(database, counter)
        try:
            runner = Runner(watched, scenario.workflows, scenario.world(counter), now, Leases(watched, worker, now))
            return _turns(scenario, database, runner, now)
        except Lost:
            _bury(database, worker, now, reaped=life % 2 == 0)
    raise AssertionError("the operation lost more workers than it can")


def _turns(scenario: Scenario[Any], database: Database, runner: Runner[Any], now: Jumping) -> None:
    for _turn in range(TURNS):
        while runner.run_once():
            pass
        scenario.meanwhile(database)
        run, seconds = runner.next()
        if run is not None:
            runner.carry(run)
        elif not unfinished(database):
            return
        else:
            now.time += min(seconds, 60.0)
    raise AssertionError(f"still not at its end: {unfinished(database)}")


def _bury(database: Database, worker: str, now: Jumping, *, reaped: bool) -> None:
    """As the supervisor would at once, or as other hosts see it: a lease runs out."""
    if reaped:
        workers.unregister(database, worker)
    else:
        now.time += 31.0


# --- with real processes ---------------------------------------------------------------------------------------


def every_kill(make: Callable[[], Scenario[Any]], server: Server, chosen: Callable[[int], bool] | None = None) -> int:
    """Kill a worker process at each point (of those `chosen`); the next one goes on. How many points there are."""
    points = len(_history(make(), server, lambda _number: False))
    for number in range(1, points + 1):
        if chosen is None or chosen(number):
            with _told(f"worker process killed at point {number} of {points}"):
                _killed(make(), server, number)
    return points


def _killed(scenario: Scenario[Any], server: Server, number: int) -> None:
    with server.fresh() as database:
        with database.write() as session:
            scenario.start(session)
        died = _forked(scenario, database, number)
        assert died == -signal.SIGKILL, f"point {number} was never reached: the worker ended with {died}"
        ended = _forked(scenario, database, 0)
        assert ended == 0, f"the worker after it ended with {ended}"
        settled(database)
        scenario.check(database)


def _forked(scenario: Scenario[Any], database: Database, number: int) -> int:
    """Work in a child that kills itself at this point (0: at none). How it ended, as subprocess tells it."""
    child = os.fork()
    if child == 0:
        try:
            database.dispose()
            work(scenario, database, Counter(lambda passed: passed == number, _kill))
        except BaseException:  # noqa: BLE001 - this is a process's end
            os._exit(1)
        os._exit(0)
    started = workers.started(child) or 0
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    workers.reap(database, child, started)
    return status


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def work(scenario: Scenario[Any], database: Database, passes: Passes) -> None:
    """Be a worker, registered as one, until every run has ended."""
    watched, now = Watched(database, passes), DatabaseClock(database)
    leases = Leases(watched, workers.register(database, now), now)
    runner = Runner(watched, scenario.workflows, scenario.world(passes), now, leases)
    while unfinished(database):
        if not runner.run_once():
            scenario.meanwhile(database)
            time.sleep(0.005)
    workers.unregister(database, leases.worker)


# --- what must be so at every end ---------------------------------------------------------------------------------


def unfinished(database: Database) -> list[str]:
    with database.read() as session:
        return [f"{run.workflow} in {run.step}: {run.note}" for run in session.scalars(_active())]


def settled(database: Database) -> None:
    """Nothing of the machine is left behind: no lock, no guard, no memory."""
    while locks.sweep(database):
        pass
    with database.read() as session:
        for table in (Lock, LockGuard):
            left = session.scalar(select(func.count()).select_from(table))
            assert not left, f"{left} rows of {table.__tablename__} are left behind"
        for run in session.scalars(select(Run)):
            assert run.memory == {}, f"run {run.workflow} ended and kept its memory"
            assert run.worker is None, f"run {run.workflow} ended and has a worker"


def _active() -> Any:
    return select(Run).where(Run.state == "active")


@contextmanager
def _told(history: str) -> Iterator[None]:
    """Say in which history something went wrong."""
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"{history}: {error}") from error
