"""An agent whose engine writes its log only where that is wanted."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from argosy.testing import servers
from argosy.testing.agents import RealGuest
from argosy.testing.channel import Channel
from argosy.testing.waiting import eventually


@pytest.fixture
def mariadb(channel: Channel, guest: Callable[..., RealGuest]) -> RealGuest:
    servers.require("mysql")
    channel.start()
    made = guest("mysql")
    made.start()
    made.do("install")
    return made


def ready(guest: RealGuest) -> bool:
    told: bool = guest.do("log_ready")["ready"]
    return told


def starts(guest: RealGuest) -> int:
    told: int = guest.ask_init()["starts"]
    return told


@pytest.mark.parametrize("seconds", [None, 0.0, 0.3, 1.0])
def test_it_begins_with_one_restart_whoever_is_killed(mariadb: RealGuest, seconds: float | None) -> None:
    mariadb.do("prepare", master="secret")
    assert not ready(mariadb)
    before = starts(mariadb)
    asked = mariadb.channel.ask(mariadb.id, "write_log")
    if seconds is not None:
        time.sleep(seconds)  # what is tested is when
        mariadb.kill_agent()
    answer = mariadb.channel.await_answer(asked, within=60)
    assert not answer.error, answer.error
    eventually(lambda: ready(mariadb))
    assert starts(mariadb) == before + 1
    mariadb.do("write_log")
    assert starts(mariadb) == before + 1


def test_it_is_as_who_starts_the_server_wants_it(mariadb: RealGuest) -> None:
    mariadb.do("prepare", master="secret", history=True)
    assert ready(mariadb)
    assert starts(mariadb) == 1
    mariadb.do("start", history=False)
    assert ready(mariadb), "of a server that runs nothing changes"
    for wanted in (False, True, False):
        mariadb.do("stop")
        mariadb.do("start", history=wanted)
        assert ready(mariadb) is wanted
    for wanted in (True, False):
        mariadb.do("stop")
        mariadb.do("rebuild", history=wanted, run=True)
        assert ready(mariadb) is wanted
    mariadb.do("stop")
    mariadb.do("start")
    assert not ready(mariadb), "who says nothing changes nothing"
