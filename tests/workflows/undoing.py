"""Data that are made others in place, and made what they were again: nothing is lost on the way, and nothing left."""

from __future__ import annotations

from types import MappingProxyType

from backing import DATA, Backing
from scenario import CALLER
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy.db.session import Database
from argosy.db.tables import Instance, Snapshot, Undo
from argosy.durable import queue
from argosy.model.status import Task, status
from argosy.testing.fakes import FakeProvider
from argosy.workflows import delete_instance, restore_in_place, servers, snapshots, undo_change, undos
from argosy.workflows.restoring import Restore

NOW, BEFORE = "what it is now", "what it was once"
OLDER, NEWER = {"backup_id": "older"}, {"backup_id": "newer"}


class RestoringInPlace(Backing):
    """Its data become the backup's, under the same address; what they were is kept."""

    def start(self, session: Session) -> None:
        self.cloud.contents[self.prepared(session).id] = NOW
        self.complete(session)
        self.ask(session)

    def ask(self, session: Session) -> None:
        instance = session.get_one(Instance, self.instance)
        restore_in_place.admit(session, CALLER, instance, Restore(self.backup))

    def meanwhile(self, database: Database) -> None:
        """Guests work with the volume that they find."""
        self.data = {name: text.encode() for name, text in self.cloud.contents.items()}
        super().meanwhile(database)
        self.cloud.contents.update({name: data.decode() for name, data in self.data.items()})

    def check(self, database: Database) -> None:
        self.settled(database, DATA.decode(), generation=2)
        [undo] = self.undos(database)
        assert self.cloud.snapshots == {undo.id: NOW}
        assert (self.row(database).restored_from or {})["backup_id"] == self.backup

    def settled(self, database: Database, holds: str, *, generation: int) -> None:
        row = self.row(database)
        assert self.cloud.contents[row.id] == holds
        assert (status(servers.facts(row)), row.fault, row.generation) == ("ACTIVE", None, generation)
        assert self.cloud.servers[row.id].generation == generation
        assert self.cloud.stopped == set()
        with database.read() as session:
            assert set(session.scalars(select(Snapshot.id))) == set(self.cloud.snapshots)
        self.each_command_once()
        self.no_secret_left(database)

    def undos(self, database: Database) -> list[Undo]:
        with database.read() as session:
            return list(undos.of(session, self.instance))


class RestoringACopyInPlace(RestoringInPlace):
    """The pool still has the backup: nothing is read from the store."""

    def start(self, session: Session) -> None:
        self.cloud.contents[self.prepared(session).id] = NOW
        backup = self.complete(session)
        backup.snapshot, backup.manifest = backup.id, ""
        self.cloud.snapshots[backup.id] = DATA.decode()
        snapshots.expect(session, backup.id, self.instance, "")
        self.ask(session)

    def check(self, database: Database) -> None:
        self.settled(database, DATA.decode(), generation=2)
        [undo] = self.undos(database)
        assert self.cloud.snapshots == {undo.id: NOW, self.backup: DATA.decode()}


class RestoringInPlaceInVain(RestoringInPlace):
    """The backup cannot be read: the instance is what it was, and says why."""

    refuse = MappingProxyType({"restore": "part 000000 is damaged"})

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert (self.cloud.contents[row.id], self.cloud.snapshots) == (NOW, {})
        assert (status(servers.facts(row)), row.generation, row.restored_from) == ("ACTIVE", 3, None)
        assert "part 000000 is damaged" in (row.fault or "")
        assert self.undos(database) == []


class RestoringWhatIsGoneInPlace(RestoringInPlaceInVain):
    """It was deleted from the store behind our back. Seen before anybody notices anything."""

    refuse = MappingProxyType({})

    def ask(self, session: Session) -> None:
        super().ask(session)
        self.store.delete_prefix(f"database_backups/p/{self.backup}/")

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert "not in the store" in (row.fault or "")
        assert (status(servers.facts(row)), row.generation) == ("ACTIVE", 1)
        assert (self.cloud.contents[self.instance], self.cloud.snapshots) == (NOW, {})
        assert self.undos(database) == []


class DeletingWhileRestoringInPlace(RestoringInPlace):
    """Nothing is left, and no copy of it either."""

    def meanwhile(self, database: Database) -> None:
        with database.write() as session:
            delete_instance.admit(session, CALLER, session.get_one(Instance, self.instance))
        super().meanwhile(database)

    def check(self, database: Database) -> None:
        assert self.row(database).deleted
        assert (self.cloud.names(), self.cloud.snapshots) == (set(), {})
        assert self.undos(database) == []


class Undoing(RestoringInPlace):
    """Back to what was kept. What it was until then is kept in its turn."""

    def start(self, session: Session) -> None:
        instance = self.prepared(session)
        self.keep(session, instance)
        undo_change.admit(session, CALLER, instance)

    def keep(self, session: Session, instance: Instance, until: float = 9e9) -> None:
        provider = FakeProvider(self.cloud)
        self.cloud.contents[instance.id] = BEFORE
        snapshots.expect(session, instance.id, instance.id, "")
        provider.volumes.snapshot(instance.id, instance.id)
        told = {"reason": "restored", "version_id": instance.version_id, "restored_from": OLDER}
        session.add(Undo(instance_id=instance.id, id=instance.id, created=0.0, until=until, **told))
        session.flush()
        self.cloud.contents[instance.id] = NOW
        instance.restored_from = NEWER

    def check(self, database: Database) -> None:
        self.settled(database, BEFORE, generation=2)
        [undo] = self.undos(database)
        assert self.cloud.snapshots == {undo.id: NOW}
        assert (undo.restored_from, self.row(database).restored_from) == (
            NEWER,
            OLDER,
        )


class UndoingTwice(Undoing):
    """Back, and forth again."""

    def meanwhile(self, database: Database) -> None:
        super().meanwhile(database)
        with database.write() as session:
            instance = session.get_one(Instance, self.instance)
            if (
                instance.task == Task.NONE
                and instance.generation == 2
                and not queue.locks.holders(session, instance.id)
            ):
                undo_change.admit(session, CALLER, instance)

    def check(self, database: Database) -> None:
        self.settled(database, NOW, generation=3)
        [undo] = self.undos(database)
        assert self.cloud.snapshots == {undo.id: BEFORE}


class UndoingInVain(Undoing):
    """The server does not start over them, once: it stays what it is, and what was kept stays kept."""

    refuse = MappingProxyType({"rebuild": "could not read pg_control"})

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert (self.cloud.contents[row.id], self.cloud.snapshots) == (NOW, {row.id: BEFORE})
        assert "pg_control" in (row.fault or "")
        assert [each.id for each in self.undos(database)] == [row.id]


class ExpiringUndos(Undoing):
    """What was kept long enough goes; what is still to be kept stays."""

    def start(self, session: Session) -> None:
        instance = self.prepared(session)
        self.keep(session, instance, until=1.0)
        later = Undo(instance_id=instance.id, id="later", created=0.0, until=9e9, reason="", version_id="")
        session.add(later)
        queue.enqueue(session, undo_change.expire_undos, "expire_undos")

    def check(self, database: Database) -> None:
        assert self.cloud.snapshots == {}
        assert [each.id for each in self.undos(database)] == ["later"]


EVERY = (
    RestoringInPlace,
    RestoringACopyInPlace,
    RestoringInPlaceInVain,
    RestoringWhatIsGoneInPlace,
    DeletingWhileRestoringInPlace,
    Undoing,
    UndoingTwice,
    UndoingInVain,
    ExpiringUndos,
)
