"""Backups and restores that a real agent refuses or cannot finish: nothing is started, nothing is lost."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ordering import PASSWORD, Asked, client, digest, nobody_works_in, restored

from argosy.testing.agents import RealGuest
from argosy.testing.channel import Channel

Make = Callable[..., RealGuest]


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
    assert f"backup {bad.backup}: part 000001 is damaged" in answer.error
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


@pytest.fixture
def read_only(filled: RealGuest) -> Iterator[None]:
    """The store is a disk that takes nothing."""
    if os.geteuid():
        pytest.skip("only root mounts")
    objects = filled.channel.settings.state / "objects"
    objects.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=1m", "argosy-ro", objects], check=True)
    yield
    subprocess.run(["umount", objects], check=True)


@pytest.mark.usefixtures("read_only")
def test_a_store_that_refuses_us_is_told_at_once(filled: RealGuest) -> None:
    """In its own words, and not tried for ten minutes."""
    answer = filled.channel.await_answer(filled.channel.ask(filled.id, "backup", **Asked().order()), within=60)
    assert "the object store cannot be used" in answer.error
    assert "http" not in answer.error
    assert nobody_works_in(filled)
