"""One class per operation of an instance's life: how it begins, who takes part, and what must be so at its end."""

from __future__ import annotations

from types import MappingProxyType

from scenario import CALLER, TEMPLATE, Scenario
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.session import Database
from argosy.db.tables import Command, DatastoreVersion, Endpoint, Event, Guest, Instance, Run
from argosy.durable import queue
from argosy.model.guest import Secret
from argosy.model.status import Facts, status
from argosy.workflows import delete_instance, look_around, reset_master, restart_instance, watch


class Creating(Scenario):
    def start(self, session: Session) -> None:
        self.request(session)

    def check(self, database: Database) -> None:
        assert status(Facts(self.row(database).task)) == "ACTIVE"
        assert self.cloud.names() == {self.instance}
        assert self.held(database) == {"instances": 1, "volumes": 2, "ram": 256, "backups": 0}
        with database.read() as session:
            assert session.scalars(select(Endpoint.host)).all() == [self.cloud.ports[self.instance]]
        self.each_command_once()
        self.no_secret_left(database)


class CreatingTheFirst(Creating):
    """Nobody has built the template yet."""

    templates = frozenset()

    def check(self, database: Database) -> None:
        super().check(database)
        assert self.cloud.sealed == {TEMPLATE}


class CreatingInVain(Scenario):
    """The engine does not start: its own words are the fault, and delete takes everything away."""

    refuse = MappingProxyType({"prepare": "FATAL: could not map anonymous shared memory"})

    def start(self, session: Session) -> None:
        self.request(session)

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert status(Facts(row.task)) == "ERROR"
        assert "could not map" in (row.fault or "")
        assert self.cloud.names() == {self.instance}
        self.no_secret_left(database)


class TemplateInVain(Scenario):
    """The first create fails with the builder's words, and the builder leaves nothing."""

    templates = frozenset()
    refuse = MappingProxyType({"install": "initdb: error: no space left on device"})

    def start(self, session: Session) -> None:
        self.request(session)

    def check(self, database: Database) -> None:
        assert "no space left" in (self.row(database).fault or "")
        assert self.cloud.names() == set()
        assert self.cloud.sealed == set()


class Deleting(Scenario):
    def start(self, session: Session) -> None:
        delete_instance.admit(session, CALLER, self.standing(session))

    def check(self, database: Database) -> None:
        assert self.row(database).deleted
        assert self.cloud.names() == set()
        assert set(self.held(database).values()) == {0}
        with database.read() as session:
            for table in (Endpoint, Guest, Command):
                assert session.scalar(select(func.count()).select_from(table)) == 0


class DeletingWhileBuilding(Deleting):
    """The owner changes their mind while the guest is asked."""

    def start(self, session: Session) -> None:
        self.request(session)

    def meanwhile(self, database: Database) -> None:
        with database.write() as session:
            delete_instance.admit(session, CALLER, session.get_one(Instance, self.instance))


class Restarting(Scenario):
    def start(self, session: Session) -> None:
        restart_instance.admit(session, CALLER, self.standing(session))

    def check(self, database: Database) -> None:
        assert status(Facts(self.row(database).task)) == "ACTIVE"
        assert self.row(database).fault is None
        assert sum(self.asked.values()) == 1
        self.no_secret_left(database)


class RestartingInVain(Restarting):
    """The instance is what it was before, and says what went wrong."""

    refuse = MappingProxyType({"restart": "it does not come back"})

    def check(self, database: Database) -> None:
        assert status(Facts(self.row(database).task)) == "ACTIVE"
        assert self.row(database).fault == "it does not come back"


class ResettingMaster(Scenario):
    def start(self, session: Session) -> None:
        _run, password = reset_master.admit(session, CALLER, self.standing(session), None)
        assert isinstance(password, Secret)

    def check(self, database: Database) -> None:
        assert sum(self.asked.values()) == 1
        self.no_secret_left(database)


class LookingAround(Scenario):
    """Versions are written down and their templates built."""

    templates = frozenset()

    def start(self, session: Session) -> None:
        queue.enqueue(session, look_around.look_around, "look_around")

    def check(self, database: Database) -> None:
        assert self.cloud.sealed == {TEMPLATE}
        assert self.cloud.names() == set()
        with database.read() as session:
            assert session.scalars(select(DatastoreVersion.name)).all() == ["15.18"]


class Reviving(Scenario):
    """A server that is gone comes back."""

    def start(self, session: Session) -> None:
        instance = self.standing(session)
        del self.cloud.servers[instance.id]
        session.get_one(Guest, instance.id).connected = False
        queue.enqueue(session, watch.watch, "watch")

    def check(self, database: Database) -> None:
        assert self.instance in self.cloud.servers
        assert status(Facts(self.row(database).task)) == "ACTIVE"


class RevivingAgain(Reviving):
    """It could not be brought back before, which was told: only that it is back now is news."""

    def start(self, session: Session) -> None:
        super().start(session)
        run = Run(id="before", workflow="revive_server", subject=self.instance, state="failed", step="x", memory={})
        run.created = run.ended = clock.now() - 100
        run.wake_at = 0.0
        session.add(run)

    def check(self, database: Database) -> None:
        super().check(database)
        with database.read() as session:
            told = session.scalars(select(Event.kind).where(Event.kind.like("%revive%"))).all()
        assert told == ["dbaas.instance_revive.end"]


STRANGER = "00000000-0000-4000-8000-000000000000"


class Sweeping(Scenario):
    """What is left of a deleted instance goes; what no row knows stays, should the control database have been lost."""

    def start(self, session: Session) -> None:
        self.standing(session).deleted = True
        self.cloud.volumes[STRANGER], self.cloud.ports[STRANGER] = 1, "127.9.9.9"
        queue.enqueue(session, watch.sweep, "sweep")

    def check(self, _database: Database) -> None:
        assert self.cloud.names() == {STRANGER}


EVERY = (
    Creating,
    CreatingTheFirst,
    CreatingInVain,
    TemplateInVain,
    Deleting,
    DeletingWhileBuilding,
    Restarting,
    RestartingInVain,
    ResettingMaster,
    LookingAround,
    Reviving,
    RevivingAgain,
    Sweeping,
)
