"""Backups that are read from a copy of the volume: of one moment, beside the instance, with nothing left behind."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from backing import DATA, Backing
from scenario import CALLER
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy.db.session import Database
from argosy.db.tables import Backup, Command, Guest, Instance, Snapshot
from argosy.model.backups import Proof, State
from argosy.model.status import Facts, status
from argosy.testing.fakes import FakeGuests
from argosy.workflows import create_backup, delete_backup, delete_instance, drill_backup, restart_instance

LATER = "what was written after the copy was taken"


class ReadingCopy(Backing):
    """The helper reads what was there when the engine stood still, whatever is written meanwhile."""

    more: Mapping[str, Any] = MappingProxyType({"strategy": "snapshot"})
    broken_holds = 0
    """how many holds end before they are released"""
    rejects = frozenset[str]()
    """what the guest does not know how to do"""

    def start(self, session: Session) -> None:
        self.cloud.contents[self.prepared(session).id] = DATA.decode()
        self.wanted(session, **self.more)

    def meanwhile(self, database: Database) -> None:
        self.write_on(database)
        self.data = {name: text.encode() for name, text in self.cloud.contents.items()}
        with database.read() as session:
            turns = len(session.scalars(select(Command.id).where(Command.verb == "release")).all())
        early = {"release": "not held throughout"} if turns <= self.broken_holds else {}
        refuse = {**self.refuse, **early, **dict.fromkeys(self.rejects, "it is older than that")}
        FakeGuests(database, self.asked, refuse, self.store, self.data, self.rejects.union(early)).answer_all()

    def write_on(self, database: Database) -> None:
        """Only a server that was let go of writes."""
        with database.read() as session:
            released = session.scalar(select(Command.id).where(Command.verb == "release", Command.answered))
        if released:
            self.cloud.contents[self.instance] = LATER

    def check(self, database: Database) -> None:
        self.require_kept(database)
        assert self.told(database) == ["create.start", "create.end"]
        self.nothing_left(database)
        self.each_command_once()

    def nothing_left(self, database: Database) -> None:
        """But the instance, and what is in the store."""
        assert self.cloud.names() == {self.instance}
        assert self.cloud.snapshots == {}
        with database.read() as session:
            assert session.scalars(select(Guest.id)).all() == [self.instance]
            assert session.scalars(select(Snapshot.id)).all() == []
        assert status(Facts(self.row(database).task)) == "ACTIVE"


class ReadingCopyOfOlderGuest(ReadingCopy):
    """Its server is held still all the same."""

    rejects = frozenset({"flush"})


class RestartingWhileItIsRead(ReadingCopy):
    """Once the copy is there the instance is free for anything else."""

    restarted = False

    def meanwhile(self, database: Database) -> None:
        with database.write() as session:
            backup = session.get_one(Backup, self.backup)
            if not self.restarted and self.cloud.snapshots and self.cloud.names() != {self.instance}:
                restart_instance.admit(session, CALLER, session.get_one(Instance, self.instance))
                self.restarted = backup.state == State.BUILDING
        super().meanwhile(database)

    def check(self, database: Database) -> None:
        super().check(database)
        assert self.restarted


class ReadingCopyAgain(ReadingCopy):
    """Twice the engine was let go of too early: what was copied then counts for nothing."""

    broken_holds = 2

    def write_on(self, database: Database) -> None:
        """Writing goes on between the copies that do not count, and stops for the one that does."""


class ReadingCopyInVain(ReadingCopy):
    """The engine can never be held for long enough."""

    broken_holds = 100

    def write_on(self, database: Database) -> None:
        """It does not matter."""

    def check(self, database: Database) -> None:
        self.require_failed(database, "could not be held still")
        self.nothing_left(database)


class HelpingInVain(ReadingCopy):
    """The helper cannot write what it reads."""

    refuse = MappingProxyType({"backup": "no space left on device"})

    def check(self, database: Database) -> None:
        self.require_failed(database, "no space left")
        self.nothing_left(database)


class CancellingCopy(ReadingCopy):
    """Its owner does not want it any more, at whatever moment."""

    def meanwhile(self, database: Database) -> None:
        with database.write() as session:
            backup = session.get_one(Backup, self.backup)
            if backup.state == State.BUILDING:
                create_backup.cancel(session, backup)
        super().meanwhile(database)

    def check(self, database: Database) -> None:
        self.require_failed(database, "cancelled")
        self.nothing_left(database)


class KeepingCopy(ReadingCopy):
    """Trove's storage driver `cinder`: the copy stays on the pool and is the backup. The store has nothing of it."""

    more = MappingProxyType({"storage_driver": "cinder"})

    def check(self, database: Database) -> None:
        backup = self.kept(database)
        assert (backup.state, backup.location) == (State.COMPLETED, f"cinder://{backup.snapshot}")
        assert self.cloud.snapshots == {backup.snapshot: DATA.decode()}
        assert self.objects() == []
        assert self.cloud.names() == {self.instance}


class DeletingCopy(KeepingCopy):
    """It goes with the backup, whose instance is gone by then."""

    def meanwhile(self, database: Database) -> None:
        super().meanwhile(database)
        with database.write() as session:
            backup = session.get(Backup, self.backup)
            instance = session.get_one(Instance, self.instance)
            if backup is not None and backup.state == State.COMPLETED:
                delete_instance.admit(session, CALLER, instance)
            if backup is not None and instance.deleted:
                delete_backup.admit(session, self.settings, backup)

    def check(self, database: Database) -> None:
        assert (self.cloud.names(), self.cloud.snapshots) == (set(), {})
        with database.read() as session:
            assert session.get(Backup, self.backup) is None
            assert session.scalars(select(Snapshot.id)).all() == []


class DrillingCopy(KeepingCopy):
    """It can be proven too: in a sandbox over a copy of it."""

    def meanwhile(self, database: Database) -> None:
        super().meanwhile(database)
        with database.write() as session:
            backup = session.get_one(Backup, self.backup)
            if backup.state == State.COMPLETED and backup.proof == Proof.UNPROVEN:
                drill_backup.admit(session, backup)

    def check(self, database: Database) -> None:
        super().check(database)
        assert self.kept(database).proof == Proof.RESTORABLE


EVERY = (
    ReadingCopy,
    ReadingCopyOfOlderGuest,
    RestartingWhileItIsRead,
    ReadingCopyAgain,
    ReadingCopyInVain,
    HelpingInVain,
    CancellingCopy,
    KeepingCopy,
    DeletingCopy,
    DrillingCopy,
)
