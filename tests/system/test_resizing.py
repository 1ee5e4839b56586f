"""Size, stop and start, and a new server, on the real engines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from owners import ENGINES, Owner

from argosy import errors
from argosy.client.resources import Document
from argosy.testing import machines
from argosy.testing.connections import Door
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually

MIB = 1 << 20
MEMORY = {
    "postgresql": "SELECT setting::bigint * 8192 FROM pg_settings WHERE name = 'shared_buffers'",
    "mariadb": "SELECT @@innodb_buffer_pool_size",
}
KEEP = {"postgresql": "CREATE TABLE kept AS SELECT 42 AS it", "mariadb": "CREATE DATABASE kept", "redis": "SET kept 42"}
KEPT = {
    "postgresql": ("SELECT it FROM kept", "42"),
    "mariadb": ("SHOW DATABASES LIKE 'kept'", "kept"),
    "redis": ("GET kept", "42"),
}


def act(owner: Owner, instance: str, **action: Any) -> str:
    """Ask for it; the status that is seen right after the answer."""
    owner.client.session.post(f"/instances/{instance}/action", action)
    return str(owner.client.instances.get(instance)["status"])


def done(owner: Owner, instance: str) -> None:
    ended = owner.ended(instance)
    assert ended["state"] == "done", (ended["operation"], ended.get("error"), ended["steps"])


def limit(instance: str) -> int:
    """MiB that the guest may use, as the machine has it."""
    pid = machines.agent_of(instance)
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "memory":
            return int(Path(f"/sys/fs/cgroup/memory{path}/memory.limit_in_bytes").read_text()) // MIB
    return int(Path(f"/sys/fs/cgroup{path}/memory.max").read_text()) // MIB


def kept(door: Door, engine: str) -> None:
    question, answer = KEPT[engine]
    assert door.ask(question) == answer


@pytest.mark.parametrize("engine", ENGINES)
def test_flavor_up_and_down(owner: Owner, engine: str) -> None:
    instance = owner.ready(engine)
    door, name = owner.door(instance), instance["id"]
    door.ask(KEEP[engine])
    memory = {}
    for flavor, ram in (("3", 1024), ("1", 256)):
        assert act(owner, name, resize={"flavorRef": flavor}) == "RESIZE"
        done(owner, name)
        seen = owner.healthy(name)
        assert (seen["flavor"]["id"], limit(name)) == (flavor, ram)
        owner.answers(seen, engine)
        memory[ram] = int(door.ask(MEMORY[engine])) if engine in MEMORY else ram
    assert memory[1024] > memory[256]
    kept(door, engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_volume_grows_under_a_running_server(owner: Owner, engine: str) -> None:
    instance = owner.ready(engine)
    server = machines.engine_of(instance["id"])
    assert act(owner, instance["id"], resize={"volume": {"size": 2}}) == "RESIZE"
    done(owner, instance["id"])

    def larger() -> Document | None:
        seen = owner.healthy(instance["id"])
        assert seen["volume"]["size"] == 2
        assert seen["volume"]["used"] / seen["volume"]["used_percent"] * 100 > 1.8
        return seen

    eventually(larger, within=30)
    assert machines.engine_of(instance["id"]) == server
    owner.answers(instance, engine)


def test_a_pool_without_room_is_a_fault_and_nothing_else(owner: Owner) -> None:
    instance = owner.ready("redis")["id"]
    assert act(owner, instance, resize={"volume": 999}) == "RESIZE"
    ended = owner.ended(instance)
    assert "does not fit into the pool" in ended["error"]
    assert owner.healthy(instance)["volume"]["size"] == 1
    assert "does not fit into the pool" in owner.client.instances.get(instance)["fault"]["message"]


@pytest.mark.parametrize("engine", ENGINES)
def test_stopped_it_stays_stopped_until_it_is_started(argosy: Deployment, owner: Owner, engine: str) -> None:
    instance = owner.ready(engine)
    door, name = owner.door(instance), instance["id"]
    door.ask(KEEP[engine])
    assert act(owner, name, stop={}) == "SHUTDOWN"
    done(owner, name)
    argosy.down()
    for pid in list(machines.pids_of(name)):
        machines.kill(pid)
    argosy.up()
    eventually(lambda: machines.agent_of(name), within=60)  # the guest is back, as after a reboot
    owner.ended(name)
    seen = owner.client.instances.get(name)
    assert (seen["status"], seen["operating_status"], machines.engine_of(name)) == ("SHUTDOWN", "SHUTDOWN", 0)
    with pytest.raises(errors.Rejected, match="stopped"):
        act(owner, name, restart={})
    assert act(owner, name, start={}) == "REBOOT"
    done(owner, name)
    owner.healthy(name)
    kept(door, engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_new_server_over_the_same_data(owner: Owner, engine: str) -> None:
    instance = owner.ready(engine)
    door, name = owner.door(instance), instance["id"]
    door.ask(KEEP[engine])
    agent = machines.agent_of(name)
    assert act(owner, name, rebuild={}) == "BUILD"
    done(owner, name)
    seen = owner.healthy(name)
    assert seen["endpoints"] == instance["endpoints"]
    assert machines.agent_of(name) != agent
    kept(door, engine)
