"""Guests without an instance: what a run could not take away is found by its row."""

from __future__ import annotations

from scenario import TEMPLATE, Scenario
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy.db.session import Database
from argosy.db.tables import Guest, Run
from argosy.durable import queue
from argosy.guest import enrolment
from argosy.providers.base import Source
from argosy.testing.fakes import FakeProvider
from argosy.workflows import watch

LEFT, AT_WORK = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


class SweepingThrowaways(Scenario):
    """The run of one has ended, however that came about, and goes; the run of the other still needs it."""

    def start(self, session: Session) -> None:
        over = queue.enqueue(session, watch.watch, "over")
        over.state = "failed"
        queue.locks.release(session, over.id)
        for guest, run in ((LEFT, over), (AT_WORK, queue.enqueue(session, watch.sweep, "sweep"))):
            enrolment.expect(session, guest, 1).run_id = run.id
            FakeProvider(self.cloud).volumes.ensure(guest, 1, Source(template=TEMPLATE))
            self.cloud.ports[guest] = "127.9.9.9"

    def check(self, database: Database) -> None:
        assert self.cloud.names() == {AT_WORK}
        with database.read() as session:
            assert session.scalars(select(Guest.id)).all() == [AT_WORK]
            assert session.scalar(select(Run.state).where(Run.subject == "sweep")) == "done"


EVERY = (SweepingThrowaways,)
