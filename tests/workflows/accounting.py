"""Changes of accounts: one command each, with others waiting for their turn."""

from __future__ import annotations

from types import MappingProxyType
from typing import ClassVar

from scenario import CALLER, Scenario
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy.db.session import Database
from argosy.db.tables import Event, Instance, Lock, Run
from argosy.durable.workflow import Workflow
from argosy.model.status import Facts, Task, status
from argosy.workflows import change_accounts
from argosy.workflows.change_accounts import Plan
from argosy.workflows.world import World


class Changing(Scenario):
    operation: ClassVar[Workflow[World]] = change_accounts.create_databases

    def start(self, session: Session) -> None:
        plan = Plan(self.operation, [{"do": "put_user", "password": "secret"}], {"dbname": "shop"})
        change_accounts.admit(session, CALLER, self.standing(session), plan)

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert (status(Facts(row.task)), row.fault) == ("ACTIVE", None)
        assert sum(self.asked.values()) == 1
        self.no_secret_left(database)
        self.over(database, "end")

    def over(self, database: Database, outcome: str) -> None:
        """Told once at its start and once at its end, and nothing held any more."""
        with database.read() as session:
            told = session.scalars(select(Event.kind).where(Event.kind.like(f"dbaas.{self.operation.event}.%"))).all()
            assert sorted(told) == sorted(f"dbaas.{self.operation.event}.{each}" for each in ("start", outcome))
            assert session.scalars(select(Lock.subject)).all() == []


class ChangingInVain(Changing):
    """The instance is what it was, and says what went wrong."""

    refuse = MappingProxyType({"change_accounts": "PostgreSQL: the disk is full"})

    def check(self, database: Database) -> None:
        row = self.row(database)
        assert (status(Facts(row.task)), row.fault) == ("ACTIVE", "PostgreSQL: the disk is full")
        self.no_secret_left(database)
        self.over(database, "error")


class DeletingDatabase(Changing):
    operation = change_accounts.delete_database


class CreatingUsers(Changing):
    operation = change_accounts.create_users


class DeletingUser(Changing):
    operation = change_accounts.delete_user


class ChangingPasswords(Changing):
    operation = change_accounts.change_passwords


class UpdatingUser(Changing):
    operation = change_accounts.update_user


class Granting(Changing):
    operation = change_accounts.grant_access


class Revoking(Changing):
    operation = change_accounts.revoke_access


class DisablingMaster(Changing):
    """Root is not enabled any more; who was told first stays on record."""

    operation = change_accounts.disable_master

    def start(self, session: Session) -> None:
        super().start(session)
        instance = session.get_one(Instance, self.instance)
        instance.master_told, instance.master_told_at, instance.master_told_by = True, 1.0, "u"

    def check(self, database: Database) -> None:
        super().check(database)
        row = self.row(database)
        assert (row.master_told, row.master_told_at, row.master_told_by) == (False, 1.0, "u")


class DisablingMasterInVain(ChangingInVain, DisablingMaster):
    """Root is as enabled as before."""

    def check(self, database: Database) -> None:
        super().check(database)
        assert self.row(database).master_told


class DeletingMeanwhile(Changing):
    """The owner deletes the instance while its guest works: the change ends, and the delete is not held up."""

    def meanwhile(self, database: Database) -> None:
        with database.write() as session:
            run = session.scalars(select(Run).where(Run.workflow == self.operation.name)).one()
            if run.state == "active":
                session.get_one(Instance, self.instance).task = Task.DELETING
                run.cancelled, run.wake_at = True, 0.0

    def check(self, database: Database) -> None:
        assert self.row(database).task == Task.DELETING
        self.over(database, "error")


EVERY = (
    Changing,
    ChangingInVain,
    DeletingDatabase,
    CreatingUsers,
    DeletingUser,
    ChangingPasswords,
    UpdatingUser,
    Granting,
    Revoking,
    DisablingMaster,
    DisablingMasterInVain,
    DeletingMeanwhile,
)
