"""All stories, each on a stage of its own and in its own order, two at a time: there are two processors."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gophercloud
import heat
import openstack_shell
import story
import trove_shell
import wire
from public_clients import Clients
from story import Row, Stage

from argosy.db.tables import Fact
from argosy.testing.deployments import Deployment

IMAGE = "4d9f1d1e-2b0a-4c6c-9e55-0d3a6b1f7c20"
STORIES: Mapping[str, Callable[[Stage], list[Row]]] = {
    "openstack": lambda stage: story.play("openstack", openstack_shell.STEPS, stage),
    "trove": lambda stage: story.play("trove", trove_shell.STEPS, stage),
    "openstacksdk": lambda stage: [Row("openstacksdk", *told) for told in stage.demo.sdk("every_method")],
    "gophercloud": lambda stage: wire.call("gophercloud", gophercloud.CALLS, stage),
    "Heat": lambda stage: wire.call("Heat", heat.CALLS, stage),
}


def play_all(argosy: Deployment) -> dict[str, list[Row]]:
    with TemporaryDirectory() as directory, ThreadPoolExecutor(2) as pool:
        stage = _stage(argosy, Path(directory))
        played = {client: pool.submit(each, stage) for client, each in STORIES.items()}
        return {client: each.result() for client, each in played.items()}


def _stage(argosy: Deployment, directory: Path) -> Stage:
    (directory / "module").write_text("message=Argosy\n")
    client = argosy.client("demo@demo")
    known = {
        "endpoint": client.session.endpoint,
        "project": client.session.endpoint.rpartition("/")[2],
        "token": _token(argosy.env("demo@demo")),
        "image": IMAGE,
        "address": _address(argosy, 7),
        "address2": _address(argosy, 8),
        "file": str(directory / "module"),
        "directory": str(directory),
    }
    return Stage(Clients(argosy.env("demo@demo")), Clients(argosy.env("admin@admin")), client, known)


def _address(argosy: Deployment, number: int) -> str:
    """That an instance can ask for."""
    with argosy.database.read() as session:
        fact = session.get(Fact, "provider")
    assert fact is not None
    return str(ipaddress.ip_network(fact.value["network"])[250 * 256 + number])


def _token(environment: Mapping[str, str]) -> str:
    """As gophercloud asks for one."""
    domain = {"id": "default"}
    user = {"name": environment["OS_USERNAME"], "password": environment["OS_PASSWORD"], "domain": domain}
    auth: dict[str, Any] = {
        "identity": {"methods": ["password"], "password": {"user": user}},
        "scope": {"project": {"name": environment["OS_PROJECT_NAME"], "domain": domain}},
    }
    url, headers = environment["OS_AUTH_URL"] + "/auth/tokens", {"Content-Type": "application/json"}
    answer = wire.POOL.request("POST", url, body=json.dumps({"auth": auth}).encode(), headers=headers)
    assert answer.status == 201, answer.data
    return str(answer.headers["X-Subject-Token"])
