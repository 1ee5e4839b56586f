"""What is protected, is deleted, and comes back or goes for good."""

from __future__ import annotations

from types import MappingProxyType

from scenario import CALLER, Scenario
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.session import Database
from argosy.db.tables import Backup, Guest, Instance
from argosy.durable import queue
from argosy.model.status import Facts, Task, status
from argosy.workflows import bring_back_instance, delete_instance, end_quarantines, quarantine_instance

DAY = 86_400.0


class Quarantining(Scenario):
    """No server, no port, no quota, and the volume as it was; a sweep leaves it there."""

    def start(self, session: Session) -> None:
        instance = self.standing(session)
        instance.protected, instance.tags = True, {"team": "blue"}
        quarantine_instance.admit(session, self.settings, CALLER, instance, final_backup=False)

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert row.deleted
        assert clock.now() + 2 * DAY < (row.quarantined_until or 0.0) < clock.now() + 4 * DAY
        assert set(self.cloud.volumes) == {self.instance}
        assert not self.cloud.servers
        assert not self.cloud.ports
        assert set(self.held(database).values()) == {0}
        with database.read() as session:
            assert session.scalars(select(Guest)).all() == []


class BringingBack(Scenario):
    """Built over its data by another generation, and paid for again."""

    def start(self, session: Session) -> None:
        instance = self.quarantined(session)
        bring_back_instance.admit(session, self.settings, CALLER, instance)

    def quarantined(self, session: Session) -> Instance:
        """An instance as its quarantine leaves it."""
        instance = self.standing(session)
        delete_instance.release(session, instance)
        instance.deleted, instance.deleted_at = True, clock.now()
        instance.quarantined_until, instance.tags = clock.now() + DAY, {"team": "blue"}
        session.delete(session.get_one(Guest, instance.id))
        self.cloud.servers.clear()
        self.cloud.ports.clear()
        session.flush()
        return instance

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert (row.deleted, row.quarantined_until, row.generation) == (False, None, 2)
        assert status(Facts(row.task)) == "ACTIVE"
        assert row.fault is None
        assert self.held(database)["instances"] == 1
        assert self.cloud.names() == {self.instance}


class BringingBackInVain(BringingBack):
    """The data are there, and why they are of no use is told."""

    refuse = MappingProxyType({"rebuild": "the files are not whole"})

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert (row.deleted, row.task) == (False, Task.ERROR)
        assert row.fault == "the files are not whole"
        assert set(self.cloud.volumes) == {self.instance}


class Ending(BringingBack):
    """What nobody wanted back goes: instances and backups."""

    def start(self, session: Session) -> None:
        self.quarantined(session).quarantined_until = clock.now() - 1
        now = clock.now()
        for name, until in (("over", now - 1), ("waits", now + DAY), ("alive", None)):
            row = Backup(id=name, project_id="p", instance_id=self.instance, name=name, version_id="v")
            row.state, row.created, row.updated, row.finished = "COMPLETED", now, now, now
            row.quarantined_until, row.quota_held = until, False
            session.add(row)
        queue.enqueue(session, end_quarantines.end_quarantines, "end_quarantines")

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert (row.deleted, row.quarantined_until) == (True, None)
        assert self.cloud.names() == set()
        assert set(self.held(database).values()) == {0}
        with database.read() as session:
            assert set(session.scalars(select(Backup.id))) == {"waits", "alive"}


EVERY = (Quarantining, BringingBack, BringingBackInVain, Ending)
