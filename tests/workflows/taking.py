"""Backups that are taken: whole, built upon another, in vain, given up."""

from __future__ import annotations

from contextlib import suppress
from types import MappingProxyType

from backing import DATA, Backing
from scenario import CALLER
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from argosy import errors
from argosy.db import project_keys
from argosy.db.session import Database
from argosy.db.tables import Backup, Command, Instance, ProjectKey
from argosy.guest import mailbox
from argosy.model import wire
from argosy.model.backups import State
from argosy.model.status import Facts, status
from argosy.workflows import (
    create_backup,
    delete_instance,
    reset_status,
    restoring,
)


class BackingUp(Backing):
    def start(self, session: Session) -> None:
        self.prepared(session)
        self.wanted(session)
        with self.store.create(f"database_backups/p/{self.backup}/anothers/000000") as out:
            out.write(b"what a killed attempt left")

    def check(self, database: Database) -> None:
        self.require_kept(database)
        assert self.held(database)["backups"] == 1
        assert self.told(database) == ["create.start", "create.end"]
        self.each_command_once()
        self.no_secret_left(database)


class BackingUpInVain(Backing):
    """The tool fails: its own words are the fault, the instance is what it was, and the quota is still held."""

    refuse = MappingProxyType({"backup": "pg_basebackup: error: no space left on device"})

    def start(self, session: Session) -> None:
        self.prepared(session)
        self.wanted(session)

    def check(self, database: Database) -> None:
        self.require_failed(database, "no space left")
        assert status(Facts(self.row(database).task)) == "ACTIVE"
        assert self.row(database).fault is None
        assert self.held(database)["backups"] == 1
        self.no_secret_left(database)


class Lying(BackingUp):
    """The guest says that all is written, and a part of it is not there."""

    def meanwhile(self, database: Database) -> None:
        super().meanwhile(database)
        for key in self.objects():
            if key.endswith("/000000"):
                self.store.delete(key)

    def check(self, database: Database) -> None:
        self.require_failed(database, "part 000000 is missing")


class Adding(Backing):
    """What changed since another backup: the guest is told where that one stands."""

    def start(self, session: Session) -> None:
        self.prepared(session)
        self.parent = self.complete(session).id
        self.wanted(session, parent_id=self.parent)

    def check(self, database: Database) -> None:
        self.require_kept(database)
        links = restoring.examine(self.settings, database, self.kept(database))
        assert [each.manifest.backup for each in links] == [self.parent, self.backup]
        assert links[-1].manifest.position["since"] == len(DATA)


class AddingToWhatIsAnothers(Backing):
    """The guest cannot build on the last backup: everything is taken, as nobody named that one."""

    def start(self, session: Session) -> None:
        self.prepared(session)
        self.parent = self.complete(session).id
        self.wanted(session, incremental=True)
        assert session.get_one(Backup, self.backup).parent_id == self.parent

    def meanwhile(self, database: Database) -> None:
        with database.write() as session:
            for command in session.scalars(select(Command).where(Command.answered.is_(False))):
                if (command.arguments or {}).get("since"):
                    words = "the data are of another history: take a full backup"
                    mailbox.answer(session, command.guest_id, wire.Answer(command.id, None, words, "rejected"))
        super().meanwhile(database)

    def check(self, database: Database) -> None:
        self.require_kept(database)
        backup = self.kept(database)
        assert (backup.parent_id, backup.strategy) == (None, "basebackup")
        (link,) = restoring.examine(self.settings, database, backup)
        assert link.manifest.position["since"] is None


class AddingToWhatNobodyOpens(Backing):
    """The project's key is lost: that is said at once, as a restore would, and nobody reads anything."""

    def start(self, session: Session) -> None:
        self.prepared(session)
        self.parent = self.complete(session).id
        self.lose_first_key(session)
        self.build(session)

    def lose_first_key(self, session: Session) -> None:
        session.execute(delete(ProjectKey).where(ProjectKey.number == 1))
        for key in list(self.store.list("database_backups/p/keys/1-")):
            self.store.delete(key)

    def build(self, session: Session) -> None:
        self.wanted(session, parent_id=self.parent)

    def check(self, database: Database) -> None:
        self.require_failed(database, f"The backup {self.parent} cannot be opened: key 1 of project p is not in")
        assert self.asked == {}


class AddingToWhatBuildsOnThat(AddingToWhatNobodyOpens):
    """The last one can be opened, and what it builds on cannot: its key is an older one."""

    def start(self, session: Session) -> None:
        self.prepared(session)
        full = self.complete(session)
        project_keys.rotate(session, "p")
        self.parent = self.complete(session, parent_id=full.id).id
        self.lose_first_key(session)
        self.build(session)


class TakingEverythingInstead(AddingToWhatNobodyOpens):
    """Nobody has named what to build on."""

    def build(self, session: Session) -> None:
        self.wanted(session, incremental=True)
        assert session.get_one(Backup, self.backup).parent_id == self.parent

    def check(self, database: Database) -> None:
        self.require_kept(database)
        backup = self.kept(database)
        assert (backup.parent_id, backup.strategy) == (None, "basebackup")
        self.each_command_once()


class CancellingBackup(Backing):
    """Its owner does not want it any more, while the guest writes."""

    def start(self, session: Session) -> None:
        self.prepared(session)
        self.wanted(session)

    def meanwhile(self, database: Database) -> None:
        """The guest has begun to write, and goes on until it hears of it."""
        with database.write() as session:
            self.cross(session)
            pending = session.scalars(
                select(Command).where(Command.answered.is_(False), Command.verb == "backup")
            ).all()
        if any(not each.cancelled for each in pending):
            with suppress(errors.Conflict), self.store.create(f"database_backups/p/{self.backup}/begun/000000") as out:
                out.write(b"begun")
        else:
            super().meanwhile(database)

    def cross(self, session: Session) -> None:
        backup = session.get_one(Backup, self.backup)
        if backup.state == State.BUILDING:
            create_backup.cancel(session, backup)

    def check(self, database: Database) -> None:
        self.require_failed(database, "cancelled")
        assert status(Facts(self.row(database).task)) == "ACTIVE"


class DeletingWhileBackingUp(CancellingBackup):
    """The instance goes: what was being taken of it leaves nothing."""

    def cross(self, session: Session) -> None:
        delete_instance.admit(session, CALLER, session.get_one(Instance, self.instance))

    def check(self, database: Database) -> None:
        assert self.row(database).deleted
        self.require_failed(database, "cancelled")


class ResettingWhileBackingUp(CancellingBackup):
    """An administrator puts an end to whatever is being done."""

    def cross(self, session: Session) -> None:
        if session.get_one(Backup, self.backup).state == State.BUILDING:
            reset_status.admit(session, CALLER, session.get_one(Instance, self.instance))

    def check(self, database: Database) -> None:
        self.require_failed(database, "")


EVERY = (
    BackingUp,
    BackingUpInVain,
    Lying,
    Adding,
    AddingToWhatIsAnothers,
    AddingToWhatNobodyOpens,
    AddingToWhatBuildsOnThat,
    TakingEverythingInstead,
    CancellingBackup,
    DeletingWhileBackingUp,
    ResettingWhileBackingUp,
)
