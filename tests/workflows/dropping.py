"""Backups that are deleted, with what builds on them; and stores that do not let them be."""

from __future__ import annotations

from backing import Backing, Points, Refusing
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.session import Database
from argosy.db.tables import Backup, Run
from argosy.durable import queue
from argosy.model.backups import State
from argosy.testing.crashes import Passes
from argosy.workflows import (
    delete_backup,
)


class DeletingBackup(Backing):
    """It takes along what builds on it, and nothing else."""

    def start(self, session: Session) -> None:
        self.prepared(session)
        self.other = self.complete(session).id
        self.parent = self.complete(session).id
        self.child = self.complete(session, parent_id=self.parent).id
        delete_backup.admit(session, self.settings, session.get_one(Backup, self.parent))

    def check(self, database: Database) -> None:
        with database.read() as session:
            assert session.scalars(select(Backup.id)).all() == [self.other]
        assert self.objects(self.parent) == self.objects(self.child) == []
        assert self.objects(self.other) != []
        assert self.held(database)["backups"] == 1


class DeletingBackupInVain(DeletingBackup):
    """The store refuses: the backup says why, nothing counts for the quota, and no child has lost its parent."""

    def points(self, passes: Passes) -> Points:
        return Refusing(self.store, passes)

    def check(self, database: Database) -> None:
        for each in (self.parent, self.child):
            backup = self.kept(database, each)
            assert (backup.state, backup.quota_held) == (State.DELETE_FAILED, False)
            assert "does not let" in (backup.fault or "")
        assert self.held(database)["backups"] == 1


class RetryingDeletion(DeletingBackup):
    """What could not be deleted is tried again by itself."""

    def start(self, session: Session) -> None:
        super().start(session)
        run = session.scalars(select(Run).where(Run.workflow == "delete_backup")).one()
        queue.locks.release(session, run.id)
        session.delete(run)
        for each in (self.parent, self.child):
            backup = session.get_one(Backup, each)
            backup.state, backup.fault, backup.updated = State.DELETE_FAILED, "no", clock.now() - 2 * 3600
        queue.enqueue(session, delete_backup.retry_deletions, "retry_deletions")


EVERY = (
    DeletingBackup,
    DeletingBackupInVain,
    RetryingDeletion,
)
