"""Backups are restored in a sandbox before anybody needs them, and nothing of the sandbox is left."""

from __future__ import annotations

from types import MappingProxyType

from backing import Backing
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy.db.session import Database
from argosy.db.tables import Drill, Event, Guest
from argosy.durable import queue
from argosy.model.backups import Proof
from argosy.workflows.drill_backup import ABORTED, FAILED, PASSED
from argosy.workflows.run_drills import run_drills


class Drilling(Backing):
    """The policy has it tried; it is known to restore, and in how long."""

    def start(self, session: Session) -> None:
        self.prepared(session)
        self.complete(session)
        queue.enqueue(session, run_drills, "run_drills")

    def check(self, database: Database) -> None:
        backup = self.kept(database)
        assert backup.proof == Proof.RESTORABLE
        assert backup.proven_at is not None
        assert (backup.proven_seconds or 0.0) >= 0.0
        assert self.ended(database) == [PASSED]
        self.no_sandbox(database)
        self.no_secret_left(database)

    def ended(self, database: Database) -> list[str]:
        with database.read() as session:
            return list(session.scalars(select(Drill.state)))

    def no_sandbox(self, database: Database) -> None:
        assert self.cloud.names() == {self.instance}
        with database.read() as session:
            assert session.scalars(select(Guest.id)).all() == [self.instance]


class DrillingDamaged(Drilling):
    """A part is gone: that is certain, and told as such."""

    def start(self, session: Session) -> None:
        super().start(session)
        for key in self.objects():
            if key.endswith("/000000"):
                self.store.delete(key)

    def check(self, database: Database) -> None:
        backup = self.kept(database)
        assert backup.proof == Proof.BROKEN
        assert "000000" in backup.proof_report["fault"]
        assert self.ended(database) == [FAILED]
        assert "broken" in self.broken(database)
        self.no_sandbox(database)

    def broken(self, database: Database) -> list[str]:
        with database.read() as session:
            kinds = session.scalars(select(Event.kind).where(Event.subject == self.instance))
            return [each.removeprefix("dbaas.backup_") for each in kinds]


class DrillingOnce(Drilling):
    """It could not be restored, which may be the sandbox's fault: nothing is called broken yet."""

    refuse = MappingProxyType({"restore": "the server does not start"})

    def check(self, database: Database) -> None:
        assert self.kept(database).proof == Proof.UNPROVEN
        assert self.ended(database) == [FAILED]
        self.no_sandbox(database)


class DrillingTwice(DrillingDamaged):
    """The second time in a row it is."""

    refuse = MappingProxyType({"examine": "table t: the checksum differs"})

    def start(self, session: Session) -> None:
        Drilling.start(self, session)
        before = Drill(id="d", backup_id=self.backup, project_id="p", instance_id=self.instance)
        before.state, before.started, before.ended = FAILED, 1.0, 2.0
        session.add(before)

    def check(self, database: Database) -> None:
        backup = self.kept(database)
        assert backup.proof == Proof.BROKEN
        assert backup.proof_report == {"fault": "table t: the checksum differs"}
        assert self.ended(database).count(FAILED) == 2
        assert "broken" in self.broken(database)
        self.no_sandbox(database)


class DrillingWithoutRoom(Drilling):
    """No sandbox can be made: nothing is learnt of the backup, and it is said so."""

    def start(self, session: Session) -> None:
        super().start(session)
        self.cloud.room = 0

    def check(self, database: Database) -> None:
        assert self.kept(database).proof == Proof.UNPROVEN
        assert self.ended(database) == [ABORTED]
        self.no_sandbox(database)


EVERY = (Drilling, DrillingDamaged, DrillingOnce, DrillingTwice, DrillingWithoutRoom)
