"""Logs that are archived: streams begin and end, and are led on from backups."""

from __future__ import annotations

from typing import Any

from backing import Backing
from scenario import CALLER
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.session import Database
from argosy.db.tables import Archive, ArchiveStream, Backup, Command, DatastoreVersion, Event, Guest, Instance
from argosy.durable import locks, queue
from argosy.guest import mailbox
from argosy.model import wire
from argosy.model.backups import State
from argosy.model.status import Facts, status
from argosy.workflows import archives, begin_archive, delete_instance, quarantine_instance, rebuild_instance
from argosy.workflows.watch_archives import watch_archives

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


EVERY = (
    Beginning,
    Restarting,
    DeletingWhileRestarting,
    BeginningAnew,
    ContinuingOnAnotherServer,
    WaitingToBeWantedBack,
    AnotherServerIsSeen,
    TakingBase,
    Ending,
)
