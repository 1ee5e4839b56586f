"""The control database away or breaking off, in the middle of anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from building import count, counted
from sqlalchemy import exc
from sqlalchemy.orm import Session
from stage import Stage

from argosy.db.session import Database
from argosy.durable.workflow import Context, Outcome, Workflow


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
