"""Somebody is killed at a random moment of a backup and of a restore: it is done, or an error and nothing is left."""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import signal
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from argosy.agent import moving
from argosy.db.tables import Command
from argosy.testing.agents import RealGuest
from argosy.testing.channel import Channel
from argosy.testing.clients import CLIENTS, Login, Tenant
from argosy.testing.waiting import eventually

PASSWORD = "correct-horse-battery"
ROUNDS = 20 if os.environ.get("ARGOSY_SOAK") else 1
STRATEGIES = {"redis": "rdb", "mysql": "mariabackup", "postgresql": "basebackup"}
ROWS = 50
Make = Callable[..., RealGuest]


def tenant(guest: RealGuest) -> Tenant:
    site = guest.site
    return CLIENTS[guest.engine.name](Login(site.address, site.port, "root", PASSWORD, guest.channel.authority.pem))


def order(strategy: str, rate: int) -> dict[str, Any]:
    backup = str(uuid.uuid4())
    place = f"database_backups/project/{backup}/"
    told = {"backup": backup, "place": place, "attempt": secrets.token_hex(8), "key": secrets.token_hex(32)}
    limits = {"bytes_per_second": rate}
    return {**told, "strategy": strategy, "since": None, "total": 0, "limits": limits}


def link(asked: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    known = {name: asked[name] for name in ("backup", "place", "key", "strategy")}
    return known | {name: answer[name] for name in ("attempt", "position", "raw_bytes", "parts_sha256")}


def movers(guest: RealGuest) -> list[int]:
    """The child that moves a backup, and all that it has started."""
    return list(moving._working([guest.state / "archive", guest.site.data / "scratch"]))


def with_somebody_killed(guest: RealGuest, verb: str, **arguments: Any) -> Command:
    """The answer, when at a random moment the agent, the child or one of its tools was killed."""
    command = guest.channel.ask(guest.id, verb, **arguments)
    eventually(lambda: movers(guest) or guest.channel.command(command).answered)
    time.sleep(random.uniform(0, 2))
    victims = [*movers(guest), guest.agent_pid()]
    with contextlib.suppress(ProcessLookupError):
        os.kill(random.choice(victims), signal.SIGKILL)
    answer = guest.channel.await_answer(command, within=120)
    print(verb, answer.error or "done")
    eventually(lambda: not movers(guest))
    assert not [each for each in (guest.state / "archive", guest.site.data / "scratch") if each.exists()]
    return answer


@pytest.mark.timeout(300 + 120 * ROUNDS)
@pytest.mark.parametrize("engine", STRATEGIES)
def test_done_or_an_error_and_nothing_left(channel: Channel, guest: Make, engine: str) -> None:
    channel.start()
    source = guest(engine)
    source.start()
    if engine != "redis":
        source.do("install")
    source.do("prepare", master=PASSWORD)
    filled = tenant(source)
    for number in range(ROWS):
        filled.write(f"{number}", "x" * 20_000)
    filled.close()
    size = source.do("backup", **order(STRATEGIES[engine], 0))["raw_bytes"]
    for _ in range(ROUNDS):
        asked = order(STRATEGIES[engine], size // 2)
        answer = with_somebody_killed(source, "backup", **asked)
        taken = answer.result or source.do("backup", **(asked := order(STRATEGIES[engine], 0)))
        compare(guest(engine), link(asked, taken), size // 2)


def compare(other: RealGuest, chain: dict[str, Any], rate: int) -> None:
    other.start()
    order = {"chain": [chain], "overrides": {}, "master": PASSWORD, "limits": {"bytes_per_second": rate}}
    if with_somebody_killed(other, "restore", **order).error:
        other.do("restore", **order)
    restored = tenant(other)
    assert [restored.read(f"{number}") for number in range(ROWS)] == ["x" * 20_000] * ROWS
    restored.close()
    other.stop()
