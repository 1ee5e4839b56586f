"""Upgrades that come through, and such that are given back: a server never starts over data of another version."""

from __future__ import annotations

from types import MappingProxyType

from scenario import CALLER, VERSION, Scenario
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy.db.session import Database
from argosy.db.tables import Command, DatastoreVersion, Instance
from argosy.model.status import status
from argosy.settings import Settings
from argosy.workflows import delete_instance, servers, upgrade_instance

LATER = "17.10"
HALF = "neither"


class Upgrading(Scenario):
    expected = LATER

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.cloud.versions = (VERSION, LATER)

    def start(self, session: Session) -> None:
        instance = self.standing(session)
        self.cloud.contents[instance.id] = VERSION
        later = session.scalars(select(DatastoreVersion).where(DatastoreVersion.number == LATER)).one()
        upgrade_instance.admit(session, CALLER, instance, later)

    def meanwhile(self, database: Database) -> None:
        """Guests convert the volume that they find, and serve nothing that is not their own."""
        with database.read() as session:
            asked = session.scalars(select(Command.verb).where(Command.answered.is_(False))).all()
        for verb in asked:
            if verb == "upgrade":
                self.cloud.contents[self.instance] = HALF if verb in self.refuse else LATER
            elif verb in {"start", "rebuild"}:
                assert self.cloud.servers[self.instance].version == self.cloud.contents[self.instance]
        super().meanwhile(database)

    def check(self, database: Database) -> None:
        row = self.row(database)
        with database.read() as session:
            assert session.get_one(DatastoreVersion, row.version_id).number == self.expected
        assert self.cloud.contents[row.id] == self.cloud.servers[row.id].version == self.expected
        assert self.cloud.snapshots == {}
        self.fares(row)
        self.each_command_once()
        self.no_secret_left(database)

    def fares(self, row: Instance) -> None:
        assert (status(servers.facts(row)), row.fault, row.generation) == ("ACTIVE", None, 2)


class UpgradingInVain(Upgrading):
    """The data cannot be converted, and are half so when that is seen: old version, old data, and the cause."""

    expected = VERSION
    refuse = MappingProxyType({"upgrade": "Your installation contains user-defined columns of type abstime"})

    def fares(self, row: Instance) -> None:
        assert (status(servers.facts(row)), row.generation) == ("ACTIVE", 3)
        assert "abstime" in (row.fault or "")


class UpgradingWithoutStatistics(Upgrading):
    """It has been upgraded, and its owner is told what it lacks."""

    refuse = MappingProxyType({"measure": "could not extend file"})

    def fares(self, row: Instance) -> None:
        assert status(servers.facts(row)) == "ACTIVE"
        assert "statistics" in (row.fault or "")


class UpgradingAClosedDoor(Upgrading):
    """The new version was seen with all that is its own, and does not start for clients: a rebuild goes on."""

    refuse = MappingProxyType({"start": "could not bind the address"})

    def fares(self, row: Instance) -> None:
        assert status(servers.facts(row)) == "ERROR"
        assert "could not bind" in (row.fault or "")


class DeletingWhileUpgrading(Upgrading):
    """Nothing is left, and no copy of it either."""

    def meanwhile(self, database: Database) -> None:
        with database.write() as session:
            delete_instance.admit(session, CALLER, session.get_one(Instance, self.instance))
        super().meanwhile(database)

    def check(self, database: Database) -> None:
        assert self.row(database).deleted
        assert (self.cloud.names(), self.cloud.snapshots) == (set(), {})
        assert set(self.held(database).values()) == {0}


EVERY = (
    Upgrading,
    UpgradingInVain,
    UpgradingWithoutStatistics,
    UpgradingAClosedDoor,
    DeletingWhileUpgrading,
)
