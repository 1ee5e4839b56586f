"""Backups: taken, built upon, given up, restored and deleted; nothing half visible, nothing left behind."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, BinaryIO

from scenario import CALLER, Scenario
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db import project_keys
from argosy.db.session import Database
from argosy.db.tables import Backup, Command, Event, Instance, Run
from argosy.durable import queue
from argosy.guest import mailbox
from argosy.model import wire
from argosy.model.backups import Key, Manifest, Part, State
from argosy.model.status import Facts, status
from argosy.settings import Settings
from argosy.stores import archive, chains, deployment, keys
from argosy.stores.base import StoreRefused
from argosy.testing.crashes import Passes
from argosy.testing.fakes import FakeGuests
from argosy.workflows import (
    backup_rows,
    create_backup,
    create_instance,
    delete_backup,
    delete_instance,
    reset_status,
    restoring,
)
from argosy.workflows.new_backups import NewBackup
from argosy.workflows.restoring import Restore
from argosy.workflows.world import World

DATA = b"all that the instance holds"


class Points:
    """A store whose changes are points."""

    def __init__(self, store: Any, passes: Passes) -> None:
        self._store, self._passes = store, passes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def create(self, key: str) -> Iterator[BinaryIO]:
        self._passes("before store.create")
        with self._store.create(key) as out:
            yield out
        self._passes("after store.create")

    def delete(self, key: str) -> None:
        self._passes("before store.delete")
        self._store.delete(key)
        self._passes("after store.delete")


class Refusing(Points):
    """Nothing of it can be deleted."""

    def delete(self, key: str) -> None:
        super().delete("nothing")
        raise StoreRefused(f"the object store does not let {key} be deleted")


@dataclass(frozen=True)
class Stored(World):
    stand_in: Any = None

    @property
    def store(self) -> Any:
        return self.stand_in


class Backing(Scenario):
    """An instance with data, guests that write parts to the store, and a store of its own."""

    backup = ""

    def __init__(self, settings: Settings) -> None:
        state = settings.state / uuid.uuid4().hex
        state.mkdir()
        (state / "keys").symlink_to(settings.keys)
        super().__init__(dataclasses.replace(settings, state=state))
        self.store = deployment.store(self.settings)

    def world(self, passes: Passes) -> World:
        world = super().world(passes)
        return Stored(world.settings, world.provider, stand_in=self.points(passes))

    def points(self, passes: Passes) -> Points:
        return Points(self.store, passes)

    def prepared(self, session: Session) -> Instance:
        instance = self.standing(session)
        self.data = {instance.id: DATA}
        return instance

    def meanwhile(self, database: Database) -> None:
        FakeGuests(database, self.asked, self.refuse, self.store, self.data).answer_all()

    def wanted(self, session: Session, **more: Any) -> Backup:
        new = NewBackup("b1", session.get_one(Instance, self.instance), **more)
        backup = create_backup.admit(session, self.settings, CALLER, new)
        self.backup = backup.id
        return backup

    def complete(self, session: Session, **more: Any) -> Backup:
        """One as `create_backup` leaves it, with what is in the store."""
        backup = self.wanted(session, **more)
        run = session.scalars(select(Run).where(Run.subject == backup.id)).one()
        queue.locks.release(session, run.id)
        session.delete(run)
        newest = project_keys.newest(session, backup.project_id)
        keys.publish(self.store, backup.container, newest, project_keys.wrapping())
        self._written(session, backup, newest)
        return backup

    def _written(self, session: Session, backup: Backup, project_key: keys.ProjectKey) -> None:
        key, place = bytes.fromhex(backup.data_key or ""), backup_rows.place(backup)

        def put(name: str, data: bytes | bytearray) -> None:
            with self.store.create(f"{place}a/{name}") as out:
                out.write(data)

        sealer = archive.Sealer(key, put, backup=backup.id, attempt="a")
        sealer.write(DATA)
        parent = session.get(Backup, backup.parent_id) if backup.parent_id else None
        manifest = chains.signed(_manifest(backup, parent, sealer.close().parts, project_key.seal(backup.id, key)), key)
        backup.manifest, backup.mac = chains.write(self.store, place, manifest), manifest.mac
        backup.state, backup.size, backup.position = State.COMPLETED, 0.01, {"at": len(DATA)}

    # --- what is asked at the end ---

    def kept(self, database: Database, backup_id: str = "") -> Backup:
        with database.read() as session:
            return session.get_one(Backup, backup_id or self.backup)

    def objects(self, backup_id: str = "") -> list[str]:
        """What the store has of it."""
        return [key for key in self.store.list("database_backups/p/") if (backup_id or self.backup) in key]

    def require_kept(self, database: Database) -> None:
        """The manifest says what is there, all that it says is there, and nothing besides."""
        backup = self.kept(database)
        assert (backup.state, backup.fault, backup.raw_bytes) == (State.COMPLETED, None, len(DATA))
        links = restoring.examine(self.store, database, backup)
        link, place = links[-1], backup_rows.place(backup)
        names = {f"{link.manifest.attempt}/{each.name}" for each in link.manifest.parts}
        names |= {f"{link.manifest.attempt}/parts.json", "manifest.json"}
        assert set(self.objects()) == {place + name for name in names}
        assert backup.location == f"store:///{place}manifest.json"

    def require_failed(self, database: Database, words: str) -> None:
        """It says why, and nothing of it is in the store."""
        backup = self.kept(database)
        assert backup.state == State.FAILED
        assert words in (backup.fault or "")
        assert backup.data_key is None
        assert self.objects() == []

    def told(self, database: Database) -> list[str]:
        with database.read() as session:
            kinds = session.scalars(select(Event.kind).where(Event.subject == self.backup).order_by(Event.seq)).all()
        return [each.removeprefix("dbaas.backup_") for each in kinds]


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
        links = restoring.examine(self.store, database, self.kept(database))
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
        (link,) = restoring.examine(self.store, database, backup)
        assert link.manifest.position["since"] is None


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


def _manifest(backup: Backup, parent: Backup | None, parts: tuple[Part, ...], key: Key) -> Manifest:
    return Manifest(
        backup=backup.id,
        project=backup.project_id,
        instance=backup.instance_id,
        name=backup.name,
        engine="postgresql",
        datastore="postgresql",
        version="15.18",
        strategy=backup.strategy,
        parent=parent.id if parent else "",
        parent_mac=parent.mac if parent else "",
        gigabytes=backup.gigabytes,
        created=1.0,
        finished=2.0,
        attempt="a",
        parts=parts,
        raw_bytes=len(DATA),
        stored_bytes=sum(each.bytes for each in parts),
        position={},
        canaries={},
        key=key,
    )


EVERY = (
    BackingUp,
    BackingUpInVain,
    Lying,
    Adding,
    AddingToWhatIsAnothers,
    CancellingBackup,
    DeletingWhileBackingUp,
    ResettingWhileBackingUp,
    Restoring,
    RestoringInVain,
    DeletingBackup,
    DeletingBackupInVain,
    RetryingDeletion,
)
