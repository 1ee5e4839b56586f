"""Logs that are not archived as they should be: it fails or is late, and their owner is told."""

from __future__ import annotations

import dataclasses
import uuid
from types import MappingProxyType
from typing import Any

from archiving import Archiving, Beginning, Ending, Restarting, TakingBase
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.session import Database
from argosy.db.tables import Archive, Backup, Instance
from argosy.durable import locks, queue
from argosy.model.backups import State
from argosy.model.status import Facts, status
from argosy.settings import Settings
from argosy.workflows import archives
from argosy.workflows.watch_archives import watch_archives


class BeginningInVain(Beginning):
    """The guest cannot: its words stand where the owner looks, and the next look tries again."""

    refuse = MappingProxyType({"archive": "no slot is free"})

    def check(self, database: Database) -> None:
        [stream] = self.streams(database)
        assert (stream.began, stream.ended is None) == (None, False)
        assert "no slot is free" in (self.archive(database).fault or "")
        assert self.events(database) == ["begin.start", "begin.error"]


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


class EndingInVain(Ending):
    refuse = MappingProxyType({"archive": "gone"})


EVERY = (
    BeginningInVain,
    RestartingInVain,
    TakingBaseInVain,
    BaseFailed,
    BaseThereAfterAll,
    FallingBehind,
    EndingInVain,
)
