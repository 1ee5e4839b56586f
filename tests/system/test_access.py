"""Who reaches a database from outside: real engines, and another machine with an allowed and another address."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest
from owners import HELLO, Owner

from argosy.client.resources import Document
from argosy.providers.local.layout import Layout
from argosy.providers.local.processes import Holders
from argosy.testing.connections import Door
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually

OURS, FRIEND, STRANGER = "198.18.79.1", "198.18.79.2", "198.18.79.3"


@pytest.fixture(scope="module")
def neighbour() -> Iterator[str]:
    """Another machine, as far as the network goes: a namespace with two addresses, cabled to ours."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    name = f"agt{uuid.uuid4().hex[:8]}"
    commands = (
        f"ip netns add {name}",
        f"ip link add {name} type veth peer name eth0 netns {name}",
        f"ip address add {OURS}/24 dev {name}",
        f"ip link set {name} up",
        f"ip -n {name} address add {FRIEND}/24 dev eth0",
        f"ip -n {name} address add {STRANGER}/24 dev eth0",
        f"ip -n {name} link set eth0 up",
    )
    try:
        for command in commands:
            subprocess.run(command.split(), check=True)
        yield name
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=False)


@pytest.fixture(scope="module", params=["loopback", "namespace"])
def argosy(neighbour: str, request: pytest.FixtureRequest) -> Iterator[Deployment]:  # noqa: ARG001 - its address is ours
    told = {"network": request.param, "publish_addresses": OURS}
    with Deployment(level="root", provider=told, conductor={"heartbeat_seconds": 1}) as deployment:
        deployment.cli("datastore", "list")
        yield deployment


ASK = """
import json, sys
from argosy.testing.connections import Door
print(Door(**json.loads(sys.argv[1])).ask(sys.argv[2]))
"""


def heard(neighbour: str, source: str, door: Door, statement: str) -> str:
    """What the database answers to the neighbour's address over verified TLS; empty when it does not get that far."""
    route = f"ip -n {neighbour} route replace {OURS}/32 dev eth0 src {source}"
    subprocess.run(route.split(), check=True)
    argv = ["ip", "netns", "exec", neighbour, sys.executable, "-c", ASK, json.dumps(door.__dict__), statement]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False)
    print(ended.stderr)
    return ended.stdout.strip()


def outside(owner: Owner, instance: Document) -> Door:
    (place,) = [each for each in instance["addresses"] if each["type"] == "public"]
    return replace(owner.door(instance), host=place["address"], port=place["port"])


def forwarders(argosy: Deployment, instance: str) -> set[int]:
    lock = Layout(argosy.state).published / instance / "lock"
    return set(Holders([lock]).members()) if lock.exists() else set()


def change(owner: Owner, instance: Document, **access: object) -> Document:
    owner.client.instances.change(instance["id"], {"access": access})
    assert owner.ended(instance["id"])["state"] == "done"
    return owner.client.instances.get(instance["id"])


@pytest.mark.parametrize("engine", ["postgresql", "redis"])
def test_a_public_database_lets_in_whom_it_may(argosy: Deployment, owner: Owner, neighbour: str, engine: str) -> None:
    instance = owner.ready(engine, "m", public=True, allow=(f"{FRIEND}/32",))
    assert instance["access"] == {"is_public": True, "allowed_cidrs": [f"{FRIEND}/32"]}
    door, hello = outside(owner, instance), HELLO[engine]
    assert heard(neighbour, FRIEND, door, hello) in {"1", "PONG"}
    assert heard(neighbour, STRANGER, door, hello) == ""
    change(owner, instance, allowed_cidrs=[f"{STRANGER}/32"])
    assert heard(neighbour, FRIEND, door, hello) == ""
    assert heard(neighbour, STRANGER, door, hello) in {"1", "PONG"}
    shown = change(owner, instance, is_public=False)
    assert [each["type"] for each in shown["addresses"]] == ["private"]
    assert not forwarders(argosy, instance["id"])
    owner.answers(shown, engine)


def test_one_becomes_public_with_a_certificate_that_names_where(
    argosy: Deployment, owner: Owner, neighbour: str
) -> None:
    instance = owner.ready("mariadb", "m")
    assert "public" not in {each["type"] for each in instance["addresses"]}
    argosy.cli("db", "access", "m", "--public", "--allow", f"{FRIEND}/32")
    door = outside(owner, owner.client.instances.get(instance["id"]))
    assert heard(neighbour, FRIEND, door, "SELECT 1") == "1"
    assert f"@{OURS}:{door.port}/" in argosy.cli("db", "url", "m", "--public", "--no-password").stdout
    assert OURS in argosy.cli("db", "connect-info", "m", "--public", "--language", "python").stdout


def test_a_killed_forwarder_comes_back_and_a_lost_control_plane_is_not_missed(
    argosy: Deployment, owner: Owner, neighbour: str
) -> None:
    instance = owner.ready("redis", "m", public=True)
    door, (pid,) = outside(owner, instance), forwarders(argosy, instance["id"])
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: heard(neighbour, FRIEND, door, "PING") == "PONG", within=60, every=0.5)
    before = forwarders(argosy, instance["id"])
    argosy.down()
    assert heard(neighbour, FRIEND, door, "PING") == "PONG"
    argosy.up()
    assert forwarders(argosy, instance["id"]) == before
    owner.delete(instance["id"])
    assert not forwarders(argosy, instance["id"])
