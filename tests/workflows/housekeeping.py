"""Looking how full everything is, and forgetting what is old."""

from __future__ import annotations

from dataclasses import replace

from scenario import Scenario
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db import events
from argosy.db.session import Database
from argosy.db.tables import Event, Fact, Guest, Run
from argosy.durable import queue
from argosy.providers.base import Usage
from argosy.settings import Alarms, Store
from argosy.stores import deployment
from argosy.workflows import forget, watch_room, watch_store


class Filling(Scenario):
    """The pool and a volume are nearly full: it is told once, and stands where it is looked up."""

    def start(self, session: Session) -> None:
        self.cloud.pool = Usage(80, 100)
        guest = session.get_one(Guest, self.standing(session).id)
        guest.volume_used, guest.volume_total = 98, 100
        queue.enqueue(session, watch_room.watch_room, "watch_room")

    def check(self, database: Database) -> None:
        with database.read() as session:
            told = session.scalars(select(Event).where(Event.kind.like("%usage")).order_by(Event.seq)).all()
            assert [(each.kind, each.payload["level"], each.payload["percent"]) for each in told] == [
                ("dbaas.pool_usage", "warning", 80.0),
                ("dbaas.volume_usage", "critical", 98.0),
            ]
            assert session.get_one(Fact, watch_room.POOL).value["pool"]["level"] == "warning"
            assert session.get_one(Guest, self.instance).volume_level == "critical"


class Emptying(Filling):
    """There is room again."""

    def start(self, session: Session) -> None:
        super().start(session)
        full = {"pool": {"used": 95, "total": 100, "percent": 95.0, "level": "critical"}}
        session.add(Fact(name=watch_room.POOL, value=full))
        session.get_one(Guest, self.instance).volume_level = "critical"
        self.cloud.pool = Usage(10, 100)
        session.get_one(Guest, self.instance).volume_used = 93

    def check(self, database: Database) -> None:
        with database.read() as session:
            told = session.scalars(select(Event).where(Event.kind.like("%usage")).order_by(Event.seq)).all()
            assert [each.payload["level"] for each in told] == ["fine", "warning"]


class StoreUsable(Scenario):
    """The store can be used again: nothing of the looking stays in it."""

    def start(self, session: Session) -> None:
        never_full = Alarms(pool_warning_percent=101.0, pool_critical_percent=102.0)
        self.settings = replace(self.settings, alarms=never_full)
        session.add(Fact(name="store", value={"level": "critical", "percent": None, "message": "was away"}))
        queue.enqueue(session, watch_store.watch_store, "watch_store")

    def check(self, database: Database) -> None:
        with database.read() as session:
            assert session.get_one(Fact, "store").value["level"] == "fine"
            told = session.scalars(select(Event).where(Event.kind == "dbaas.store_health")).all()
            assert [each.payload["level"] for each in told] == ["fine"]
        assert list(deployment.store(self.settings).list("argosy_probe/")) == []


class StoreAway(Scenario):
    """The store's directory is missing: told once, and why."""

    def start(self, session: Session) -> None:
        self.settings = replace(self.settings, store=Store(path=str(self.settings.state / "not-mounted")))
        queue.enqueue(session, watch_store.watch_store, "watch_store")

    def check(self, database: Database) -> None:
        with database.read() as session:
            fact = session.get_one(Fact, "store").value
            assert (fact["level"], fact["percent"]) == ("critical", None)
            told = session.scalars(select(Event).where(Event.kind == "dbaas.store_health")).all()
            assert ["is it mounted" in each.payload["message"] for each in told] == [True]


class Forgetting(Scenario):
    """Events beyond their age and records of housekeeping go; what was done to instances stays."""

    def start(self, session: Session) -> None:
        self.request(session)
        long_ago = clock.now() - 500 * 86_400
        events.tell(session, "dbaas.quota", project_id="p")
        for row in session.info[events.TOLD]:
            row[1].at = long_ago
        for name in ("watch", "restart_instance"):
            run = Run(id=name, workflow=name, subject=name, state="done", step="x", memory={}, wake_at=0.0)
            run.created = run.ended = long_ago
            session.add(run)
        queue.enqueue(session, forget.forget, "forget")

    def check(self, database: Database) -> None:
        with database.read() as session:
            assert set(session.scalars(select(Event.kind))) == {"dbaas.instance_create.end"}
            assert set(session.scalars(select(Run.workflow))) == {"restart_instance", "create_instance", "forget"}


EVERY = (Filling, Emptying, StoreUsable, StoreAway, Forgetting)
