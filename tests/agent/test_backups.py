"""Backups by a real agent of a real server, through a real conductor, into a store and back."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ordering import MEGABYTES, PASSWORD, Asked, client, digest, nobody_works_in, restored

from argosy.db.tables import Command
from argosy.model.backups import PART_BYTES
from argosy.stores import deployment
from argosy.testing import hands
from argosy.testing.agents import RealGuest
from argosy.testing.channel import Channel
from argosy.testing.waiting import eventually

Make = Callable[..., RealGuest]


def test_what_was_backed_up_is_there_in_another_guest(prepared: RealGuest, guest: Make) -> None:
    data = {f"key-{number}".encode(): secrets.token_bytes(1000) for number in range(1000)}
    client(prepared).mset(data)
    asked = Asked()
    answer = prepared.do("backup", **asked.order())
    assert answer["attempt"].startswith(asked.attempt)
    store = deployment.store(prepared.channel.settings)
    assert [key.rpartition("/")[2] for key in store.list(asked.place)] == ["000000", "parts.json"]
    other = guest()
    other.start()
    other.do("restore", chain=[asked.link(answer)], **restored())
    assert dict(zip(data, client(other).mget(data), strict=True)) == data
    client(other).set("later", "too")
    other.do("restart")
    assert client(other).get("later") == b"too"


def test_a_restored_server_may_be_left_stopped(prepared: RealGuest, guest: Make) -> None:
    client(prepared).set("key", "kept")
    asked = Asked()
    link = asked.link(prepared.do("backup", **asked.order()))
    other = guest()
    other.start()
    other.do("restore", chain=[link], **restored(run=False))
    assert not other.ask_init()["wanted"]
    other.do("start")
    assert client(other).get("key") == b"kept"


def test_a_volume_that_is_a_copy_already_becomes_the_guests_own(prepared: RealGuest, guest: Make) -> None:
    client(prepared).set("key", "kept")
    other = guest()
    shutil.copytree(prepared.site.data, other.site.data, dirs_exist_ok=True)
    hands.give(other.site.data)
    other.start()
    other.do("restore", chain=[], **restored(master="another-password"))
    assert client(other, "another-password").get("key") == b"kept"
    assert client(prepared).get("key") == b"kept"


def slowly(asked: Asked) -> dict[str, Any]:
    return asked.order(limits={"bytes_per_second": 6 << 20, "nice": 5})


def under_way(guest: RealGuest, command: str) -> int:
    """The child that moves the backup, once some of it has gone through."""
    eventually(lambda: guest.channel.command(command).done > 0 or guest.channel.command(command).answered)
    assert not guest.channel.command(command).answered, guest.channel.command(command).error
    [child] = tree(guest)
    return child


def tree(guest: RealGuest) -> list[int]:
    """Of all threads of the agent."""
    tasks = Path(f"/proc/{guest.agent_pid()}/task").iterdir()
    return [int(pid) for task in tasks for pid in (task / "children").read_text().split()]


def test_others_need_not_wait_for_a_backup(filled: RealGuest) -> None:
    command = filled.channel.ask(filled.id, "backup", **slowly(Asked()))
    under_way(filled, command)
    filled.do("list_users", after="", most=10)
    filled.do("rotate_credential")
    assert not filled.channel.command(command).answered
    assert not filled.channel.await_answer(command).error


def test_a_cancelled_backup_ends_at_once_and_leaves_nobody(filled: RealGuest) -> None:
    command = filled.channel.ask(filled.id, "backup", **slowly(Asked()))
    child = under_way(filled, command)
    cancel(filled.channel, command)
    answer = filled.channel.await_answer(command)
    assert (answer.error, answer.error_kind) == ("cancelled", "rejected")
    assert not Path(f"/proc/{child}").exists()
    assert nobody_works_in(filled)
    assert not list((filled.site.data / "db").glob("*.rdb"))


def cancel(channel: Channel, command: str) -> None:
    with channel.database.write() as session:
        session.get_one(Command, command).cancelled = True
    channel.bell.ring("conductor")


@pytest.mark.parametrize("whom", ["agent", "child", "conductor"])
def test_whoever_is_killed_meanwhile_a_backup_becomes_whole(filled: RealGuest, guest: Make, whom: str) -> None:
    asked = Asked()
    command = filled.channel.ask(filled.id, "backup", **slowly(asked))
    child = under_way(filled, command)
    if whom == "conductor":
        filled.channel.kill()
        filled.channel.start()
    else:
        os.kill({"agent": filled.agent_pid(), "child": child}[whom], signal.SIGKILL)
    answer = filled.channel.await_answer(command, within=60)
    assert not answer.error
    assert nobody_works_in(filled)
    other = guest()
    other.start()
    other.do("restore", chain=[asked.link(answer.result)], **restored(master=PASSWORD))
    assert digest(other) == digest(filled)


def test_a_store_that_is_away_is_waited_for(filled: RealGuest) -> None:
    objects = filled.channel.settings.state / "objects"
    objects.write_text("no directory")
    asked = Asked()
    command = filled.channel.ask(filled.id, "backup", **asked.order())
    eventually(lambda: "trying again" in filled.log.read_text())
    objects.unlink()
    assert not filled.channel.await_answer(command).error
    assert (
        len(list(deployment.store(filled.channel.settings).list(asked.place)))
        == MEGABYTES * (1 << 20) // PART_BYTES + 2
    )


@pytest.mark.parametrize("whom", ["agent", "child", "init", "conductor"])
def test_whoever_is_killed_meanwhile_a_restore_ends(filled: RealGuest, guest: Make, whom: str) -> None:
    asked = Asked()
    link = asked.link(filled.do("backup", **asked.order()))
    other = guest()
    other.start()
    limits = {"bytes_per_second": 6 << 20}
    command = other.channel.ask(other.id, "restore", chain=[link], limits=limits, **restored(master=PASSWORD))
    child = under_way(other, command)
    assert not (other.site.data / "db").exists()
    if whom == "conductor":
        other.channel.kill()
        other.channel.start()
    elif whom == "agent":
        other.kill_agent()
    elif whom == "child":
        os.kill(child, signal.SIGKILL)
    else:
        assert other.init is not None
        other.init.kill()
        other.init.wait()
        other.start()
    answer = other.channel.await_answer(command, within=60)
    assert not answer.error
    assert digest(other) == digest(filled)
    assert nobody_works_in(other)


def test_agent_and_child_are_small(filled: RealGuest) -> None:
    command = filled.channel.ask(filled.id, "backup", **slowly(Asked()))
    child = under_way(filled, command)
    seen = [0.0]
    while not filled.channel.command(command).answered:
        with contextlib.suppress(OSError):
            seen.append(hands.own(filled.agent_pid()) + hands.own(child))
    assert 0 < max(seen) < 60 << 20
