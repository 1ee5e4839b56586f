"""Logs of real servers: switched, read while they grow, published, and kept small."""

from __future__ import annotations

import json
from typing import Any

import pytest
from owners import Owner

from argosy.client.logs import Logs
from argosy.testing.waiting import eventually

MARK = {"postgresql": "SELECT 'find_me'", "mariadb": "SELECT 'find_me'"}


def logs(owner: Owner, instance: str) -> Logs:
    return Logs(owner.client.session, instance)


def text(owner: Owner, instance: str, log: str) -> str:
    return "".join(logs(owner, instance).text(log))


def told(owner: Owner, instance: str, log: str) -> dict[str, Any]:
    return next(each for each in logs(owner, instance).list() if each["name"] == log)


@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
def test_statements_are_logged_read_and_published(owner: Owner, engine: str) -> None:
    made = owner.ready(engine)
    instance, door = made["id"], owner.door(made)
    found = logs(owner, instance)
    assert told(owner, instance, "general")["status"] == "Disabled"
    assert found.change("general", "enable")["status"] in ("Enabled", "Ready")
    door.ask(MARK[engine])
    eventually(lambda: "find_me" in text(owner, instance, "general"))
    owner.client.instances.reset_password(instance)
    assert "os_admin" not in text(owner, instance, "general").lower()

    published = found.change("general", "publish")
    assert published["container"] == "database_logs"
    assert published["prefix"] == f"{instance}/{engine}-general/"
    store = owner.argosy.state / "objects" / "database_logs"
    (part, *_) = found.parts("general")
    assert "find_me" in (store / published["prefix"] / part["name"]).read_text()
    metafile = json.loads((store / published["metafile"]).read_text())
    assert metafile["log_size"] == published["published"] > 0

    assert found.change("general", "disable", "discard")["container"] == "None"
    assert not list((store / instance).rglob("log-*"))
    assert told(owner, instance, "general")["status"] == "Disabled"
