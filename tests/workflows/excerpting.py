"""Databases that are copied from one instance to another."""

from __future__ import annotations

from types import MappingProxyType

from backing import DATA, Backing
from scenario import CALLER
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy.db.session import Database
from argosy.db.tables import Event
from argosy.workflows import copy_excerpt
from argosy.workflows.copy_excerpt import Wanted


class Copying(Backing):
    """A database goes from one instance to another by the store, where nothing of it stays."""

    def start(self, session: Session) -> None:
        instance = self.prepared(session)
        origin = self.standing(session)
        self.instance = instance.id
        self.data[origin.id] = DATA
        copy_excerpt.admit(session, CALLER, instance, origin, Wanted("shop", ("orders",)))

    def check(self, database: Database) -> None:
        assert self.row(database).fault is None
        assert list(self.store.list("database_backups/p/excerpts/")) == []
        assert self.copied(database) == ["start", "end"]
        self.each_command_once()
        self.no_secret_left(database)

    def copied(self, database: Database) -> list[str]:
        mine = select(Event.kind).where(Event.subject == self.instance, Event.kind.like("dbaas.database_copy%"))
        with database.read() as session:
            return [each.rpartition(".")[2] for each in session.scalars(mine.order_by(Event.seq))]


class CopyingInVain(Copying):
    """It is there already: the guest's words stand where the owner looks."""

    refuse = MappingProxyType({"put_in": "shop.orders is there already"})

    def check(self, database: Database) -> None:
        assert "is there already" in (self.row(database).fault or "")
        assert list(self.store.list("database_backups/p/excerpts/")) == []
        assert self.copied(database) == ["start", "error"]


EVERY = (
    Copying,
    CopyingInVain,
)
