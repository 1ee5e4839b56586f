"""What recurs: exactly one of several workers enqueues it."""

from __future__ import annotations

import os
import time

from sampling import size
from sqlalchemy import func, select
from stage import Stage

from argosy.db.session import Database
from argosy.db.tables import Run
from argosy.durable import timers
from argosy.durable.times import DatabaseClock
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.testing.waiting import eventually

quick: Workflow[None] = Workflow("quick")


@quick.step()
def go(ctx: Context[None]) -> Outcome: ...


def runs(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Run)) or 0


def test_fires_at_once_and_then_every_so_often(database: Database) -> None:
    recurring = [timers.every("quick", 60, quick, "quick"), timers.every("slow", 100, quick, "slow")]
    assert timers.fire(database, recurring, 1000.0) == 60
    assert runs(database) == 2
    assert timers.fire(database, recurring, 1010.0) == 50
    assert runs(database) == 2
    Stage(database, (quick,)).work()
    assert timers.fire(database, recurring, 1060.0) == 40
    assert runs(database) == 3


def test_what_was_missed_is_not_made_up_for(database: Database) -> None:
    recurring = [timers.every("quick", 60, quick, "quick")]
    timers.fire(database, recurring, 1000.0)
    Stage(database, (quick,)).work()
    assert timers.fire(database, recurring, 9000.0) == 60
    assert runs(database) == 2


def test_left_out_while_the_last_one_is_under_way(database: Database) -> None:
    long: Workflow[None] = Workflow("long")

    @long.step()
    def stay(_ctx: Context[None]) -> Outcome:
        return Wait(500, "staying")

    recurring = [timers.every("long", 60, long, "long")]
    timers.fire(database, recurring, 1000.0)
    assert timers.fire(database, recurring, 1060.0) == 60
    assert runs(database) == 1


def test_who_saw_it_due_too_late_leaves_it(database: Database) -> None:
    """Two have seen it due; by the time the second moves it, the first one's run has ended already."""
    stage, recurring = Stage(database, (quick,)), timers.every("quick", 60, quick, "quick")
    timers.fire(database, [recurring], 1000.0)
    for _worker in range(2):
        stage.work()
        with database.write() as session:
            timers._fire(session, recurring, 1060.0, 1060.0)
    assert runs(database) == 2


def test_two_workers_fire_each_once(database: Database) -> None:
    """Two processes as fast as they can; the recurrences are many, so that they meet."""
    count = size(60, 500)
    recurring = [timers.every(f"timer {number}", 3600, quick, f"subject {number}") for number in range(count)]
    children = [_fork(database, recurring) for _worker in range(2)]
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
    assert runs(database) == count


def _fork(database: Database, recurring: list[timers.Recurrence]) -> int:
    child = os.fork()
    if child == 0:
        try:
            database.dispose()
            for round_ in range(3):
                timers.fire(database, recurring, 1000.0 + round_)
        except BaseException:  # noqa: BLE001 - the end of this process
            os._exit(1)
        os._exit(0)
    return child


def test_a_thread_sleeps_until_the_next_is_due(database: Database) -> None:
    now = DatabaseClock(database)
    recurring = timers.Timers(database, [timers.every("quick", 0.2, quick, "quick")], now)
    stage = Stage(database, (quick,))
    recurring.start()
    try:
        begun = time.monotonic()
        eventually(lambda: stage.work() or runs(database) >= 3)  # type: ignore[func-returns-value]
        assert time.monotonic() - begun > 0.35
    finally:
        recurring.stop()
