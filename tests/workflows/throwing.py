"""Guests without an instance: what a run could not take away is found by its row."""

from __future__ import annotations

from typing import Any

from scenario import TEMPLATE, Scenario
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy.db.session import Database
from argosy.db.tables import Backup, Guest, Instance, Run, Snapshot, Undo
from argosy.durable import queue
from argosy.guest import enrolment
from argosy.providers.base import Source
from argosy.testing.fakes import FakeProvider
from argosy.workflows import snapshots, watch

LEFT, AT_WORK, KEPT, UNDO, STRANGE = (f"00000000-0000-4000-8000-00000000000{number}" for number in range(1, 6))


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


class SweepingSnapshots(Scenario):
    """One that an ended run has left goes. What a backup or an undo is kept in stays, and what no row knows at all."""

    def start(self, session: Session) -> None:
        instance = self.standing(session)
        instance_id, provider = instance.id, FakeProvider(self.cloud)
        over, sweeping = queue.enqueue(session, watch.watch, "over"), queue.enqueue(session, watch.sweep, "sweep")
        over.state = "failed"
        queue.locks.release(session, over.id)
        for name, run in ((LEFT, over), (AT_WORK, sweeping), (KEPT, over), (UNDO, over)):
            snapshots.expect(session, name, instance_id, run.id)
        for name in (LEFT, AT_WORK, KEPT, UNDO, STRANGE):
            provider.volumes.snapshot(instance_id, name)
        session.add(backup(instance, snapshot=KEPT))
        session.add(Undo(instance_id=instance_id, id=UNDO, reason="", version_id="", created=0.0, until=9e9))

    def check(self, database: Database) -> None:
        assert set(self.cloud.snapshots) == {AT_WORK, KEPT, UNDO, STRANGE}
        with database.read() as session:
            assert set(session.scalars(select(Snapshot.id))) == {AT_WORK, KEPT, UNDO}


def backup(instance: Instance, **values: Any) -> Backup:
    """A row of a complete one."""
    told = {"id": instance.id, "instance_id": instance.id, "project_id": instance.project_id, "name": "b"}
    return Backup(**told, version_id=instance.version_id, state="COMPLETED", created=0.0, updated=0.0, **values)


EVERY = (SweepingThrowaways, SweepingSnapshots)
