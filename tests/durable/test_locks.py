"""Exclusive and shared locks, pre-emption, and a hammer on their invariants."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest
from sampling import size
from sqlalchemy import select
from stage import Stage

from argosy import errors
from argosy.db.session import Database
from argosy.db.tables import Lock, LockGuard, Run
from argosy.durable import locks, queue
from argosy.durable.claims import DATABASE_AWAY
from argosy.durable.workflow import Context, Outcome, Wait, Workflow

work: Workflow[None] = Workflow("work")


@work.step()
def stay(_ctx: Context[None]) -> Outcome:
    return Wait(500, "staying")


def test_a_subject_is_held_by_one(database: Database) -> None:
    stage = Stage(database, (work,))
    stage.enqueue()
    with pytest.raises(errors.Busy, match="house is busy with another operation \\(work\\)"):
        stage.enqueue()
    with database.read() as session:
        assert len(session.scalars(select(Run)).all()) == 1, "a refused run leaves nothing"


def test_all_or_none(database: Database) -> None:
    stage = Stage(database, (work,))
    stage.enqueue(subject="b")
    with pytest.raises(errors.Busy):
        stage.enqueue(subject="a", also=["b", "c"])
    stage.enqueue(subject="c", also=["a"])


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [("shared", "shared", True), ("shared", "also", False), ("also", "shared", False), ("also", "also", False)],
)
def test_readers_stand_together_and_writers_alone(
    database: Database, first: str, second: str, *, together: bool
) -> None:
    stage = Stage(database, (work,))
    stage.enqueue(subject="one", **{first: ["house"]})
    if together:
        stage.enqueue(subject="two", **{second: ["house"]})
    else:
        with pytest.raises(errors.Busy):
            stage.enqueue(subject="two", **{second: ["house"]})


def test_holding_again_is_free_and_more_can_be_taken(database: Database) -> None:
    stage = Stage(database, (work,))
    run = stage.run(stage.enqueue(shared=["ground"]))
    for _again in range(2):
        with database.write() as session:
            assert queue.hold(session, run, "house", "ground")
    with pytest.raises(errors.Busy):
        stage.enqueue(subject="two", shared=["ground"])


def test_nothing_is_left_when_a_run_ends(database: Database) -> None:
    done: Workflow[None] = Workflow("done")

    @done.step()
    def go(ctx: Context[None]) -> Outcome: ...

    stage = Stage(database, (done,))
    stage.enqueue(also=["ground"], shared=["street"])
    stage.work()
    locks.sweep(database)
    with database.read() as session:
        assert session.scalars(select(Lock)).all() == session.scalars(select(LockGuard)).all() == []


def test_the_more_urgent_preempts_what_can_be_cancelled(database: Database) -> None:
    mild: Workflow[None] = Workflow("mild", cancellable=True)
    firm: Workflow[None] = Workflow("firm")
    urgent: Workflow[None] = Workflow("urgent", urgency=10)
    for workflow in (mild, firm):
        workflow.step()(stay)

    @urgent.step()
    def take(ctx: Context[None]) -> Outcome:
        return queue.await_hold(ctx, ctx.subject)

    stage = Stage(database, (mild, firm, urgent))
    mild_id, firm_id = stage.enqueue(mild, "house"), stage.enqueue(firm, "shed")
    first, second = stage.enqueue(urgent, "house", patient=True), stage.enqueue(urgent, "shed", patient=True)
    stage.work()
    stage.now.time += 5
    stage.work()
    assert [stage.run(each).state for each in (mild_id, firm_id, first, second)] == [
        "cancelled",
        "active",
        "done",
        "active",
    ]
    assert stage.run(second).note == "waits for another operation to end (firm)"


def test_cancelling_reaches_who_holds_the_subject_and_who_waits_for_it(database: Database) -> None:
    stage = Stage(database, (work,))
    holder, waiter = stage.enqueue(also=["ground"]), stage.enqueue(subject="ground", patient=True)
    other = stage.enqueue(subject="shed")
    with database.write() as session:
        queue.cancel(session, "ground")
    assert [stage.run(each).cancelled for each in (holder, waiter, other)] == [True, True, False]


def test_the_less_urgent_waits_for_its_turn(database: Database) -> None:
    """And is woken by the end of the holder: the clock stands still here."""
    mild: Workflow[None] = Workflow("mild", cancellable=True)
    patient: Workflow[None] = Workflow("patient")
    finished: list[bool] = []

    @mild.step()
    def finish(_ctx: Context[None]) -> Outcome:
        return None if finished else Wait(500, "staying")

    @patient.step()
    def take(ctx: Context[None]) -> Outcome:
        return queue.await_hold(ctx, ctx.subject)

    stage = Stage(database, (mild, patient))
    holder, waiter = stage.enqueue(mild), stage.enqueue(patient, patient=True)
    stage.work()
    assert not stage.run(holder).cancelled
    finished.append(True)
    stage.wake(holder)
    stage.work()
    assert [stage.run(each).state for each in (holder, waiter)] == ["done", "done"]


@dataclass
class Hammer:
    """Threads that take and release a few subjects, shared or alone, and look whether they are indeed alone."""

    database: Database
    wanted: int
    until: float = field(default_factory=lambda: time.monotonic() + 120)
    inside: Counter[tuple[str, bool]] = field(default_factory=Counter)
    taken: int = 0
    wrong: list[str] = field(default_factory=list)
    gate: threading.Lock = field(default_factory=threading.Lock)

    def work(self, seed: int) -> None:
        dice = random.Random(seed)
        while self.taken < self.wanted and time.monotonic() < self.until and not self.wrong:
            run_id = f"{seed}-{dice.random():.12f}"
            subjects = dice.sample(["a", "b", "c"], dice.randint(1, 3))
            shared = dice.random() < 0.5
            if self._take(run_id, subjects, shared=shared):
                self._enter(subjects, shared=shared)
                time.sleep(dice.random() / 500)
                self._leave(subjects, shared=shared)
                self._release(run_id)

    def _take(self, run_id: str, subjects: list[str], *, shared: bool) -> bool:
        try:
            with self.database.write() as session:
                return not locks.take(session, run_id, () if shared else subjects, subjects if shared else ())
        except DATABASE_AWAY as error:
            self.wrong.append(f"takers hinder each other: {error}")
            return False

    def _release(self, run_id: str) -> None:
        try:
            with self.database.write() as session:
                locks.release(session, run_id)
        except DATABASE_AWAY as error:
            self.wrong.append(f"takers hinder each other: {error}")

    def _enter(self, subjects: list[str], *, shared: bool) -> None:
        with self.gate:
            self.taken += 1
            for subject in subjects:
                if self.inside[subject, False] or (not shared and self.inside[subject, True]):
                    self.wrong.append(f"{subject}: {self.inside}")
                self.inside[subject, shared] += 1

    def _leave(self, subjects: list[str], *, shared: bool) -> None:
        with self.gate:
            for subject in subjects:
                self.inside[subject, shared] -= 1


def test_hammer(database: Database) -> None:
    hammer = Hammer(database, size(60, 3000))
    threads = [threading.Thread(target=hammer.work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hammer.wrong == []
    assert hammer.taken >= hammer.wanted
    locks.sweep(database)
    with database.read() as session:
        assert session.scalars(select(Lock)).all() == session.scalars(select(LockGuard)).all() == []
