"""How runs are carried from step to step: on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

from itertools import pairwise

import pytest
from building import count, counted
from sqlalchemy import event
from stage import Stage

from argosy import errors
from argosy.db.session import Database
from argosy.db.tables import Fact
from argosy.durable import moves, queue
from argosy.durable.workflow import Context, Outcome, Wait, Workflow


def test_steps_follow_each_other_with_one_claim(database: Database) -> None:
    work: Workflow[None] = Workflow("work")

    @work.step()
    def first(ctx: Context[None]) -> Outcome:
        ctx.memory["told"] = 1
        return None

    @work.step()
    def second(ctx: Context[None]) -> Outcome:
        assert ctx.memory == {"told": 1}
        return None

    stage = Stage(database, (work,))
    run_id = stage.enqueue()
    commits = []
    event.listen(database.engine, "commit", commits.append)
    assert stage.worker().run_once()
    assert len(commits) == 3, "a claim and one commit per step"
    run = stage.run(run_id)
    assert (run.state, run.epoch, run.memory) == ("done", 1, {})
    assert [(step.name, step.state, step.attempts) for step in stage.steps(run_id)] == [
        ("first", "done", 1),
        ("second", "done", 1),
    ]
    assert all(step.ended for step in stage.steps(run_id))


def test_a_step_that_waits_says_for_what_and_is_called_again_in_time(database: Database) -> None:
    work: Workflow[None] = Workflow("work")
    calls: list[float] = []

    @work.step()
    def build(_ctx: Context[None]) -> Outcome:
        calls.append(stage.now())
        return Wait(5, "the server is building") if len(calls) < 3 else None

    stage = Stage(database, (work,))
    run_id = stage.enqueue()
    stage.work()
    run, step = stage.run(run_id), stage.steps(run_id)[0]
    assert (run.note, step.note, step.state, run.worker) == ("the server is building", run.note, "waiting", None)
    stage.work()
    assert len(calls) == 1
    assert stage.worker().next() == (None, 5)
    stage.now.time += 5
    stage.work()
    assert len(calls) == 2
    stage.wake(run_id)
    stage.work()
    assert stage.run(run_id).state == "done"
    assert stage.steps(run_id)[0].attempts == 1, "waiting is not failing"


def test_a_wake_between_look_and_suspend_is_not_lost(database: Database) -> None:
    work: Workflow[None] = Workflow("work")

    @work.step()
    def listen(ctx: Context[None]) -> Outcome:
        with ctx.database.read() as session:
            told = session.get(Fact, "answer") is not None
        if not told:
            with ctx.database.write() as session:
                session.add(Fact(name="answer", value=1))
                queue.wake(session, ctx.run.id)
        return None if told else Wait(500, "waiting for the answer")

    stage = Stage(database, (work,))
    run_id = stage.enqueue()
    stage.work()
    assert stage.run(run_id).state == "done"


def test_a_wake_after_an_earlier_step_of_the_same_claim_is_not_lost(database: Database) -> None:
    work: Workflow[None] = Workflow("work")

    @work.step()
    def before(ctx: Context[None]) -> Outcome:
        stage.wake(ctx.run.id)
        return None

    @work.step()
    def listen(ctx: Context[None]) -> Outcome:
        told = counted(database, "calls") > 0
        if not told:
            with ctx.database.write() as session:
                count(session, "calls")
                queue.wake(session, ctx.run.id)
        return None if told else Wait(500, "waiting for the answer")

    stage = Stage(database, (work,))
    run_id = stage.enqueue()
    stage.work()
    assert stage.run(run_id).state == "done"


def test_what_is_unavailable_is_tried_again_with_growing_pauses(database: Database) -> None:
    work: Workflow[None] = Workflow("work")
    calls: list[float] = []

    @work.step()
    def busy(_ctx: Context[None]) -> Outcome:
        calls.append(stage.now())
        if len(calls) < 5:
            raise errors.CloudBusy("no room just now")
        return None

    stage = Stage(database, (work,))
    run_id = stage.enqueue()
    for _turn in range(4):
        stage.work()
        assert stage.steps(run_id)[0].error == stage.run(run_id).note == "no room just now"
        stage.now.time += stage.worker().next()[1]
    stage.work()
    pauses = [after - before for before, after in pairwise(calls)]
    assert pauses == pytest.approx([moves.pause(attempt) for attempt in (1, 2, 3, 4)])
    assert (stage.run(run_id).state, stage.steps(run_id)[0].attempts) == ("done", 5)


def test_a_deadline_is_judged_after_a_last_look(database: Database) -> None:
    work: Workflow[None] = Workflow("work")
    finished: list[bool] = []

    @work.step(minutes=1)
    def build(_ctx: Context[None]) -> Outcome:
        return None if finished else Wait(20, "building")

    stage = Stage(database, (work,))
    late, slow = stage.enqueue(), stage.enqueue(subject="shed")
    stage.work()
    stage.now.time += 3600
    stage.worker().run_once()
    finished.append(True)
    stage.work()
    states = {stage.run(late).state, stage.run(slow).state}
    assert states == {"done", "failed"}, "the one that was finished by then is done, though late"


def test_a_run_sleeps_no_longer_than_its_deadline(database: Database) -> None:
    work: Workflow[None] = Workflow("work")

    @work.step(minutes=1)
    def build(_ctx: Context[None]) -> Outcome:
        return Wait(3600, "building")

    stage = Stage(database, (work,))
    run_id = stage.enqueue()
    stage.work()
    stage.now.time += 61
    stage.work()
    run = stage.run(run_id)
    assert (run.state, run.fault) == ("failed", "a step took longer than it may: build, 1 minutes: building")


def test_a_renamed_step_goes_on_under_its_alias(database: Database) -> None:
    before: Workflow[None] = Workflow("work")
    after: Workflow[None] = Workflow("work")

    @before.step()
    def build(_ctx: Context[None]) -> Outcome:
        return Wait(5, "building")

    @after.step(formerly="build")
    def construct(ctx: Context[None]) -> Outcome: ...

    stage = Stage(database, (before,))
    run_id = stage.enqueue()
    stage.work()
    later = Stage(database, (after,), now=stage.now)
    later.now.time += 5
    later.work()
    assert later.run(run_id).state == "done"
