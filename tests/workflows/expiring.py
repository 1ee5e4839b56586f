"""Archived logs that are too old go, and so does what was only to be looked at."""

from __future__ import annotations

import os

from archiving import Archiving
from backing import Backing
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from scenario import CALLER
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.session import Database
from argosy.db.tables import Archive, ArchiveFile, ArchiveStream, Instance, Run
from argosy.durable import queue
from argosy.stores import chunks
from argosy.stores.chunks import Head
from argosy.workflows import archives, delete_instance
from argosy.workflows.end_peeks import end_peeks
from argosy.workflows.expire_archives import expire_archives
from argosy.workflows.joining import MANY

DAY = 86_400.0


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
            head = Head(self.instance, stream.number, name, offset, 1, at, begins=True, closed=False)
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


class EndingPeek(Backing):
    """What was only to be looked at goes by itself, and nothing else does."""

    def start(self, session: Session) -> None:
        self.prepared(session).ends_at = clock.now() - 1
        queue.enqueue(session, end_peeks, "end_peeks")

    def check(self, database: Database) -> None:
        assert self.row(database).deleted
        assert self.cloud.names() == set()


EVERY = (
    Expiring,
    Outliving,
    EndingPeek,
)
