"""How runs are carried: on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from building import count, counted
from sqlalchemy import event, exc, select, update
from sqlalchemy.orm import Session
from stage import Stage

from argosy import errors
from argosy.db.session import Database
from argosy.db.tables import Fact, Lock, Run
from argosy.durable import claims, moves, queue
from argosy.durable.workflow import Context, Outcome, Step, Wait, Workflow


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


def test_a_deadlock_is_another_try(database: Database) -> None:
    work: Workflow[None] = Workflow("work")
    tries: list[int] = []

    def unlucky(session: Session) -> None:
        tries.append(1)
        count(session, "written")
        if len(tries) == 1:
            raise exc.OperationalError("deadlock", None, Exception())

    @work.step()
    def build(ctx: Context[None]) -> Outcome:
        ctx.record(unlucky)
        return None

    stage = Stage(database, (work,))
    run_id = stage.enqueue()
    stage.work()
    stage.now.time += 1
    stage.work()
    assert (stage.run(run_id).state, counted(database, "written")) == ("done", 1)


def test_a_commit_whose_answer_was_lost_is_not_made_again(database: Database) -> None:
    """The connection breaks in COMMIT: it has happened, and the worker is told that it has not."""
    work: Workflow[None] = Workflow("work")

    @work.step()
    def build(ctx: Context[None]) -> Outcome:
        ctx.record(lambda session: count(session, "written"))
        return None

    @work.step()
    def finish(ctx: Context[None]) -> Outcome: ...

    broken = BreaksAfter(database, commits=2)
    stage = Stage(broken, (work,))
    run_id = stage.enqueue()
    broken.commits = 2
    stage.work()
    assert counted(database, "written") == 1
    stage.now.time += 60
    stage.work()
    assert (stage.run(run_id).state, counted(database, "written")) == ("done", 1)
    assert [step.state for step in stage.steps(run_id)] == ["done", "done"]


class BreaksAfter(Database):
    """Tells that a commit failed which has happened: the n-th from now."""

    def __init__(self, database: Database, commits: int) -> None:
        super().__init__(database.url.render_as_string(hide_password=False))
        self.engine, self._writing = database.engine, database._writing
        self.commits = commits

    @contextmanager
    def write(self) -> Iterator[Session]:
        with super().write() as session:
            yield session
        self.commits -= 1
        if self.commits == 0:
            raise exc.OperationalError("COMMIT", None, ConnectionError("server closed the connection"))


def test_a_claim_whose_answer_was_lost_is_given_back(database: Database) -> None:
    work: Workflow[None] = Workflow("work")

    @work.step()
    def build(ctx: Context[None]) -> Outcome: ...

    stage = Stage(BreaksAfter(database, commits=2), (work,))
    run_id = stage.enqueue()
    with pytest.raises(exc.OperationalError):
        stage.worker().run_once()
    assert stage.run(run_id).worker is None
    stage.now.time += 1
    stage.work()
    assert stage.run(run_id).state == "done"


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


def test_a_database_that_is_away_for_a_look_is_another_try(database: Database) -> None:
    work: Workflow[None] = Workflow("work")
    away = [True]

    @work.step()
    def build(_ctx: Context[None]) -> Outcome:
        if away.pop() if away else False:
            raise exc.OperationalError("SELECT", None, ConnectionError())
        return None

    stage = Stage(database, (work,))
    run_id = stage.enqueue()
    stage.work()
    assert stage.run(run_id).note == "the control database does not answer"
    stage.now.time += 1
    stage.work()
    assert stage.run(run_id).state == "done"


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
