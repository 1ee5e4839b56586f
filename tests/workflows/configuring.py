"""Instances that follow configurations, and servers that cannot live with what they are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from scenario import CALLER, Scenario
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy.db.session import Database
from argosy.db.tables import Command, Configuration, Event, Guest, Instance
from argosy.guest import mailbox
from argosy.model import wire
from argosy.model.status import Facts, status
from argosy.settings import Settings
from argosy.workflows import configure_instance, restart_instance

RESTART = {"max_connections"}
IMPOSSIBLE = 262143


class Configuring(Scenario):
    """One group, attached. The guest does as told, and remembers what it has in force."""

    settings_wanted: dict[str, Any] = {"work_mem": 8192}  # noqa: RUF012 - read only
    kind = configure_instance.ATTACH

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.in_force: dict[str, Any] = {}
        self.running_with: dict[str, Any] = {}

    def group(self, session: Session, instance: Instance) -> Configuration:
        made = Configuration(id=instance.id, project_id="p", name="g", version_id=instance.version_id)
        made.settings, made.created, made.updated = dict(self.settings_wanted), 0.0, 0.0
        session.add(made)
        session.flush()
        return made

    def start(self, session: Session) -> None:
        instance = self.standing(session)
        configure_instance.attach(session, instance, self.group(session, instance))

    def meanwhile(self, database: Database) -> None:
        with database.read() as session:
            waiting = session.scalars(select(Command).where(Command.answered.is_(False))).all()
        for command in waiting:
            self.asked[command.id] = self.asked.get(command.id, 0) + 1
            result = self.do(command.verb, (command.arguments or {}).get("overrides"))
            reply = wire.Answer(command.id, result, self.refuse.get(command.verb, ""))
            with database.write() as session:
                mailbox.answer(session, command.guest_id, reply)

    def do(self, verb: str, overrides: dict[str, Any] | None) -> dict[str, Any]:
        """As an agent does it: a server that cannot start gets back what it had."""
        before, self.in_force = self.in_force, dict(overrides or {})
        fault = {}
        if self.in_force.get("max_connections") == IMPOSSIBLE and verb == "restart":
            self.in_force = before
            fault = {"fault": "max_connections = 262143 was taken back: FATAL"}
        late = {name for name in RESTART if self.in_force.get(name) != self.running_with.get(name)}
        if verb == "restart":
            self.running_with = dict(self.in_force)
        return {"version": "15.18", "restart_required": bool(late), **fault}

    def check(self, database: Database) -> None:
        assert status(Facts(self.row(database).task)) == "ACTIVE"
        assert self.row(database).fault is None
        assert self.in_force == self.settings_wanted
        self.each_command_once()
        self.no_secret_left(database)
        assert self.told(database, f"dbaas.{self.kind}.") == ["start", "end"]

    def told(self, database: Database, prefix: str) -> list[str]:
        with database.read() as session:
            kinds = session.scalars(select(Event.kind).order_by(Event.seq)).all()
        return [kind.removeprefix(prefix) for kind in kinds if kind.startswith(prefix)]


class ConfiguringLate(Configuring):
    """Only a restart applies it: the status says so before and after."""

    settings_wanted = {"max_connections": 50}  # noqa: RUF012 - read only

    def check(self, database: Database) -> None:
        assert status(Facts(self.row(database).task)) == "RESTART_REQUIRED"
        assert self.in_force == self.settings_wanted


class BackToBack(Configuring):
    """Detached and attached at once, as Terraform does: the last word counts."""

    kind = configure_instance.DETACH

    def start(self, session: Session) -> None:
        instance = self.standing(session)
        group = self.group(session, instance)
        instance.configuration_id = group.id
        configure_instance.detach(session, instance)
        configure_instance.attach(session, instance, group)

    def check(self, database: Database) -> None:
        super().check(database)
        assert self.row(database).configuration_id is not None
        assert len(self.asked) == 2


class Changing(Configuring):
    """The group gets other values."""

    kind = configure_instance.UPDATE

    def start(self, session: Session) -> None:
        instance = self.standing(session)
        group = self.group(session, instance)
        instance.configuration_id = group.id
        self.settings_wanted = {"work_mem": 4096}
        configure_instance.change(session, group, self.settings_wanted)


class ConfiguringInVain(Configuring):
    """The guest cannot: the group stays attached, the fault says so, and a restart will bring it along."""

    refuse = {"configure": "no space left on device"}  # noqa: RUF012 - read only

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert status(Facts(row.task)) == "ACTIVE"
        assert row.configuration_id is not None
        assert "no space left" in (row.fault or "")
        assert self.told(database, f"dbaas.{self.kind}.") == ["start", "error"]


class ConfiguringASilentGuest(Configuring):
    """Nobody is there to answer: it ends long before its deadline, and holds up nothing else."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(replace(settings, conductor=replace(settings.conductor, silent_seconds=0.01)))

    def start(self, session: Session) -> None:
        super().start(session)
        session.get_one(Guest, self.instance).connected = False

    def meanwhile(self, database: Database) -> None:
        """It hears nothing."""

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert status(Facts(row.task)) == "ACTIVE"
        assert row.configuration_id is not None
        assert "a restart applies it" in (row.fault or "")
        with database.read() as session:
            assert session.scalars(select(Command.cancelled)).all() == [True]


class TakenBack(Configuring):
    """A restart with a value that the server does not start with: it runs as before, the fault has its words."""

    settings_wanted = {"max_connections": IMPOSSIBLE}  # noqa: RUF012 - read only

    def start(self, session: Session) -> None:
        instance = self.standing(session)
        instance.configuration_id = self.group(session, instance).id
        restart_instance.admit(session, CALLER, instance)

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert status(Facts(row.task)) == "ACTIVE"
        assert "taken back: FATAL" in (row.fault or "")
        assert row.configuration_id is not None
        assert self.in_force == {}
        assert self.told(database, "dbaas.configuration_") == ["taken_back"]


EVERY = (
    Configuring,
    ConfiguringLate,
    BackToBack,
    Changing,
    ConfiguringInVain,
    ConfiguringASilentGuest,
    TakenBack,
)
