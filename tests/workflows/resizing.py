"""What is crashed of resizing, stopping, starting, rebuilding and resetting an instance."""

from __future__ import annotations

from types import MappingProxyType

import moduling
from scenario import CALLER, Scenario
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy.db.session import Database
from argosy.db.tables import Command, Guest, Instance, Run
from argosy.guest import mailbox
from argosy.model import wire
from argosy.model.status import Task, status
from argosy.settings import SHIPPED_FLAVORS, Flavor
from argosy.workflows import (
    delete_instance,
    module_rows,
    reboot_server,
    rebuild_instance,
    reset_status,
    resize_flavor,
    resize_volume,
    servers,
    start_instance,
    stop_instance,
)

TINY, SMALL, MEDIUM = SHIPPED_FLAVORS[:3]
TAKEN_BACK = "max_connections = 262143 was taken back: FATAL"


class ResizingFlavor(Scenario):
    """From tiny to small."""

    target = SMALL
    expected = SMALL

    def start(self, session: Session) -> None:
        self.cloud.limits[self.standing(session).id] = TINY.ram
        self.resize(session)

    def resize(self, session: Session) -> None:
        instance = session.get_one(Instance, self.instance)
        resize_flavor.admit(session, self.settings, CALLER, instance, self.target)

    def check(self, database: Database) -> None:
        row = self.row(database)
        self.settled(row, self.expected)
        assert self.held(database)["ram"] == self.expected.ram
        self.each_command_once()

    def settled(self, row: Instance, flavor: Flavor) -> None:
        assert status(servers.facts(row)) == "ACTIVE"
        assert (row.flavor_id, row.ram) == (flavor.id, flavor.ram)
        assert self.cloud.limits[row.id] == self.cloud.announced[row.id] == flavor.ram


class ShrinkingFlavor(ResizingFlavor):
    """From medium to tiny."""

    target = expected = TINY

    def start(self, session: Session) -> None:
        instance = self.standing(session)
        instance.flavor_id, instance.ram = MEDIUM.id, MEDIUM.ram
        resize_flavor.quotas.reserve(session, self.settings, "p", ram=MEDIUM.ram - TINY.ram)
        self.cloud.limits[instance.id] = MEDIUM.ram
        self.resize(session)


class ResizingFlavorInVain(ResizingFlavor):
    """The server does not start with the new size: it has the old one again, and the quota is what it was."""

    expected = TINY
    refuse = MappingProxyType({"fit": "FATAL: could not map anonymous shared memory"})

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert "could not map" in (row.fault or "")
        assert (row.flavor_id, row.ram, status(servers.facts(row))) == (TINY.id, TINY.ram, "ACTIVE")
        assert self.held(database)["ram"] == TINY.ram


class TakingBack(Scenario):
    """The guest's server starts, and without settings that it could not start with."""

    def meanwhile(self, database: Database) -> None:
        with database.read() as session:
            waiting = session.scalars(select(Command).where(Command.answered.is_(False))).all()
        for command in waiting:
            self.asked[command.id] = self.asked.get(command.id, 0) + 1
            with database.write() as session:
                mailbox.answer(session, command.guest_id, wire.Answer(command.id, {"fault": TAKEN_BACK}))

    def is_told(self, database: Database) -> None:
        assert (self.row(database).fault, self.row(database).task) == (TAKEN_BACK, Task.NONE)
        self.each_command_once()


class ResizingFlavorWithoutSettings(TakingBack, ResizingFlavor):
    def check(self, database: Database) -> None:
        super().check(database)
        self.is_told(database)


class DeletingWhileResizing(ResizingFlavor):
    """All quota is given back, once."""

    def meanwhile(self, database: Database) -> None:
        with database.write() as session:
            delete_instance.admit(session, CALLER, session.get_one(Instance, self.instance))
        super().meanwhile(database)

    def check(self, database: Database) -> None:
        assert self.row(database).deleted
        assert self.cloud.names() == set()
        assert set(self.held(database).values()) == {0}


class ResizingVolume(Scenario):
    def start(self, session: Session) -> None:
        resize_volume.admit(session, self.settings, CALLER, self.standing(session), 5)

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert (row.gigabytes, status(servers.facts(row)), row.fault) == (5, "ACTIVE", None)
        assert self.cloud.volumes[row.id] == 5
        assert self.held(database)["volumes"] == 5
        self.each_command_once()


class ResizingVolumeWithoutSettings(TakingBack, ResizingVolume):
    """Those that the server has taken back are still away."""

    def check(self, database: Database) -> None:
        assert self.row(database).gigabytes == 5
        self.is_told(database)


class ResizingVolumeInVain(ResizingVolume):
    """The pool has no room: nothing has changed, and nothing is held for it."""

    def start(self, session: Session) -> None:
        super().start(session)
        self.cloud.room = 4

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert (row.gigabytes, status(servers.facts(row))) == (2, "ACTIVE")
        assert "room" in (row.fault or "")
        assert self.held(database)["volumes"] == 2


class ResizingVolumeOfADeafServer(ResizingVolume):
    """It has grown, so it is told and paid for."""

    refuse = MappingProxyType({"configure": "no"})

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert (row.gigabytes, row.fault, status(servers.facts(row))) == (5, "no", "ACTIVE")
        assert self.held(database)["volumes"] == 5


class ResizingVolumeBeforeARestart(ResizingVolume):
    """Settings that wait for a restart still do."""

    def start(self, session: Session) -> None:
        instance = self.standing(session)
        instance.task = Task.RESTART_REQUIRED
        resize_volume.admit(session, self.settings, CALLER, instance, 5)

    def check(self, database: Database) -> None:
        assert (self.row(database).task, self.row(database).gigabytes) == ("RESTART_REQUIRED", 5)


class Rebooting(Scenario):
    def start(self, session: Session) -> None:
        reboot_server.admit(session, CALLER, self.standing(session))

    def check(self, database: Database) -> None:
        assert (self.row(database).task, self.row(database).generation) == ("NONE", 1)
        assert self.instance not in self.cloud.stopped
        self.each_command_once()


class RebootingInVain(Rebooting):
    refuse = MappingProxyType({"start": "FATAL: no"})

    def check(self, database: Database) -> None:
        assert (self.row(database).task, self.row(database).fault) == ("NONE", "FATAL: no")


class RebootingWithoutSettings(TakingBack, Rebooting):
    def check(self, database: Database) -> None:
        super().check(database)
        self.is_told(database)


class RebootingAStoppedOne(Rebooting):
    """Its guest is back, its server is not started."""

    def start(self, session: Session) -> None:
        super().start(session)
        session.get_one(Instance, self.instance).wanted = servers.STOPPED

    def check(self, database: Database) -> None:
        assert {name.split("/")[2] for name in self.asked} == {"ping"}
        assert status(servers.facts(self.row(database))) == "SHUTDOWN"


class Stopping(Scenario):
    def start(self, session: Session) -> None:
        stop_instance.admit(session, CALLER, self.standing(session))

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert (row.task, row.wanted, status(servers.facts(row))) == ("NONE", "stopped", "SHUTDOWN")
        assert sum(self.asked.values()) == 1


class StoppingInVain(Stopping):
    refuse = MappingProxyType({"stop": "it does not stop"})

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert (row.task, row.wanted, row.fault) == ("NONE", "running", "it does not stop")


class Starting(Scenario):
    def start(self, session: Session) -> None:
        instance = self.standing(session)
        instance.wanted = servers.STOPPED
        start_instance.admit(session, CALLER, instance)

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert (row.task, row.wanted, status(servers.facts(row))) == ("NONE", "running", "ACTIVE")
        self.each_command_once()


class StartingInVain(Starting):
    refuse = MappingProxyType({"start": "FATAL: no"})

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert (row.task, row.wanted, row.fault) == ("NONE", "running", "FATAL: no")


class Rebuilding(Scenario):
    def start(self, session: Session) -> None:
        rebuild_instance.admit(session, CALLER, self.standing(session))

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert (row.task, row.generation) == ("NONE", 2)
        assert self.cloud.servers[row.id].generation == 2
        assert self.instance not in self.cloud.stopped
        with database.read() as session:
            assert session.get_one(Guest, row.id).generation == 2
        self.each_command_once()


class RebuildingWithModules(Rebuilding):
    """The new guest is given what the old one had."""

    def start(self, session: Session) -> None:
        super().start(session)
        made = moduling.module()
        session.add(made)
        session.flush()
        module_rows.expect(session, session.get_one(Instance, self.instance), [made])
        module_rows.settle(session, self.instance, made.id, "OK", "")

    def check(self, database: Database) -> None:
        super().check(database)
        assert "apply_modules" in {name.split("/")[2] for name in self.asked}


class RebuildingInVain(Rebuilding):
    refuse = MappingProxyType({"rebuild": "FATAL: no"})

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert (row.task, row.fault) == ("ERROR", "FATAL: no")
        assert self.cloud.volumes[row.id] == 2


class ResettingWhileResizing(ResizingFlavor):
    """The size is what it was, and so is the quota; or it came in time and is what was asked for."""

    def meanwhile(self, database: Database) -> None:
        with database.write() as session:
            if not session.query(Run).filter_by(workflow="reset_status").count():
                reset_status.admit(session, CALLER, session.get_one(Instance, self.instance))
        super().meanwhile(database)

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert status(servers.facts(row)) == "ACTIVE"
        flavor = {TINY.id: TINY, SMALL.id: SMALL}[row.flavor_id]
        assert row.ram == self.held(database)["ram"] == self.cloud.limits[row.id] == flavor.ram


class Resetting(Scenario):
    """Of an instance that is being made, and never will be."""

    def start(self, session: Session) -> None:
        reset_status.admit(session, CALLER, self.request(session))

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert status(servers.facts(row)) == "ACTIVE"
        assert self.held(database)["instances"] == 1


EVERY = (
    ResizingFlavor,
    ShrinkingFlavor,
    ResizingFlavorInVain,
    ResizingFlavorWithoutSettings,
    DeletingWhileResizing,
    ResizingVolume,
    ResizingVolumeWithoutSettings,
    ResizingVolumeInVain,
    ResizingVolumeOfADeafServer,
    ResizingVolumeBeforeARestart,
    Rebooting,
    RebootingInVain,
    RebootingWithoutSettings,
    RebootingAStoppedOne,
    Stopping,
    StoppingInVain,
    Starting,
    StartingInVain,
    Rebuilding,
    RebuildingWithModules,
    RebuildingInVain,
    Resetting,
    ResettingWhileResizing,
)
