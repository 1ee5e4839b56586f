"""Logs that are archived: streams begin and end, are led on from backups, and go when they are too old."""

from __future__ import annotations

import dataclasses
import os
import uuid
from types import MappingProxyType
from typing import Any

from backing import DATA, Backing
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from scenario import CALLER
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.session import Database
from argosy.db.tables import (
    Archive,
    ArchiveFile,
    ArchiveStream,
    Backup,
    Command,
    DatastoreVersion,
    Event,
    Guest,
    Instance,
    Run,
)
from argosy.durable import locks, queue
from argosy.guest import mailbox
from argosy.model import wire
from argosy.model.backups import State
from argosy.model.status import Facts, status
from argosy.settings import Settings
from argosy.stores import chunks
from argosy.stores.chunks import Head
from argosy.workflows import (
    archives,
    begin_archive,
    copy_excerpt,
    delete_instance,
    quarantine_instance,
    rebuild_instance,
)
from argosy.workflows.copy_excerpt import Wanted
from argosy.workflows.end_peeks import end_peeks
from argosy.workflows.expire_archives import expire_archives
from argosy.workflows.joining import MANY
from argosy.workflows.watch_archives import watch_archives

DAY = 86_400.0
ABLE = ["accounts", "databases", "tls", "backups", "point-in-time"]


class Archiving(Backing):
    """An instance whose owner wants its log archived."""

    def enabled(self, session: Session) -> Archive:
        instance = self.prepared(session)
        session.execute(update(DatastoreVersion).values(capabilities=ABLE))
        return begin_archive.enable(session, 7.0, instance)

    def begun(self, session: Session, **told: Any) -> ArchiveStream:
        """With a stream as `begin_archive` leaves it."""
        stream = archives.begin(session, self.enabled(session), session.get_one(Instance, self.instance))
        stream.began = clock.now()
        for name, value in told.items():
            setattr(stream, name, value)
        return stream

    def heard(self, session: Session, **metrics: float) -> None:
        guest = session.get_one(Guest, self.instance)
        told = {"stream": 1.0, "latest": clock.now(), **metrics}
        guest.metrics = {f"archive_{name}": value for name, value in told.items()}
        guest.seen_at = clock.now()

    def archive(self, database: Database) -> Archive:
        with database.read() as session:
            return session.get_one(Archive, self.instance)

    def streams(self, database: Database) -> list[ArchiveStream]:
        with database.read() as session:
            mine = select(ArchiveStream).where(ArchiveStream.instance_id == self.instance)
            return list(session.scalars(mine.order_by(ArchiveStream.number)))

    def events(self, database: Database) -> list[str]:
        """But for the wish itself."""
        mine = select(Event.kind).where(Event.subject == self.instance, Event.kind.like("dbaas.archive%"))
        with database.read() as session:
            told = [each.removeprefix("dbaas.archive_") for each in session.scalars(mine.order_by(Event.seq))]
        return told[1:]


class Beginning(Archiving):
    """The watcher sees that nothing is archived yet."""

    def start(self, session: Session) -> None:
        self.enabled(session)
        queue.enqueue(session, watch_archives, "watch_archives")

    def check(self, database: Database) -> None:
        [stream] = self.streams(database)
        assert stream.began is not None
        assert stream.ended is None
        assert (self.archive(database).stream, self.archive(database).fault) == (1, None)
        assert self.events(database) == ["begin.start", "begin.end"]
        self.each_command_once()
        self.no_secret_left(database)


class BeginningInVain(Beginning):
    """The guest cannot: its words stand where the owner looks, and the next look tries again."""

    refuse = MappingProxyType({"archive": "no slot is free"})

    def check(self, database: Database) -> None:
        [stream] = self.streams(database)
        assert (stream.began, stream.ended is None) == (None, False)
        assert "no slot is free" in (self.archive(database).fault or "")
        assert self.events(database) == ["begin.start", "begin.error"]


class Restarting(Beginning):
    """An engine that writes no log unless somebody wants it is restarted for that: once, with nothing else going on."""

    written = False

    def meanwhile(self, database: Database) -> None:
        """It says whether it does."""
        with database.write() as session:
            for command in session.scalars(select(Command).where(Command.answered.is_(False))):
                self.written = self.written or command.verb == "write_log"
                if command.verb == "log_ready":
                    self.asked[command.id] = self.asked.get(command.id, 0) + 1
                    told = wire.Answer(command.id, {"ready": self.written})
                    mailbox.answer(session, command.guest_id, told)
        super().meanwhile(database)

    def check(self, database: Database) -> None:
        super().check(database)
        assert [each.split("/")[2] for each in self.asked].count("write_log") == 1
        assert status(Facts(self.row(database).task)) == "ACTIVE"
        with database.read() as session:
            assert locks.holders(session, self.instance) == []


class RestartingInVain(Restarting):
    """The server does not come up: its words stand where its owner looks, and nothing is held."""

    refuse = MappingProxyType({"write_log": "no room for the log"})

    def check(self, database: Database) -> None:
        [stream] = self.streams(database)
        assert (stream.began, stream.ended is None) == (None, False)
        for words in (self.archive(database).fault, self.row(database).fault):
            assert "no room for the log" in (words or "")
        assert status(Facts(self.row(database).task)) == "ACTIVE"
        with database.read() as session:
            assert locks.holders(session, self.instance) == []


class DeletingWhileRestarting(Restarting):
    """Its owner does not want it any more."""

    def meanwhile(self, database: Database) -> None:
        with database.write() as session:
            asked = select(Command.id).where(Command.verb == "write_log", Command.answered.is_(False))
            if session.scalar(asked) is not None:
                delete_instance.admit(session, CALLER, session.get_one(Instance, self.instance))
        super().meanwhile(database)

    def check(self, database: Database) -> None:
        assert self.row(database).deleted
        assert not self.archive(database).enabled


class BeginningAnew(Archiving):
    """Log was given up: that stream ends, and another one begins."""

    def start(self, session: Session) -> None:
        self.begun(session)
        self.heard(session, lost=1.0)
        queue.enqueue(session, watch_archives, "watch_archives")

    def check(self, database: Database) -> None:
        first, second = self.streams(database)
        assert first.ended is not None
        assert second.began is not None
        assert self.events(database) == ["gap", "begin.start", "begin.end"]


class ContinuingOnAnotherServer(Archiving):
    """What the old server's guest said last holds: nothing was written since the last chunk, and that was told."""

    said = 0.0

    def start(self, session: Session) -> None:
        self.said = clock.now() - 1
        self.begun(session, latest=self.said - 3600)
        self.heard(session, latest=self.said)
        self.replace(session, session.get_one(Instance, self.instance))

    def replace(self, session: Session, instance: Instance) -> None:
        rebuild_instance.admit(session, CALLER, instance)

    def check(self, database: Database) -> None:
        [stream] = self.streams(database)
        assert stream.latest == self.said
        assert stream.ended is not None


class WaitingToBeWantedBack(ContinuingOnAnotherServer):
    """Deleted, and its guest forgotten."""

    def replace(self, session: Session, instance: Instance) -> None:
        quarantine_instance.admit(session, self.settings, CALLER, instance, final_backup=False)


class AnotherServerIsSeen(ContinuingOnAnotherServer):
    """The watcher begins another stream, and tells why; that the old one is old is no alarm."""

    def start(self, session: Session) -> None:
        self.begun(session, latest=clock.now() - 3600)
        archives.interrupt(session, self.instance)
        self.heard(session, stream=0.0)
        session.get_one(Instance, self.instance).generation = 2
        queue.enqueue(session, watch_archives, "watch_archives")

    def check(self, database: Database) -> None:
        _, second = self.streams(database)
        assert second.began is not None
        assert self.events(database) == ["gap", "begin.start", "begin.end"]


class TakingBase(Archiving):
    """Without a backup to start from a stream leads nowhere."""

    def start(self, session: Session) -> None:
        self.begun(session)
        self.heard(session)
        queue.enqueue(session, watch_archives, "watch_archives")

    def check(self, database: Database) -> None:
        with database.read() as session:
            [base] = session.scalars(select(Backup)).all()
        assert (base.state, base.purpose) == (State.COMPLETED, archives.BASE)
        assert len(self.streams(database)) == 1


class TakingBaseInVain(TakingBase):
    """There is no quota for it."""

    def start(self, session: Session) -> None:
        super().start(session)
        session.get_one(Instance, self.instance).wanted = "running"
        self.settings = _without_backups(self.settings)

    def check(self, database: Database) -> None:
        with database.read() as session:
            assert session.scalars(select(Backup)).all() == []
        assert "quota" in (self.archive(database).fault or "").lower()


class BaseFailed(Archiving):
    """What arrives since leads on from nothing, which is told; until there is a backup."""

    def start(self, session: Session) -> None:
        self.begun(session, began=clock.now() - 3600)
        self.heard(session)
        session.add(_base(self.instance, state=State.FAILED, fault="no memory"))
        for number in range(2):
            queue.enqueue(session, watch_archives, f"watch_archives{number}")

    def check(self, database: Database) -> None:
        archive = self.archive(database)
        assert archive.fault == "the backup that a window begins with has failed: no memory"
        assert archive.level == "warning"
        assert self.events(database) == ["backlog"]


class BaseThereAfterAll(BaseFailed):
    def start(self, session: Session) -> None:
        super().start(session)
        session.add(_base(self.instance, state=State.COMPLETED, moment=clock.now()))
        archive = session.get_one(Archive, self.instance)
        archive.fault, archive.level = "the last one failed", "warning"

    def check(self, database: Database) -> None:
        archive = self.archive(database)
        assert (archive.fault, archive.level) == (None, "fine")
        assert self.events(database) == ["backlog"]


def _base(instance: str, **told: Any) -> Backup:
    now = clock.now()
    return Backup(
        id=str(uuid.uuid4()), project_id="p", name="base", instance_id=instance, version_id="v", purpose=archives.BASE,
        container="c", created=now, updated=now, **told,
    )  # fmt: skip


def _without_backups(settings: Settings) -> Settings:
    return dataclasses.replace(settings, limits=dataclasses.replace(settings.limits, backups=0))


class FallingBehind(Archiving):
    """Nothing has arrived for long: told once, by age."""

    def start(self, session: Session) -> None:
        self.begun(session, began=clock.now() - 3600)
        self.heard(session, latest=clock.now() - 120)
        session.get_one(Instance, self.instance).task = "RESIZING"
        for _ in range(2):
            queue.enqueue(session, watch_archives, f"watch_archives{_}")

    def check(self, database: Database) -> None:
        assert self.archive(database).level == "warning"
        assert self.events(database) == ["backlog"]


class Ending(Archiving):
    def start(self, session: Session) -> None:
        self.begun(session)
        self.heard(session, latest=1234.0)
        begin_archive.disable(session, session.get_one(Instance, self.instance))

    def check(self, database: Database) -> None:
        [stream] = self.streams(database)
        assert stream.ended is not None
        assert stream.latest == 1234.0
        assert not self.archive(database).enabled
        assert self.events(database)[0] == "end.start"


class EndingInVain(Ending):
    refuse = MappingProxyType({"archive": "gone"})


class Expiring(Archiving):
    """Of an old stream nothing stays, of a young one what leads to the moments that are to be had, in few objects; an
    older backup stays, and is not led on from any more.
    """

    def start(self, session: Session) -> None:
        now = clock.now()
        stream = self.begun(session, number=1, began=now - 30 * DAY, ended=now - 20 * DAY, latest=now - 20 * DAY)
        self.written(session, stream, "log.1", many=3)
        session.flush()
        young = archives.begin(
            session, session.get_one(Archive, self.instance), session.get_one(Instance, self.instance)
        )
        young.began = now - 10 * DAY
        self.written(session, young, "log.1", many=2, at=now - 10 * DAY)
        self.written(session, young, "log.2", many=MANY, at=now - 8.5 * DAY)
        for age in (9.0, 8.0, 1.0):
            base = self.complete(session)
            base.created = base.moment = now - age * DAY
        for number in range(2):
            queue.enqueue(session, expire_archives, f"expire_archives{number}")

    def written(self, session: Session, stream: ArchiveStream, name: str, *, many: int, at: float = 0.0) -> None:
        """A file in so many chunks of one byte."""
        cipher = AESGCM(bytes.fromhex(stream.data_key))
        for offset in range(many):
            head = Head(
                self.instance, stream.number, name, offset, 1, chunks.digest(b"x"), at, begins=True, closed=False
            )
            with self.store.create(stream.place + head.name) as out:
                out.write(chunks.seal(cipher, head, b"x", os.urandom(12)))
        row = ArchiveFile(instance_id=self.instance, number=stream.number, name=name, bytes=many, begins=True)
        row.closed, row.chunks, row.stored_bytes, row.first_at, row.last_at = True, many, many, at, at
        session.add(row)

    def check(self, database: Database) -> None:
        [young] = self.streams(database)
        with database.read() as session:
            [file] = session.scalars(select(ArchiveFile)).all()
        assert (young.number, file.name, file.chunks) == (2, "log.2", 0)
        assert young.began is not None
        assert abs(young.began - (clock.now() - 8 * DAY)) < DAY / 2
        [key] = list(self.store.list("database_backups/p/archive/"))
        with self.store.open(key) as source:
            head, data = chunks.opened(AESGCM(bytes.fromhex(young.data_key)), source.read())
        assert data == b"x" * MANY
        assert key == young.place + head.joined_name


class Outliving(Archiving):
    """An instance that is deleted leaves its log, for as long as a backup leads into it."""

    def start(self, session: Session) -> None:
        self.begun(session)
        self.heard(session)
        delete_instance.admit(session, CALLER, session.get_one(Instance, self.instance))

    def check(self, database: Database) -> None:
        [stream] = self.streams(database)
        assert stream.ended is not None
        assert not self.archive(database).enabled
        with database.read() as session:
            assert session.scalars(select(Run.id).where(Run.state == "active")).all() == []


class EndingPeek(Archiving):
    """What was only to be looked at goes by itself, and nothing else does."""

    def start(self, session: Session) -> None:
        self.prepared(session).ends_at = clock.now() - 1
        queue.enqueue(session, end_peeks, "end_peeks")

    def check(self, database: Database) -> None:
        assert self.row(database).deleted
        assert self.cloud.names() == set()


class Copying(Archiving):
    """A database goes from one instance to another by the store, where nothing of it stays."""

    def start(self, session: Session) -> None:
        instance = self.prepared(session)
        origin = self.standing(session)
        self.instance = instance.id
        self.data[origin.id] = DATA
        copy_excerpt.admit(session, CALLER, instance, origin, Wanted("shop", ("orders",)))

    def check(self, database: Database) -> None:
        assert self.row(database).fault is None
        assert list(self.store.list("database_backups/p/excerpts/")) == []
        assert self.copied(database) == ["start", "end"]
        self.each_command_once()
        self.no_secret_left(database)

    def copied(self, database: Database) -> list[str]:
        mine = select(Event.kind).where(Event.subject == self.instance, Event.kind.like("dbaas.database_copy%"))
        with database.read() as session:
            return [each.rpartition(".")[2] for each in session.scalars(mine.order_by(Event.seq))]


class CopyingInVain(Copying):
    """It is there already: the guest's words stand where the owner looks."""

    refuse = MappingProxyType({"put_in": "shop.orders is there already"})

    def check(self, database: Database) -> None:
        assert "is there already" in (self.row(database).fault or "")
        assert list(self.store.list("database_backups/p/excerpts/")) == []
        assert self.copied(database) == ["start", "error"]


EVERY = (
    Beginning,
    BeginningInVain,
    Restarting,
    RestartingInVain,
    DeletingWhileRestarting,
    BeginningAnew,
    ContinuingOnAnotherServer,
    WaitingToBeWantedBack,
    AnotherServerIsSeen,
    TakingBase,
    TakingBaseInVain,
    BaseFailed,
    BaseThereAfterAll,
    FallingBehind,
    Copying,
    CopyingInVain,
    Ending,
    EndingPeek,
    EndingInVain,
    Expiring,
    Outliving,
)
