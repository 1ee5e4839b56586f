"""`argosy config` against a whole deployment with a real engine."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from argosy.testing.deployments import Deployment
from argosy.testing.servers import require


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    require("redis")
    with Deployment(level="root" if os.geteuid() == 0 else "user") as running:
        running.cli("db", "create", "m1", "--engine", "redis")
        yield running


def test_the_life_of_a_configuration(deployment: Deployment) -> None:
    words = ("config", "create", "fast", "hz=77", "maxmemory-policy=allkeys-lru", "--engine", "redis", "-o", "json")
    made = json.loads(deployment.cli(*words).stdout)
    assert made["values"] == {"hz": 77, "maxmemory-policy": "allkeys-lru"}
    assert "fast" in deployment.cli("config", "list").stdout
    assert deployment.cli("config", "attach", "fast", "m1").stdout.strip() == "m1 is ACTIVE"
    assert "m1" in deployment.cli("config", "instances", "fast").stdout
    assert deployment.cli("config", "delete", "fast", check=False).returncode == 4
    deployment.cli("config", "set", "fast", "databases=7")
    assert "RESTART_REQUIRED" in deployment.cli("db", "list").stdout
    deployment.cli("config", "unset", "fast", "DATABASES", "hz")
    shown = json.loads(deployment.cli("config", "show", made["id"], "-o", "json").stdout)
    assert shown["values"] == {"maxmemory-policy": "allkeys-lru"}
    assert deployment.cli("config", "detach", "m1").stdout.startswith("m1 is ")
    assert deployment.cli("config", "detach", "m1").stdout.strip() == "m1 follows no configuration"
    deployment.cli("config", "delete", "fast")
    assert deployment.cli("config", "show", "fast", check=False).returncode == 3


def test_what_is_refused_is_said(deployment: Deployment) -> None:
    words = ("config", "create", "bad", "--engine", "redis")
    refused = deployment.cli(*words, "hz=0", check=False)
    assert (refused.returncode, "at least 1" in refused.stderr) == (4, True)
    assert deployment.cli(*words, "hz", check=False).returncode == 2


def test_what_may_be_set(deployment: Deployment) -> None:
    listed = json.loads(deployment.cli("config", "parameters", "redis", "-o", "json").stdout)
    assert len(listed) >= 40
    assert "maxmemory-policy" in deployment.cli("config", "parameters", "redis").stdout
