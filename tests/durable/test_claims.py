"""Who carries a run: one worker at a time, and another when that one is lost."""

from __future__ import annotations

import pytest
from building import count, counted
from sqlalchemy import select, update
from stage import Stage

from argosy.db.session import Database
from argosy.db.tables import Lock, Run
from argosy.durable import claims, queue
from argosy.durable.workflow import Context, Outcome, Step, Wait, Workflow


@pytest.mark.parametrize("taker", ["another", "slow"])
def test_a_worker_that_lost_its_run_writes_nothing(database: Database, taker: str) -> None:
    """Also not when another thread of the same worker has taken it."""
    work: Workflow[None] = Workflow("work")

    @work.step()
    def build(ctx: Context[None]) -> Outcome:
        epoch = ctx.run.epoch
        if epoch == 1:
            stage.now.time += 31
            stage.worker(taker).next()
        ctx.memory["by"] = epoch
        ctx.record(lambda session: count(session, f"by {epoch}"))
        return Wait(500, f"seen by {epoch}")

    stage = Stage(database, (work,))
    run_id = stage.enqueue()
    stage.worker("slow").run_once()
    run = stage.run(run_id)
    assert (run.note, run.memory, run.epoch, run.worker) == ("", {}, 2, taker)
    stage.now.time += 31
    stage.work()
    assert (counted(database, "by 1"), counted(database, "by 3")) == (0, 1)


def test_a_worker_that_lost_its_run_takes_no_lock_for_it(database: Database) -> None:
    work: Workflow[None] = Workflow("work")

    @work.step()
    def build(ctx: Context[None]) -> Outcome:
        if ctx.run.worker == "slow":
            stage.now.time += 31
            stage.worker("fast").run_once()
            return queue.await_hold(ctx, "ground")
        return None

    stage = Stage(database, (work,))
    run_id = stage.enqueue()
    stage.worker("slow").run_once()
    assert stage.run(run_id).state == "done"
    with database.read() as session:
        assert session.scalars(select(Lock)).all() == []


def test_workers_leave_what_they_do_not_know(database: Database) -> None:
    old: Workflow[None] = Workflow("work")
    new: Workflow[None] = Workflow("work", version=2)
    for workflow in (old, new):
        workflow.steps["build"] = Step("build", lambda _ctx: None, 60, None)
    run_id = Stage(database, (new,)).enqueue()
    assert not Stage(database, (old,)).worker().run_once()
    assert Stage(database, (new,)).worker().run_once()
    assert Stage(database, (new,)).run(run_id).state == "done"


def test_attempts_count_workers_that_died(database: Database) -> None:
    work: Workflow[None] = Workflow("work")
    work.steps["build"] = Step("build", lambda _ctx: None, 3600, None)
    stage = Stage(database, (work,))
    run_id = stage.enqueue()
    stage.worker().next()
    assert stage.steps(run_id)[0].state == "running"
    stage.now.time += 31
    stage.work()
    assert stage.steps(run_id)[0].attempts == 2


def test_a_stopping_worker_gives_its_run_back_between_steps(database: Database) -> None:
    work: Workflow[None] = Workflow("work")

    @work.step()
    def first(_ctx: Context[None]) -> Outcome:
        worker.stopping = True
        return None

    @work.step()
    def second(ctx: Context[None]) -> Outcome: ...

    stage = Stage(database, (work,))
    worker = stage.worker()
    run_id = stage.enqueue()
    worker.run_once()
    run = stage.run(run_id)
    assert (run.state, run.step, run.worker) == ("active", "second", None)
    stage.work()
    assert stage.run(run_id).state == "done"
    assert [step.attempts for step in stage.steps(run_id)] == [1, 1]


def test_the_more_urgent_run_comes_first(database: Database) -> None:
    calm: Workflow[None] = Workflow("calm")
    urgent: Workflow[None] = Workflow("urgent", urgency=10)
    order: list[str] = []
    for workflow in (calm, urgent):
        workflow.steps["go"] = Step("go", lambda ctx: order.append(ctx.run.workflow), 60, None)
    stage = Stage(database, (calm, urgent))
    stage.enqueue(calm, "house")
    stage.enqueue(urgent, "shed")
    stage.work()
    assert order == ["urgent", "calm"]


def test_a_claim_of_a_run_that_was_signalled_meanwhile_is_refused(database: Database) -> None:
    """It was read before a signal: claimed so, the signal's cancellation would be overlooked."""
    work: Workflow[None] = Workflow("work", cancellable=True)
    work.steps["build"] = Step("build", lambda _ctx: None, 60, None)
    stage = Stage(database, (work,))
    run_id = stage.enqueue()
    as_read = stage.run(run_id)
    with database.write() as session:
        queue.cancel(session, "house")
    lease = claims.Lease("worker", stage.now(), stage.now() + 30)
    with database.write() as session:
        assert not claims.claim(session, as_read, lease, 60)


def test_only_one_of_two_gets_a_run(database: Database) -> None:
    work: Workflow[None] = Workflow("work")
    work.steps["build"] = Step("build", lambda _ctx: None, 60, None)
    stage = Stage(database, (work,))
    run_id = stage.enqueue()
    readers = [stage.run(run_id), stage.run(run_id)]
    taken = []
    for reader in readers:
        lease = claims.Lease("worker", stage.now(), stage.now() + 30)
        with database.write() as session:
            taken.append(claims.claim(session, reader, lease, 60))
    assert taken == [True, False]


def test_a_lease_is_renewed_only_while_the_run_is_carried(database: Database) -> None:
    work: Workflow[None] = Workflow("work")
    work.steps["build"] = Step("build", lambda _ctx: None, 60, None)
    stage = Stage(database, (work,))
    run_id = stage.enqueue()
    worker = stage.worker()
    run, _seconds = worker.next()
    assert run is not None
    stage.now.time += 20
    worker._leases.renew()
    renewed = stage.now() + 30
    assert stage.run(run_id).lease_until == renewed
    stage.now.time += 75
    worker._leases.renew()
    assert stage.run(run_id).lease_until == renewed, "it hangs past its deadline: another may look at it"
    stage.now.time -= 60
    worker._leases.discard(run)
    worker._leases.renew()
    assert stage.run(run_id).lease_until == renewed, "nobody carries it"


def test_waiting_rows_of_others_do_not_hide_a_due_one(database: Database) -> None:
    work: Workflow[None] = Workflow("work")
    work.steps["build"] = Step("build", lambda _ctx: Wait(500, "building"), 3600, None)
    stage = Stage(database, (work,))
    for number in range(3 * claims.LOOKED_AT):
        stage.enqueue(subject=f"house {number}")
    stage.work()
    with database.write() as session:
        session.execute(update(Run).values(lease_until=stage.now() + 30).where(Run.subject != "house 40"))
    with database.read() as session:
        due = session.scalars(select(Run.id).where(Run.subject == "house 40")).one()
    stage.wake(due)
    run, _seconds = stage.worker().next()
    assert run is not None
    assert run.id == due
