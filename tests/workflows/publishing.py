"""Logs: switched, published, discarded, expired."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

from scenario import CALLER, Scenario
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.session import Database
from argosy.db.tables import Command, GuestLog, Instance, LogObject, Run
from argosy.durable import queue
from argosy.engines import registry
from argosy.guest import mailbox
from argosy.model import wire
from argosy.model.status import Task
from argosy.stores import deployment
from argosy.workflows import change_log
from argosy.workflows.change_log import Wanted
from argosy.workflows.expire_logs import expire_logs

(GENERAL,) = (each for each in registry.get("postgresql").logs if each.name == "general")
TEXT = b"one line\nand another\n"
PART = f"log-{0:020d}"


class Publishing(Scenario):
    """A log is enabled and what there is of it brought to the store."""

    wanted = Wanted(publish=True)
    late = False

    def start(self, session: Session) -> None:
        change_log.admit(session, CALLER, self.standing(session), GENERAL, self.wanted)

    def meanwhile(self, database: Database) -> None:
        """The guest, and the conductor that takes what it brings."""
        with database.read() as session:
            waiting = session.scalars(select(Command).where(Command.answered.is_(False))).all()
        for command in waiting:
            self.asked[command.id] = self.asked.get(command.id, 0) + 1
            reply = wire.Answer(command.id, self._answer(database, command), self.refuse.get(command.verb, ""))
            with database.write() as session:
                mailbox.answer(session, command.guest_id, reply)

    def _answer(self, database: Database, command: Command) -> dict[str, Any]:
        if command.verb == "publish_log" and not self.refuse:
            self.bring(database, (command.arguments or {})["place"])
            return {"until": len(TEXT), "objects": 1}
        told = {"start": 0, "end": len(TEXT), "digest": "d" * 32, "on": True}
        return {"restart_required": self.late, "logs": {"general": told}}

    def bring(self, database: Database, place: str) -> None:
        with deployment.store(self.settings).create(f"{place}{PART}") as out:
            out.write(TEXT)
        with database.write() as session:
            session.add(
                LogObject(
                    instance_id=self.instance, log="general", name=PART, place=place, bytes=len(TEXT), lines=2,
                    created=clock.now(),
                )
            )  # fmt: skip

    def log(self, database: Database) -> GuestLog:
        with database.read() as session:
            return session.get_one(GuestLog, (self.instance, "general"))

    def stored(self) -> list[str]:
        """Keys of this instance's."""
        return list(deployment.store(self.settings).list(f"database_logs/{self.instance}/"))

    def check(self, database: Database) -> None:
        log = self.log(database)
        assert (log.enabled, log.published, log.position) == (True, len(TEXT), len(TEXT))
        prefix = f"database_logs/{self.instance}/postgresql-general"
        assert self.stored() == [f"{prefix}/{PART}", f"{prefix}_metafile"]
        with deployment.store(self.settings).open(f"{prefix}_metafile") as metafile:
            assert json.load(metafile)["log_size"] == len(TEXT)
        assert self.row(database).fault is None
        self.each_command_once()
        self.no_secret_left(database)


class PublishingInVain(Publishing):
    """Nothing is called published that is not there."""

    refuse = MappingProxyType({"publish_log": "the conductor answered with 403"})

    def check(self, database: Database) -> None:
        assert self.log(database).published == 0
        assert "403" in (self.row(database).fault or "")
        assert self.row(database).task == Task.NONE


class SwitchingLate(Publishing):
    """A server that has to be restarted for it says so."""

    wanted = Wanted(enable=True)
    late = True

    def check(self, database: Database) -> None:
        assert self.log(database).enabled
        assert self.row(database).task == Task.RESTART_REQUIRED


class Discarding(Publishing):
    wanted = Wanted(enable=False, discard=True)

    def start(self, session: Session) -> None:
        super().start(session)
        row = session.get_one(GuestLog, (self.instance, "general"))
        row.published, row.position, row.container = len(TEXT), len(TEXT), "database_logs"
        where = change_log.place(session, "database_logs", self.instance, "general")
        for key in (where.key(PART), where.metafile_key):
            with deployment.store(self.settings).create(key) as out:
                out.write(TEXT)
        session.add(
            LogObject(
                instance_id=self.instance, log="general", name=PART, place=where.key(""), bytes=1, lines=1, created=0.0
            )
        )

    def check(self, database: Database) -> None:
        log = self.log(database)
        assert (log.enabled, log.published, log.position, log.container) == (False, 0, 0, "")
        assert self.stored() == []
        with database.read() as session:
            assert not change_log.objects(session, self.instance, "general")


class Expiring(Discarding):
    """What was published long ago goes, also of instances that are gone."""

    def start(self, session: Session) -> None:
        super().start(session)
        run = session.scalars(select(Run)).one()
        queue.locks.release(session, run.id)
        session.delete(run)
        session.get_one(Instance, self.instance).deleted = True
        queue.enqueue(session, expire_logs, "expire_logs")

    def check(self, database: Database) -> None:
        assert [each.rpartition("/")[2] for each in self.stored()] == ["postgresql-general_metafile"]
        with database.read() as session:
            assert not change_log.objects(session, self.instance, "general")


EVERY = (Publishing, PublishingInVain, SwitchingLate, Discarding, Expiring)
