"""How runs end: cancelled, failed, with a last word; on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

from building import count, counted
from sqlalchemy import select
from sqlalchemy.orm import Session
from stage import Stage

from argosy import errors
from argosy.db.session import Database
from argosy.db.tables import Lock, Run
from argosy.durable import moves, queue
from argosy.durable.workflow import Context, Outcome, Step, Wait, Workflow


def test_a_cancelled_run_goes_by_its_detour(database: Database) -> None:
    work: Workflow[None] = Workflow("work", cancellable=True)

    @work.step(detour="tidy")
    def build(_ctx: Context[None]) -> Outcome:
        return Wait(500, "building")

    @work.detour()
    def tidy(ctx: Context[None]) -> Outcome:
        ctx.record(lambda session: count(session, "tidied"))
        return None

    @work.on_failure
    def failed(session: Session, _run: Run, fault: str) -> None:
        count(session, fault)

    stage = Stage(database, (work,))
    run_id = stage.enqueue()
    stage.work()
    with database.write() as session:
        queue.cancel(session, "house")
    stage.work()
    assert (stage.run(run_id).state, stage.run(run_id).fault) == ("cancelled", moves.CANCELLED)
    assert counted(database, "tidied") == counted(database, moves.CANCELLED) == 1


def test_a_run_cancelled_in_the_middle_of_a_claim_stops_at_its_next_step(database: Database) -> None:
    work: Workflow[None] = Workflow("work", cancellable=True)

    @work.step()
    def build(ctx: Context[None]) -> Outcome:
        with ctx.database.write() as session:
            queue.cancel(session, ctx.subject)
        return None

    @work.step()
    def never(_ctx: Context[None]) -> Outcome:
        raise AssertionError

    stage = Stage(database, (work,))
    run_id = stage.enqueue()
    stage.work()
    assert stage.run(run_id).state == "cancelled"


def test_what_must_not_be_broken_off_is_not(database: Database) -> None:
    work: Workflow[None] = Workflow("work")

    @work.step()
    def build(ctx: Context[None]) -> Outcome:
        with ctx.database.write() as session:
            queue.cancel(session, ctx.subject)
        return None

    @work.step()
    def finish(ctx: Context[None]) -> Outcome: ...

    stage = Stage(database, (work,))
    run_id = stage.enqueue()
    stage.work()
    assert stage.run(run_id).state == "done"


def test_the_last_word_and_the_locks_go_with_the_end(database: Database) -> None:
    work: Workflow[None] = Workflow("work")

    @work.step()
    def build(ctx: Context[None]) -> Outcome:
        ctx.record(lambda session: count(session, "never"))
        raise errors.CloudFailed("it fell over")

    @work.on_failure
    def failed(session: Session, run: Run, fault: str) -> None:
        assert session.scalars(select(Lock)).all()
        assert run.memory == {"key": "secret"}
        count(session, fault)

    stage = Stage(database, (work,))
    run_id = stage.enqueue(also=["ground"], key="secret")
    stage.work()
    run, step = stage.run(run_id), stage.steps(run_id)[0]
    assert (run.state, run.fault, step.state, step.error) == ("failed", "it fell over", "failed", "it fell over")
    assert (counted(database, "it fell over"), counted(database, "never"), run.memory) == (1, 0, {})
    with database.read() as session:
        assert session.scalars(select(Lock)).all() == []


def test_a_last_word_that_fails_does_not_keep_the_run_from_ending(database: Database) -> None:
    work: Workflow[None] = Workflow("work")

    @work.step()
    def build(_ctx: Context[None]) -> Outcome:
        raise errors.CloudFailed("it fell over")

    @work.on_failure
    def failed(session: Session, _run: Run, _fault: str) -> None:
        count(session, "half")
        session.flush()
        raise ZeroDivisionError

    stage = Stage(database, (work,))
    run_id = stage.enqueue()
    stage.work()
    assert (stage.run(run_id).state, counted(database, "half")) == ("failed", 0)


def test_a_record_that_cannot_be_written_fails_the_step(database: Database) -> None:
    work: Workflow[None] = Workflow("work")

    def impossible(session: Session) -> None:
        count(session, "half")
        session.flush()
        raise errors.Broken("the row is gone")

    @work.step()
    def build(ctx: Context[None]) -> Outcome:
        ctx.memory["half"] = True
        ctx.record(impossible)
        return None

    stage = Stage(database, (work,))
    run_id = stage.enqueue()
    stage.work()
    assert (stage.run(run_id).state, stage.run(run_id).fault) == ("failed", "the row is gone")
    assert counted(database, "half") == 0


def test_a_step_that_is_gone_ends_the_run_with_its_cause(database: Database) -> None:
    work: Workflow[None] = Workflow("work")
    work.steps["build"] = Step("build", lambda _ctx: Wait(5, "building"), 60, None)
    stage = Stage(database, (work,))
    run_id = stage.enqueue()
    stage.work()
    work.steps["construct"] = work.steps.pop("build")
    stage.now.time += 5
    stage.work()
    assert stage.run(run_id).state == "failed"
    assert "has no step build" in stage.run(run_id).fault


def test_a_step_that_kills_its_worker_each_time_ends(database: Database) -> None:
    work: Workflow[None] = Workflow("work")
    work.steps["build"] = Step("build", lambda _ctx: None, 3600, None)
    stage = Stage(database, (work,))
    run_id = stage.enqueue()
    for _death in range(moves.LOST_CLAIMS + 1):
        run, _seconds = stage.worker().next()
        assert run is not None
        stage.now.time += 31
    stage.work()
    run = stage.run(run_id)
    assert run.state == "failed"
    assert run.fault.startswith(moves.Poisonous.__doc__ or "-")
