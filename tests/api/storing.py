"""Guests that write and read backups, and what is asked of them by the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from backstage import PAUSE, Backstage
from calling import As
from sqlalchemy import select, update

from argosy import clock
from argosy.db.session import Database
from argosy.db.tables import Command, Instance, QuotaUse
from argosy.durable.lease import Leases
from argosy.durable.runner import Runner
from argosy.stores import deployment
from argosy.testing.fakes import Cloud, FakeGuests, FakeProvider
from argosy.testing.waiting import eventually
from argosy.workflows.registry import WORKFLOWS
from argosy.workflows.world import World

NOBODYS = "aaaaaaaa-0000-4000-8000-000000000001"


@dataclass
class Keepers(Backstage):
    """Guests that write and read backups, and a worker."""

    data: dict[str, bytes] = field(default_factory=dict)
    slow: bool = False
    """they have begun, and come to no end before they are told"""

    def run(self) -> None:
        with self.database.read() as session:
            servers = dict.fromkeys(session.scalars(select(Instance.id)))
        world = World(self.settings, FakeProvider(Cloud(servers=servers)))  # type: ignore[arg-type]  # none is looked at
        runner = Runner(self.database, WORKFLOWS, world, clock.now, Leases(self.database, "keepers", clock.now))
        while not self.over.wait(PAUSE):
            if self._answer_all() or runner.run_once():
                self.bell.ring()

    def _answer_all(self) -> int:
        if self.slow:
            with self.database.write() as session:
                begun = Command.answered.is_(False) & Command.cancelled.is_(False)
                session.execute(update(Command).where(begun).values(done=256, total=1024, unit="bytes"))
                if session.scalar(select(Command.id).where(Command.answered.is_(False), Command.cancelled)) is None:
                    return 0
        return FakeGuests(self.database, store=deployment.store(self.settings), data=self.data).answer_all()


def take(who: As, instance: str, **more: Any) -> dict[str, Any]:
    answer = who("POST", "/backups", {"backup": {"name": "b1", "instance": instance, **more}})
    assert answer.status_code == 202, answer.text
    return dict(answer.json["backup"])


def ended(who: As, backup: str, status: str = "COMPLETED") -> dict[str, Any]:
    def look() -> dict[str, Any]:
        seen = who.get(f"/backups/{backup}")["backup"]
        assert seen["status"] == status, seen
        return dict(seen)

    return eventually(look)


def gone(who: As, backup: str) -> bool:
    assert who("GET", f"/backups/{backup}").status_code == 404
    return True


def used(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(QuotaUse.used).where(QuotaUse.resource == "backups")) or 0
