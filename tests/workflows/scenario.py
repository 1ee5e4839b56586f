"""What every scenario of an operation shares: a deployment without machines, and questions for its end."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from argosy.db import quotas
from argosy.db.session import Database
from argosy.db.tables import Command, DatastoreVersion, Guest, Instance, Run
from argosy.durable import queue
from argosy.durable.workflow import Workflow
from argosy.model.caller import Caller
from argosy.model.status import Task
from argosy.providers.base import Source
from argosy.settings import Settings
from argosy.testing.crashes import Passes
from argosy.testing.fakes import Cloud, FakeGuests, FakeProvider
from argosy.workflows import (
    create_instance,
    offers,
    ports,
)
from argosy.workflows.registry import WORKFLOWS
from argosy.workflows.world import World

CALLER = Caller("u", "user", "p", "project")
VERSION = "15.18"
TEMPLATE = f"postgresql-{VERSION}"


class Scenario:
    """A deployment with one version on offer, its template sealed unless told otherwise."""

    templates = frozenset({TEMPLATE})
    refuse: Mapping[str, str] = MappingProxyType({})

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.cloud = Cloud(sealed=set(self.templates))
        self.asked: dict[str, int] = {}
        self.instance = ""

    @property
    def workflows(self) -> Mapping[str, Workflow[Any]]:
        return WORKFLOWS

    def world(self, passes: Passes) -> World:
        self.cloud.on_call = lambda verb, after: passes(f"{'after' if after else 'before'} {verb}")
        return World(self.settings, FakeProvider(self.cloud))

    def meanwhile(self, database: Database) -> None:
        FakeGuests(database, self.asked, self.refuse).answer_all()

    def offer(self, session: Session) -> str:
        provider = FakeProvider(self.cloud)
        offers.write_down(session, provider, provider.catalog())
        return session.scalars(select(DatastoreVersion.id).where(DatastoreVersion.number == VERSION)).one()

    def request(self, session: Session) -> Instance:
        new = create_instance.NewInstance("m1", "1", 2, self.offer(session), "RegionOne")
        made = create_instance.admit(session, self.settings, CALLER, new)
        self.instance = made.instance.id
        return made.instance

    def standing(self, session: Session) -> Instance:
        """An instance as `create_instance` leaves it."""
        instance = self.request(session)
        run = session.scalars(select(Run)).one()
        queue.locks.release(session, run.id)
        session.delete(run)
        instance.task = Task.NONE
        session.add(Guest(id=instance.id, generation=1, health="healthy", connected=True))
        session.merge(ports.endpoint(instance, "127.9.0.1", 5432, ""))
        provider = FakeProvider(self.cloud)
        provider.volumes.ensure(instance.id, 2, Source(template=TEMPLATE))
        self.cloud.ports[instance.id] = "127.9.0.1"
        self.cloud.servers[instance.id] = None  # type: ignore[assignment]
        return instance

    # --- what is asked at the end ---

    def row(self, database: Database) -> Instance:
        with database.read() as session:
            return session.get_one(Instance, self.instance)

    def each_command_once(self) -> None:
        """An agent's journal would drop a second delivery: here there must not even be one."""
        assert set(self.asked.values()) <= {1}

    def no_secret_left(self, database: Database) -> None:
        with database.read() as session:
            kept = select(func.count()).select_from(Command).where(Command.arguments.is_not(None))
            assert session.scalar(kept) == 0

    def held(self, database: Database) -> dict[str, int]:
        with database.read() as session:
            return {each.resource: each.in_use for each in quotas.report(session, self.settings, "p")}
