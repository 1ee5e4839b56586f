"""Agent and conductor are killed at random moments under a stream of commands: none is lost, none is done twice."""

from __future__ import annotations

import itertools
import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
import redis

from argosy.testing.agents import RealGuest
from argosy.testing.channel import Channel
from argosy.testing.waiting import SLOWNESS

SECONDS = float(os.environ.get("ARGOSY_SOAK_SECONDS", "12"))


@pytest.mark.timeout(300 + 3 * SECONDS)
def test_commands_survive_every_kill(channel: Channel, guest: Callable[..., RealGuest]) -> None:
    channel.start()
    made = guest()
    made.start()
    made.do("prepare", master="first-password")
    engine = made.ask_init()["pid"]
    commands = stream(channel, made)
    for command in commands:
        channel.await_answer(command, within=60)
    assert {channel.command(each).error for each in commands} == {""}
    done = Counter(line["done"]["id"] for line in journal(made) if "done" in line)
    assert {each: done[each] for each in commands} == dict.fromkeys(commands, 1)
    last = f"password-{len(commands) - 1}"
    authority = channel.authority.pem
    client = redis.Redis(
        made.site.address, made.site.port, username="root", password=last, ssl=True, ssl_ca_data=authority
    )
    assert client.ping()
    assert made.ask_init()["pid"] == engine


def stream(channel: Channel, made: RealGuest) -> list[str]:
    """Commands that were left while somebody was killed, again and again."""
    ended = threading.Event()
    killing = threading.Thread(target=kill, args=(channel, made, ended))
    killing.start()
    commands = []
    for number in itertools.count():
        commands.append(channel.ask(made.id, "reset_master", password=f"password-{number}"))
        if ended.wait(random.uniform(0, 0.2)):
            break
    killing.join()
    return commands


def kill(channel: Channel, made: RealGuest, ended: threading.Event) -> None:
    end = time.monotonic() + SECONDS * SLOWNESS
    while time.monotonic() < end:
        time.sleep(random.uniform(0.05, 1.5))
        if random.random() < 0.6:
            made.kill_agent()
        else:
            channel.kill()
            channel.start()
    ended.set()


def journal(made: RealGuest) -> list[dict[str, dict[str, str]]]:
    return [json.loads(line) for line in (made.state / "journal").read_text().splitlines()]
