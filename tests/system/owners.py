"""Somebody who makes databases of every engine, waits for them and asks them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from argosy import errors
from argosy.client.resources import Client, Document, Request
from argosy.testing.connections import Door, door
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import answered, eventually

ENGINES = ("postgresql", "mariadb", "redis")
HELLO = {"postgresql": "SELECT 1", "mariadb": "SELECT 1", "redis": "PING"}


@dataclass
class Owner:
    """Somebody who makes databases and waits for them."""

    argosy: Deployment
    client: Client
    passwords: dict[str, str]

    def create(self, engine: str, name: str = "m", **more: Any) -> Document:
        made = self.client.instances.create(Request(name, engine, more.pop("flavor", "2"), 1, **more))
        self.passwords[made["id"]] = made.get("password", "")
        return made

    def ready(self, engine: str, name: str = "m", **more: Any) -> Document:
        """An instance that is ACTIVE and HEALTHY."""
        made = self.create(engine, name, **more)
        self.ended(made["id"])
        return self.healthy(made["id"])

    def healthy(self, instance: str) -> Document:
        def look() -> Document | None:
            seen = self.client.instances.get(instance)
            told = (seen["status"], seen["operating_status"], seen.get("fault"))
            assert told[:2] == ("ACTIVE", "HEALTHY"), told
            return seen

        found = eventually(look, within=60)
        assert found is not None
        return found

    def ended(self, instance: str, *, within: float = 120, every: float = 0.02) -> Document:
        """The newest operation, once none is under way any more."""

        def look() -> Document | None:
            operations = self.client.instances.operations(instance)["operations"]
            active = [each for each in operations if each["state"] == "active"]
            assert not active, active
            return operations[0] if operations else None

        found = eventually(look, within=within, every=every)
        assert found is not None
        return found

    def insist(self, ask: Callable[[], Any], happened: Callable[[], bool]) -> None:
        """Ask until it has happened: an answer that was lost with the api says nothing of what was done."""

        def attempt() -> bool:
            return happened() or (self.reaches(ask) and happened())

        eventually(attempt, within=60, every=0.2)

    def reaches(self, ask: Callable[[], Any]) -> bool:
        """The api answers again."""
        try:
            ask()
        except errors.Unavailable as error:
            raise AssertionError(error.message) from error
        return True

    def answers(self, instance: Document, engine: str) -> None:
        answering(self.door(instance), engine)

    def door(self, instance: Document, **more: Any) -> Door:
        password = more.pop("password", self.passwords[instance["id"]])
        return door(self.client, instance, password, **more)

    def delete(self, instance: str) -> None:
        self.client.instances.delete(instance)
        eventually(lambda: self.gone(instance), within=120)

    def gone(self, instance: str) -> bool:
        return all(each["id"] != instance for each in self.client.instances.list())


def answering(door: Door, engine: str) -> None:
    """The server answers within a few seconds: it may just be coming back."""
    eventually(lambda: answered(lambda: door.ask(HELLO[engine])) in {"1", "PONG"}, within=20)


def values(owner: Owner, instance_id: str) -> dict[str, float]:
    """What Prometheus would read, without labels."""
    session = owner.client.session
    answer = session._send("GET", f"{session.endpoint}/instances/{instance_id}/metrics", None)
    lines = (line.rpartition(" ") for line in answer.data.decode().splitlines() if not line.startswith("#"))
    return {name.partition("{")[0]: float(value) for name, _, value in lines}
