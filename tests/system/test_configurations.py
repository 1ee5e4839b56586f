"""Configuration groups on real servers: applied at once or with a restart, taken back when a server cannot start."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
from owners import Owner, answering

from argosy.client.resources import Document
from argosy.testing import machines
from argosy.testing.waiting import eventually

ASK = {"postgresql": "SHOW {}", "mariadb": "SELECT @@global.{}"}
AT_ONCE: dict[str, tuple[str, Any, str]] = {
    "postgresql": ("work_mem", 7777, "7777kB"),
    "mariadb": ("net_read_timeout", 77, "77"),
}
LATE: dict[str, tuple[str, Any, str]] = {
    "postgresql": ("max_connections", 33, "33"),
    "mariadb": ("back_log", 77, "77"),
}
DEADLY = {"max_locks_per_transaction": 2147483647}
"""Passes every check, and asks for more shared memory than there can be."""


class Groups:
    def __init__(self, owner: Owner) -> None:
        self.session = owner.client.session

    def make(self, engine: str, values: dict[str, Any]) -> str:
        body = {"name": "g", "values": values, "datastore": {"type": engine}}
        return str(self.session.post("/configurations", {"configuration": body})["configuration"]["id"])

    def attach(self, instance: Document, group: str | None) -> None:
        self.session.request("PUT", f"/instances/{instance['id']}", {"instance": {"configuration": group}})

    def edit(self, group: str, values: dict[str, Any]) -> None:
        self.session.request("PATCH", f"/configurations/{group}", {"configuration": {"values": values}})


@pytest.fixture
def groups(owner: Owner) -> Groups:
    return Groups(owner)


def look(owner: Owner, instance: Document, engine: str, name: str) -> str:
    return str(owner.door(instance).ask(ASK[engine].format(name)))


@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
def test_at_once_then_with_a_restart_then_back(owner: Owner, groups: Groups, engine: str) -> None:
    instance = owner.ready(engine)
    (now, value, shown), (late, other, then) = AT_ONCE[engine], LATE[engine]
    before = look(owner, instance, engine, now)
    group = groups.make(engine, {now: value})
    groups.attach(instance, group)
    assert look(owner, instance, engine, now) == shown
    assert owner.healthy(instance["id"])["configuration"]["id"] == group
    groups.edit(group, {late: other})
    assert owner.client.instances.get(instance["id"])["status"] == "RESTART_REQUIRED"
    assert look(owner, instance, engine, late) != then
    owner.client.instances.restart(instance["id"])
    owner.ended(instance["id"])
    owner.healthy(instance["id"])
    assert look(owner, instance, engine, late) == then
    groups.attach(instance, None)
    eventually(lambda: look(owner, instance, engine, now) == before, within=10)
    assert owner.client.instances.get(instance["id"])["status"] == "RESTART_REQUIRED"


def test_with_an_instance_from_its_creation(owner: Owner, groups: Groups) -> None:
    group = groups.make("redis", {"maxmemory-policy": "allkeys-lru", "databases": 7})
    made = owner.client.session.post("/instances", {"instance": {
        "name": "r", "flavorRef": "1", "volume": {"size": 1}, "datastore": {"type": "redis"}, "configuration": group,
    }})["instance"]  # fmt: skip
    owner.passwords[made["id"]] = made["password"]
    instance = owner.healthy(made["id"])
    assert instance["configuration"]["id"] == group
    answering(owner.door(instance), "redis")


def test_what_a_server_does_not_start_with_is_taken_back(owner: Owner, groups: Groups) -> None:
    """It runs with what it had before, and the fault has its own words."""
    instance = owner.ready("postgresql")
    group = groups.make("postgresql", {"work_mem": 7777})
    groups.attach(instance, group)
    groups.edit(group, DEADLY)
    owner.client.instances.restart(instance["id"])
    owner.ended(instance["id"])
    seen = owner.client.instances.get(instance["id"])
    assert (seen["status"], seen["configuration"]["id"]) == ("ACTIVE", group)
    assert "max_locks_per_transaction" in seen["fault"]["message"]
    assert "FATAL" in seen["fault"]["message"]
    assert look(owner, instance, "postgresql", "work_mem") == "7777kB"
    groups.edit(group, {"max_locks_per_transaction": 64})
    owner.client.instances.restart(instance["id"])
    owner.ended(instance["id"])
    assert "fault" not in owner.healthy(instance["id"])


def test_a_crash_with_untried_values(owner: Owner, groups: Groups) -> None:
    """Nobody asks for anything then: the server comes back by itself, without them, and that is told."""
    instance = owner.ready("postgresql")
    group = groups.make("postgresql", DEADLY)
    groups.attach(instance, group)
    owner.ended(instance["id"])
    before = len(owner.client.instances.operations(instance["id"])["operations"])
    assert taken_back(owner, instance) == []
    assert machines.kill(machines.engine_of(instance["id"]))
    (event,) = eventually(lambda: taken_back(owner, instance), within=60)
    assert "max_locks_per_transaction" in event["payload"]["message"]
    answering(owner.door(instance), "postgresql")
    assert "FATAL" in owner.client.instances.get(instance["id"])["fault"]["message"]
    assert len(owner.client.instances.operations(instance["id"])["operations"]) == before
    owner.client.instances.restart(instance["id"])
    owner.ended(instance["id"])
    assert len(taken_back(owner, instance)) == 2, "a restart has tried them again"


def taken_back(owner: Owner, instance: Document) -> list[Document]:
    """Events of settings that were taken back."""
    query = {"instance": instance["id"], "kind": "dbaas.configuration_taken_back"}
    found: list[Document] = owner.client.session.get("/events", **query)["events"]
    return found


def test_the_agent_is_killed_again_and_again_meanwhile(owner: Owner, groups: Groups) -> None:
    instance = owner.ready("postgresql")
    groups.attach(instance, groups.make("postgresql", DEADLY))
    owner.client.instances.restart(instance["id"])
    for _ in range(8):
        time.sleep(random.uniform(0.05, 0.6))
        machines.kill(machines.agent_of(instance["id"]))
    ended = owner.ended(instance["id"], within=180)
    assert ended["state"] == "done"
    answering(owner.door(instance), "postgresql")
    eventually(lambda: "max_locks" in owner.client.instances.get(instance["id"])["fault"]["message"], within=30)
