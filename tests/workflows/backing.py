"""What scenarios of backups begin with: data, a store whose changes are points, and what is left in it."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from scenario import CALLER, Scenario
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy.db import project_keys
from argosy.db.session import Database
from argosy.db.tables import Backup, Event, Instance, Run
from argosy.durable import queue
from argosy.model.backups import Key, Manifest, Part, State
from argosy.settings import Settings
from argosy.stores import archive, chains, deployment, keys
from argosy.stores.base import StoreRefused
from argosy.testing.crashes import Passes
from argosy.testing.fakes import FakeGuests
from argosy.workflows import (
    backup_rows,
    create_backup,
    restoring,
)
from argosy.workflows.new_backups import NewBackup
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
        links = restoring.examine(self.settings, database, backup)
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
