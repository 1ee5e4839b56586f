"""Backups by a real agent of a real server, through a real conductor, into a store and back."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis

from argosy.agent import moving
from argosy.db.tables import Command
from argosy.model.backups import PART_BYTES
from argosy.stores import deployment
from argosy.testing import hands
from argosy.testing.agents import RealGuest
from argosy.testing.channel import Channel
from argosy.testing.waiting import eventually

PASSWORD = "correct-horse-battery"
Make = Callable[..., RealGuest]


def client(guest: RealGuest, password: str = PASSWORD) -> redis.Redis:
    authority = guest.channel.authority.pem
    return redis.Redis(
        guest.site.address, guest.site.port, username="root", password=password, ssl=True, ssl_ca_data=authority
    )


@dataclass
class Asked:
    """A backup as a workflow asks for it, and what came of it."""

    strategy: str = "rdb"
    backup: str = field(default_factory=lambda: str(uuid.uuid4()))
    attempt: str = field(default_factory=lambda: secrets.token_hex(8))
    key: str = field(default_factory=lambda: secrets.token_hex(32))

    @property
    def place(self) -> str:
        return f"database_backups/project/{self.backup}/"

    def order(self, **more: Any) -> dict[str, Any]:
        return {
            "backup": self.backup,
            "place": self.place,
            "attempt": self.attempt,
            "key": self.key,
            "strategy": self.strategy,
            "since": None,
            "total": 0,
            "limits": {},
            **more,
        }

    def link(self, answer: dict[str, Any]) -> dict[str, Any]:
        """As a restore is told of it."""
        told = {name: answer[name] for name in ("attempt", "position", "raw_bytes", "parts_sha256")}
        return {"backup": self.backup, "place": self.place, "key": self.key, "strategy": self.strategy, **told}


def restored(**more: Any) -> dict[str, Any]:
    told = {
        "target": None,
        "overrides": {},
        "master": None,
        "databases": [],
        "users": [],
        "identity": True,
        "run": True,
    }
    return {**told, **more}


@pytest.fixture
def prepared(channel: Channel, guest: Make) -> RealGuest:
    channel.start()
    made = guest()
    made.start()
    made.do("prepare", master=PASSWORD)
    return made


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


# --- slow ones, in which somebody is lost ---

MEGABYTES = 14


@pytest.fixture
def filled(prepared: RealGuest) -> RealGuest:
    """With more than two parts of what cannot be compressed."""
    fill(prepared)
    return prepared


def fill(guest: RealGuest) -> None:
    tenant = client(guest)
    for number in range(MEGABYTES):
        tenant.set(f"filled-{number}", secrets.token_bytes(1 << 20))


def digest(guest: RealGuest) -> str:
    tenant = client(guest)
    return hashlib.sha256(b"".join(tenant.get(f"filled-{number}") or b"" for number in range(MEGABYTES))).hexdigest()


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


def nobody_works_in(guest: RealGuest) -> bool:
    places = [guest.state / "archive", guest.site.data / "scratch", guest.site.data / "unfinished"]
    return not any(place.exists() for place in places) and not list(moving._working(places))


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


@pytest.mark.parametrize("whom", ["agent", "child", "zstd", "conductor"])
def test_whoever_is_killed_meanwhile_a_backup_becomes_whole(filled: RealGuest, guest: Make, whom: str) -> None:
    asked = Asked()
    command = filled.channel.ask(filled.id, "backup", **slowly(asked))
    child = under_way(filled, command)
    if whom == "conductor":
        filled.channel.kill()
        filled.channel.start()
    else:
        os.kill({"agent": filled.agent_pid(), "child": child, "zstd": zstd_of(child)}[whom], signal.SIGKILL)
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


def zstd_of(child: int) -> int:
    pids = [pid for task in Path(f"/proc/{child}/task").iterdir() for pid in (task / "children").read_text().split()]
    return next(int(pid) for pid in pids if b"zstd" in Path(f"/proc/{pid}/cmdline").read_bytes())


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


# --- what must not pass ---


def damage(channel: Channel, asked: Asked, attempt: str) -> None:
    """A byte in the middle of the second part."""
    file = channel.settings.state / "objects" / f"{asked.place}{attempt}/000001"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def test_of_a_damaged_backup_nothing_is_started(filled: RealGuest, guest: Make) -> None:
    """And who has refused it can still be given a good one."""
    good, bad = Asked(), Asked()
    links = [each.link(filled.do("backup", **each.order())) for each in (good, bad)]
    damage(filled.channel, bad, links[1]["attempt"])
    other = guest()
    other.start()
    answer = other.channel.await_answer(other.channel.ask(other.id, "restore", chain=[links[1]], **restored()))
    assert "000001" in answer.error
    assert "damaged" in answer.error
    for verb in ("start", "restart", "prepare"):
        command = other.channel.await_answer(other.channel.ask(other.id, verb))
        assert "not restored to their end" in command.error, verb
    assert not other.ask_init()["wanted"]
    assert nobody_works_in(other)
    other.do("restore", chain=[links[0]], **restored(master=PASSWORD))
    assert digest(other) == digest(filled)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("key", "00" * 32, "key"),
        ("raw_bytes", 1, "damaged"),
        ("parts_sha256", "00" * 32, "parts.json"),
        ("attempt", "nobody", "nobody"),
    ],
)
def test_what_is_not_the_backup_that_was_taken_is_refused(
    prepared: RealGuest, guest: Make, field: str, value: Any, words: str
) -> None:
    asked = Asked()
    link = asked.link(prepared.do("backup", **asked.order()))
    other = guest()
    other.start()
    command = other.channel.ask(other.id, "restore", chain=[{**link, field: value}], **restored())
    assert words in other.channel.await_answer(command).error
    assert not (other.site.data / "db").exists()


def test_data_that_are_there_are_never_overwritten(prepared: RealGuest) -> None:
    asked = Asked()
    link = asked.link(prepared.do("backup", **asked.order()))
    client(prepared).set("after", "it")
    command = prepared.channel.ask(prepared.id, "restore", chain=[link], **restored())
    answer = prepared.channel.await_answer(command)
    assert (answer.error_kind, "begins on an empty one" in answer.error) == ("rejected", True)
    assert client(prepared).get("after") == b"it"


def test_another_strategy_or_engine_without_one_is_refused(prepared: RealGuest) -> None:
    answer = prepared.channel.await_answer(
        prepared.channel.ask(prepared.id, "backup", **Asked(strategy="levitation").order())
    )
    assert "levitation" in answer.error


@pytest.fixture
def small(prepared: RealGuest, guest: Make) -> Iterator[RealGuest]:
    """Another guest, on a volume that is hardly larger than its data."""
    del prepared  # whose conductor it needs
    if os.geteuid() != 0:
        pytest.skip("only root can make a small volume")
    made = guest()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m,mode=0777", "none", made.site.data], check=True)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        subprocess.run(["umount", "--lazy", made.site.data], check=True)


def test_a_volume_too_small_for_a_restore_is_told_and_left_empty(filled: RealGuest, small: RealGuest) -> None:
    asked = Asked()
    link = asked.link(filled.do("backup", **asked.order()))
    answer = small.channel.await_answer(small.channel.ask(small.id, "restore", chain=[link], **restored()))
    assert "No space left" in answer.error
    assert [each.name for each in small.site.data.iterdir()] == ["restoring"]


def test_a_volume_without_room_for_a_backup_is_told_and_the_server_goes_on(small: RealGuest) -> None:
    small.do("prepare", master=PASSWORD)
    tenant = client(small)
    for number in range(4):
        tenant.set(f"{number}", secrets.token_bytes(1 << 20))
    room = os.statvfs(small.site.data)
    (small.site.data / "filler").write_bytes(bytes(room.f_bavail * room.f_bsize - (2 << 20)))
    answer = small.channel.await_answer(small.channel.ask(small.id, "backup", **Asked().order()))
    assert "could not save" in answer.error
    tenant.set("on", "it goes")


# --- holding still ---


def test_a_server_is_held_and_released_once(prepared: RealGuest) -> None:
    first = prepared.do("quiesce", seconds=30, hold="a")
    assert prepared.do("quiesce", seconds=30, hold="a") == first
    assert "held still already" in refusal(prepared, "quiesce", seconds=30, hold="b")
    released = prepared.do("release", hold="a")
    assert released["held"] > 0
    assert prepared.do("release", hold="a")["held"] == released["held"]
    assert prepared.do("examine", canaries=released["canaries"])["report"]["compared"] == ["data", "users"]


def test_a_hold_ends_by_itself_and_counts_for_nothing_then(prepared: RealGuest) -> None:
    prepared.do("quiesce", seconds=0.3, hold="a")
    eventually(lambda: not refusal(prepared, "quiesce", seconds=30, hold="b"))
    assert "not held still" in refusal(prepared, "release", hold="a")
    assert prepared.do("release", hold="b")["held"] > 0


def test_an_agent_started_anew_holds_nothing(prepared: RealGuest) -> None:
    prepared.do("quiesce", seconds=30, hold="a")
    before = prepared.channel.guest(prepared.id).boot
    prepared.kill_agent()
    eventually(lambda: prepared.channel.guest(prepared.id).boot not in ("", before))
    assert "not held still" in refusal(prepared, "release", hold="a")


def refusal(guest: RealGuest, verb: str, **arguments: Any) -> str:
    """Empty when it was done."""
    answer = guest.channel.await_answer(guest.channel.ask(guest.id, verb, **arguments))
    assert answer.error_kind == ("rejected" if answer.error else "")
    return answer.error


# --- what it costs ---


def test_agent_and_child_are_small(filled: RealGuest) -> None:
    command = filled.channel.ask(filled.id, "backup", **slowly(Asked()))
    child = under_way(filled, command)
    seen = [0.0]
    while not filled.channel.command(command).answered:
        with contextlib.suppress(OSError):
            seen.append(hands.own(filled.agent_pid()) + hands.own(child))
    assert 0 < max(seen) < 60 << 20
