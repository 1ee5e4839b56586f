"""Logs of real servers: switched, read while they grow, published, and kept small."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from typing import Any

import psycopg
import pytest
from owners import Owner, answering

from argosy import errors
from argosy.client.configurations import Configurations
from argosy.client.logs import Logs
from argosy.testing import machines
from argosy.testing.connections import Door
from argosy.testing.waiting import eventually

MARK = {"postgresql": "SELECT 'find_me'", "mariadb": "SELECT 'find_me'"}


def logs(owner: Owner, instance: str) -> Logs:
    return Logs(owner.client.session, instance)


def text(owner: Owner, instance: str, log: str, offset: int = 0) -> str:
    """Its agent may just be coming back."""
    try:
        return "".join(logs(owner, instance).text(log, offset=offset))
    except errors.Unavailable as error:
        raise AssertionError(error.message) from error


def logged(owner: Owner, instance: str, door: Door, statement: str) -> bool:
    """Said until it is kept: what is said while nobody reads may be lost."""
    door.ask(statement)
    return statement in text(owner, instance, "general", offset=-100_000)


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


@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
def test_a_busy_log_stays_small_and_survives_kills(owner: Owner, engine: str) -> None:
    """Agent and server are killed while statements are logged; both go on, and what is kept stays small."""
    made = owner.ready(engine)
    instance, door = made["id"], owner.door(made)
    logs(owner, instance).change("general", "enable")
    long = f"SELECT length('{'x' * 60_000}')"
    for round_ in range(3):
        for _ in range(100):
            door.ask(long)
        kill = (machines.agent_of, machines.engine_of, machines.agent_of)[round_]
        os.kill(kill(instance), signal.SIGKILL)
        owner.healthy(instance)
        answering(door, engine)
        said = f"{MARK[engine]}, {round_}"
        eventually(lambda said=said: logged(owner, instance, door, said), every=0.5)  # type: ignore[misc]
    kept = told(owner, instance, "general")
    assert kept["status"] == "Ready"
    assert 0 < kept["pending"] <= 4 * (1 << 30) // 512


def test_a_log_is_followed(owner: Owner) -> None:
    """By the command, on a server that says something meanwhile."""
    made = owner.ready("postgresql")
    argv = [sys.executable, "-m", "argosy", "db", "logs", made["name"], "--log", "error", "--follow"]
    with subprocess.Popen(argv, env=owner.argosy.env(), stdout=subprocess.PIPE, text=True, cwd="/") as following:
        assert following.stdout is not None
        try:
            seen = iter(following.stdout.readline, "")
            assert any("ready to accept connections" in line for line in seen)
            with pytest.raises(psycopg.Error):
                owner.door(made).ask("SELECT no_such_thing")
            assert any("no_such_thing" in line for line in seen)
        finally:
            following.kill()


def test_slow_commands_of_redis(owner: Owner) -> None:
    """Every command is slow where the threshold is nothing. Ours are in no log, and no password is."""
    made = owner.ready("redis")
    door = owner.door(made)
    groups = Configurations(owner.client.session)
    group = groups.create("all", "redis", "", {"slowlog-log-slower-than": 0}, "")
    groups.attach(made["id"], group["id"])
    owner.ended(made["id"])

    def seen() -> bool:
        door.ask("SETRANGE slow 4194304 x")
        return "'SETRANGE' 'slow'" in text(owner, made["id"], "slow_query")

    eventually(seen, within=60, every=1)
    assert owner.passwords[made["id"]] not in text(owner, made["id"], "slow_query")
    assert told(owner, made["id"], "slow_query")["status"] in ("Enabled", "Ready")
    assert "Ready to accept connections" in text(owner, made["id"], "error")


def test_modules_are_applied_and_removed(owner: Owner) -> None:
    """At create and later; one that cannot be used says why."""
    post, get = owner.client.session.post, owner.client.session.get

    def module(name: str, kind: str, contents: str) -> str:
        body = {"name": name, "module_type": kind, "contents": base64.b64encode(contents.encode()).decode()}
        return str(post("/modules", {"module": body})["module"]["id"])

    greeting, bad = module("greeting", "ping", "message=hello"), module("bad", "new_relic_license", "nothing")
    good = module("good", "new_relic_license", "license_key=abc123")
    order = {
        "name": "m", "flavorRef": "1", "volume": {"size": 1}, "datastore": {"type": "redis"},
        "modules": [{"id": greeting}],
    }  # fmt: skip
    instance = post("/instances", {"instance": order})["instance"]["id"]
    owner.ended(instance)
    path = f"/instances/{instance}/modules"
    (given,) = get(path, from_guest="true")["modules"]
    assert (given["status"], given["message"]) == ("OK", "hello")
    owner.healthy(instance)
    told = {each["name"]: each for each in post(path, {"modules": [{"id": bad}, {"id": good}]})["modules"]}
    assert (told["good"]["status"], told["bad"]["status"]) == ("OK", "ERROR")
    assert "license_key" in told["bad"]["message"]
    for each in (greeting, bad, good):
        owner.client.session.delete(f"{path}/{each}")
        owner.client.session.delete(f"/modules/{each}")
    assert get(path)["modules"] == []
