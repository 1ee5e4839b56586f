"""Who reaches an instance from outside: opened, opened in vain, closed, brought back."""

from __future__ import annotations

from types import MappingProxyType

from scenario import CALLER, Scenario
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.session import Database
from argosy.db.tables import Command, Endpoint, Instance
from argosy.durable import queue
from argosy.model.guest import TAKEN_BACK
from argosy.model.status import Task
from argosy.providers.base import Outside
from argosy.testing.fakes import OUTSIDE, FakeProvider
from argosy.workflows import change_access, delete_instance, ports, watch

OPEN = MappingProxyType({"is_public": True, "allowed_cidrs": ["10.0.0.0/8"]})


class Opened(Scenario):
    """One that is public already, by a certificate that names where."""

    def standing(self, session: Session) -> Instance:
        instance = super().standing(session)
        instance.access = dict(OPEN)
        self.cloud.public[instance.id] = ("10.0.0.0/8",)
        port = FakeProvider(self.cloud).networks.look(instance.id)
        assert port.outside == Outside((OUTSIDE,), 20_000)
        ports.write(session, instance.id, port)
        session.flush()
        for endpoint in session.scalars(select(Endpoint)):
            endpoint.certificate_until = clock.now() + 1e6
        return instance

    def roles(self, database: Database) -> set[str]:
        with database.read() as session:
            return set(session.scalars(select(Endpoint.role)))

    def verbs(self, database: Database) -> list[str]:
        with database.read() as session:
            return list(session.scalars(select(Command.verb)))


class Opening(Scenario):
    """It is open, its certificate names where, and it is told."""

    def start(self, session: Session) -> None:
        change_access.admit(session, CALLER, self.standing(session), dict(OPEN))

    def check(self, database: Database) -> None:
        assert self.cloud.public == {self.instance: ("10.0.0.0/8",)}
        row = self.row(database)
        assert (row.access, row.task, row.fault) == (dict(OPEN), Task.NONE, None)
        with database.read() as session:
            told = session.scalars(select(Endpoint).where(Endpoint.role == "public")).one()
            assert (told.host, told.port, told.names) == (OUTSIDE, 20_000, [OUTSIDE])
        assert sum(self.asked.values()) == 1
        self.each_command_once()


class OpeningInVain(Opening):
    """A server whose certificate cannot name the place is not open."""

    refuse = MappingProxyType({"reissue_certificate": "FATAL: could not load server certificate"})

    def check(self, database: Database) -> None:
        assert self.cloud.public == {}
        row = self.row(database)
        assert (row.access, row.task) == (None, Task.NONE)
        assert "could not load" in (row.fault or "")
        with database.read() as session:
            assert session.scalars(select(Endpoint.role)).all() == ["writer"]


class Narrowing(Opened):
    """Other networks: the certificate stays, what needs a restart still needs it."""

    def start(self, session: Session) -> None:
        instance = self.standing(session)
        instance.task = Task.RESTART_REQUIRED
        change_access.admit(session, CALLER, instance, {"allowed_cidrs": ["192.0.2.0/24"]})

    def check(self, database: Database) -> None:
        assert self.cloud.public == {self.instance: ("192.0.2.0/24",)}
        row = self.row(database)
        assert row.access == {"is_public": True, "allowed_cidrs": ["192.0.2.0/24"]}
        assert row.task == Task.RESTART_REQUIRED
        assert self.asked == {}


class OpeningWithoutSettings(Opening):
    """Those that the server has taken back are still away."""

    def standing(self, session: Session) -> Instance:
        instance = super().standing(session)
        instance.fault = f"max_connections = 262143 {TAKEN_BACK}: FATAL"
        return instance

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert (row.access, row.task) == (dict(OPEN), Task.NONE)
        assert row.fault == f"max_connections = 262143 {TAKEN_BACK}: FATAL"


class Closing(Opened):
    """What failed before is history."""

    def start(self, session: Session) -> None:
        instance = self.standing(session)
        instance.fault = "could not load server certificate"
        change_access.admit(session, CALLER, instance, {"is_public": False})

    def check(self, database: Database) -> None:
        assert self.cloud.public == {}
        assert self.row(database).fault is None
        assert self.row(database).access == {"is_public": False, "allowed_cidrs": ["10.0.0.0/8"]}
        assert self.roles(database) == {"writer"}


class ComingBack(Opened):
    """What forwards was killed: it is there again, as it was."""

    def start(self, session: Session) -> None:
        self.cloud.shut.add(self.standing(session).id)
        queue.enqueue(session, watch.watch, "watch")

    def check(self, database: Database) -> None:
        assert self.cloud.shut == set()
        assert self.cloud.public == {self.instance: ("10.0.0.0/8",)}
        assert self.roles(database) == {"writer", "public"}


class DeletingWhileOpening(Opening):
    def meanwhile(self, database: Database) -> None:
        with database.write() as session:
            row = session.get_one(Instance, self.instance)
            if row.task != Task.DELETING and not row.deleted:
                delete_instance.admit(session, CALLER, row)
        super().meanwhile(database)

    def check(self, database: Database) -> None:
        assert self.row(database).deleted
        assert self.cloud.names() == set()
        assert self.cloud.public == {}


EVERY = (Opening, OpeningInVain, OpeningWithoutSettings, Narrowing, Closing, ComingBack, DeletingWhileOpening)
