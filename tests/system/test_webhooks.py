"""Webhooks of the real product: their receiver fails and hangs, and the task manager is killed meanwhile."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from argosy.client.resources import Client
from argosy.testing import receivers
from argosy.testing.deployments import Deployment
from argosy.testing.receivers import Receiver
from argosy.testing.waiting import eventually

WEBHOOKS = {"allowed_networks": "127.0.0.1/32", "timeout_seconds": 1.0}


@pytest.fixture(scope="module")
def argosy() -> Iterator[Deployment]:
    with Deployment(level="root" if os.geteuid() == 0 else "user", webhooks=WEBHOOKS) as deployment:
        yield deployment


@pytest.fixture
def client(argosy: Deployment) -> Client:
    return argosy.client()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receivers.serve() as receiver:
        yield receiver


def make(client: Client, url: str, *kinds: str) -> dict[str, Any]:
    made: dict[str, Any] = client.session.post("/webhooks", {"webhook": {"url": url, "kinds": list(kinds)}})["webhook"]
    return made


def change(client: Client, hook: str) -> None:
    """Something that happens, and needs no database for it."""
    client.session.request("PUT", f"/webhooks/{hook}", {"webhook": {"kinds": ["dbaas.quota"]}})


def position(client: Client, hook: str) -> int:
    return int(client.session.get(f"/webhooks/{hook}")["webhook"]["position"])


def head(client: Client) -> int:
    """Number of the project's last event."""
    return int(client.session.get("/events", limit=1000)["events"][-1]["seq"])


def told(client: Client, hook: str, receiver: Receiver) -> None:
    """Everything up to now was taken."""
    eventually(lambda: position(client, hook) >= head(client), within=90)
    numbers = [each["seq"] for each in client.session.get("/events", since=0, limit=1000)["events"]]
    assert receiver.sequence() == [seq for seq in numbers if seq >= receiver.taken[0]["seq"]]


def test_killed_while_the_receiver_hangs_nothing_is_lost(
    argosy: Deployment, client: Client, receiver: Receiver
) -> None:
    hook, other = make(client, receiver.url)["id"], make(client, "http://127.0.0.1:9/", "dbaas.quota")["id"]
    for manner in ("500", "hang", "close", "hang"):
        receiver.manner, seen = manner, len(receiver.got)
        for _turn in range(3):
            change(client, other)
        eventually(lambda seen=seen: len(receiver.got) > seen, within=60)  # type: ignore[misc]
        argosy.kill("taskmanager")
        receiver.manner = "200"
        told(client, hook, receiver)
    for each in (hook, other):
        client.session.delete(f"/webhooks/{each}")


def test_what_is_sent_can_be_verified(client: Client, receiver: Receiver) -> None:
    made = make(client, receiver.url)
    told(client, made["id"], receiver)
    headers, body = receiver.got[0]
    signed = headers["argosy-timestamp"].encode() + b"." + body
    assert headers["argosy-signature"] == "v1=" + hmac.new(made["secret"].encode(), signed, hashlib.sha256).hexdigest()
    assert headers["argosy-event"] == json.loads(body)["id"]
    client.session.delete(f"/webhooks/{made['id']}")


def test_a_receiver_that_hangs_delays_nobody_else(client: Client, receiver: Receiver) -> None:
    with receivers.serve("hang") as hanging:
        slow = [make(client, hanging.url)["id"] for _number in range(6)]
        good = make(client, receiver.url)["id"]
        eventually(lambda: len(hanging.got) >= len(slow), within=60)
        change(client, good)
        eventually(lambda: position(client, good) >= head(client), within=60)
        for each in (*slow, good):
            client.session.delete(f"/webhooks/{each}")


def test_metrics_and_events_of_the_real_product(argosy: Deployment, client: Client) -> None:
    api = argosy.settings.api

    def metrics() -> str:
        with urllib.request.urlopen(f"http://{api.host}:{api.port}/metrics", timeout=10) as answer:
            return str(answer.read().decode())

    assert "argosy_workers{} 1" in metrics()
    eventually(lambda: "argosy_pool_bytes{" in metrics(), within=90)
    client.session.delete(f"/webhooks/{make(client, 'http://127.0.0.1:9/')['id']}")
    lines = argosy.cli("events", "--export", "--all-projects").stdout.splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert "dbaas.webhook_create" in argosy.cli("events", "--kind", "dbaas.webhook").stdout
