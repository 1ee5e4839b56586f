"""Signals that meet suspends, by the thousand: none may be lost. Before wakes were counted, 11 of 3,000 were."""

from __future__ import annotations

import random
import threading
import time

from building import counted
from sampling import size
from sqlalchemy import func, select
from stage import Stage

from argosy.db.session import Database
from argosy.db.tables import Fact, Run
from argosy.durable import queue
from argosy.durable.pool import Pool
from argosy.durable.runner import Runner
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.testing.waiting import eventually

listen: Workflow[None] = Workflow("listen")


@listen.step(minutes=60)
def hear(ctx: Context[None]) -> Outcome:
    """The answer comes within milliseconds of the look that does not see it yet."""
    return None if counted(ctx.database, f"to {ctx.subject}") else Wait(3000, "waiting for the answer")


class NoBell:
    """Nobody rings: only rows may wake."""

    def wait(self, timeout: float) -> bool:
        time.sleep(min(timeout, 0.01))
        return False


def test_no_signal_is_lost(database: Database) -> None:
    count = size(150, 1500)
    stage = Stage(database, (listen,))
    pools = [Pool(_runner(stage, f"worker {number}"), NoBell(), threads=4) for number in range(2)]
    for pool in pools:
        pool.start()
    try:
        speakers = [threading.Thread(target=_speak, args=(stage, range(start, count, 4))) for start in range(4)]
        for speaker in speakers:
            speaker.start()
        for speaker in speakers:
            speaker.join()
        eventually(lambda: _ended(database) == count, within=60, every=0.2)
    finally:
        assert all(pool.stop() for pool in pools)


def _runner(stage: Stage, name: str) -> Runner[None]:
    """The clock of the stage stands still: a run that sleeps through its signal sleeps for ever."""
    return stage.worker(name)


def _speak(stage: Stage, numbers: range) -> None:
    """Enqueue, and answer about when the worker looks."""
    dice = random.Random(numbers.start)
    for number in numbers:
        run_id = stage.enqueue(subject=f"run {number}")
        time.sleep(dice.random() * 0.03)
        with stage.database.write() as session:
            session.add(Fact(name=f"to run {number}", value=1))
            queue.wake(session, run_id)


def _ended(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Run).where(Run.state == "done")) or 0
