"""Rings reach the processes of a role; what is lost is nobody's trouble."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy import settings as settings_of
from argosy.durable.doorbell import Doorbell
from argosy.durable.notify import Notifier
from argosy.settings import Settings
from argosy.testing import databases
from argosy.testing.waiting import eventually


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """With a directory too long for the address of a socket."""
    return Settings(state=tmp_path / ("long" * 30))


@pytest.fixture
def bells(settings: Settings) -> Iterator[tuple[Doorbell, Doorbell, Doorbell]]:
    made = Doorbell(settings, "taskmanager"), Doorbell(settings, "taskmanager"), Doorbell(settings, "api")
    yield made
    for bell in made:
        bell.close()


def test_every_process_of_the_role_is_woken_and_no_other(bells: tuple[Doorbell, Doorbell, Doorbell]) -> None:
    first, second, api = bells
    api.ring({"taskmanager"})
    assert first.wait(0)
    assert second.wait(0)
    assert not api.wait(0)
    assert not first.wait(0), "a ring is heard once"


def test_one_can_ring_oneself(bells: tuple[Doorbell, Doorbell, Doorbell]) -> None:
    bells[2].ring({"api"})
    assert bells[2].wait(0)


def test_a_waiting_thread_is_woken_at_once(bells: tuple[Doorbell, Doorbell, Doorbell]) -> None:
    first, _second, api = bells
    threading.Timer(0.05, api.ring, [{"taskmanager"}]).start()
    begun = time.monotonic()
    assert first.wait(20)
    assert time.monotonic() - begun < 5


def test_waiting_ends(bells: tuple[Doorbell, Doorbell, Doorbell]) -> None:
    assert not bells[0].wait(0.01)


def test_an_event_loop_may_watch_it(bells: tuple[Doorbell, Doorbell, Doorbell]) -> None:
    async def rung() -> bool:
        heard = asyncio.Event()
        asyncio.get_running_loop().add_reader(bells[2], heard.set)
        bells[0].ring({"api"})
        await asyncio.wait_for(heard.wait(), 10)
        bells[2].clear()
        return not bells[2].wait(0)

    assert asyncio.run(rung())


def test_ringing_the_deaf_neither_fails_nor_waits(bells: tuple[Doorbell, Doorbell, Doorbell]) -> None:
    for _many in range(2000):
        bells[2].ring({"taskmanager"})
    assert bells[0].wait(0)


def test_the_sockets_of_dead_processes_are_taken_away(settings: Settings) -> None:
    child = os.fork()
    if child == 0:
        Doorbell(settings, "taskmanager")
        os._exit(0)
    os.waitpid(child, 0)
    assert list(settings.run.iterdir())
    bell = Doorbell(settings, "api")
    bell.ring({"taskmanager"})
    bell.close()
    assert list(settings.run.iterdir()) == []


def test_rings_reach_other_hosts_over_postgresql(tmp_path: Path) -> None:
    """Two hosts are two run directories here, and a bell that says it is elsewhere."""
    heard: list[str] = []
    with databases.serve("postgresql") as server, server.empty() as database:
        url = database.url.render_as_string(hide_password=False)
        here = Doorbell(Settings(state=tmp_path, database=settings_of.Database(url=url)), "taskmanager")
        there = Notifier(database.url, heard.append, host="another")
        try:
            eventually(lambda: there.ring({"taskmanager"}) or here.wait(0.1))  # type: ignore[func-returns-value]
            eventually(lambda: here.ring({"conductor"}) or "conductor" in heard)  # type: ignore[func-returns-value]
            assert "taskmanager" not in heard, "what one rang oneself"
        finally:
            there.close()
            here.close()


def test_ringing_where_nobody_is(settings: Settings) -> None:
    bell = Doorbell(settings, "api")
    bell.close()
    settings.run.rmdir()
    bell.ring({"taskmanager"})
