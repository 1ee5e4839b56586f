"""Instances that begin as a backup of another."""

from __future__ import annotations

from backing import DATA, Backing
from scenario import CALLER
from sqlalchemy.orm import Session

from argosy.db.session import Database
from argosy.db.tables import Backup
from argosy.model.status import Facts, status
from argosy.workflows import (
    backup_rows,
    create_instance,
)
from argosy.workflows.restoring import Restore


class Restoring(Backing):
    """A new instance begins as the backup of another, and is no other's."""

    def start(self, session: Session) -> None:
        self.prepared(session)
        self.complete(session)
        self.origin = self.instance
        self.complete(session, parent_id=self.backup)
        self.restored(session)

    def restored(self, session: Session) -> None:
        new = create_instance.NewInstance("m2", "1", 2, self.offer(session), "RegionOne", restore=Restore(self.backup))
        self.instance = create_instance.admit(session, self.settings, CALLER, new).instance.id

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert status(Facts(row.task)) == "ACTIVE"
        assert row.restored_from is not None
        assert row.restored_from["backup_id"] == self.backup
        assert self.data[self.instance] == 2 * DATA
        assert self.data[self.origin] == DATA
        self.each_command_once()
        self.no_secret_left(database)


class RestoringInVain(Restoring):
    """A backup that was damaged after it was asked for: the instance says so, and nothing of it runs."""

    def start(self, session: Session) -> None:
        super().start(session)
        place = backup_rows.place(session.get_one(Backup, self.backup))
        self.store.delete(f"{place}a/000000")

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert status(Facts(row.task)) == "ERROR"
        assert "000000 is missing" in (row.fault or "")
        assert self.instance not in self.data


EVERY = (
    Restoring,
    RestoringInVain,
)
