"""The door while the store behind it is cut off, killed or full: told by who must act, done afterwards, never half."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.model.backups import PART_BYTES
from argosy.testing import bringing, swift_server
from argosy.testing.bringing import ATTEMPT, Bringing
from argosy.testing.cables import Cable
from argosy.testing.channel import Channel
from argosy.testing.swift_server import KEY, USER, Swift
from argosy.testing.waiting import eventually

PART = os.urandom(PART_BYTES)


@pytest.fixture(scope="module")
def swift() -> Iterator[Swift]:
    with swift_server.running() as running:
        running.post("argosy", {}, "PUT")
        yield running


@pytest.fixture(scope="module")
def cable(swift: Swift) -> Iterator[Cable]:
    laid = Cable(swift.ports["proxy"])
    yield laid
    laid.close()


@pytest.fixture(params=["s3", "swift"], scope="module")
def guest(request: pytest.FixtureRequest, cable: Cable) -> Iterator[Bringing]:
    """At the door of a conductor whose store is at the other end of the cable."""
    url = f"http://127.0.0.1:{cable.port}"
    store = {"kind": request.param, "url": url if request.param == "s3" else f"{url}/auth/v1.0"}
    with tempfile.TemporaryDirectory(prefix="ag-", dir="/tmp") as home:
        channel = Channel(Path(home), store={**store, "addressing": "path", "patience_seconds": 1.0})
        credentials = channel.settings.keys / "store.toml"
        names = ("access_key", "secret_key") if request.param == "s3" else ("user", "password")
        credentials.write_text("".join(f'{name} = "{value}"\n' for name, value in zip(names, (USER, KEY), strict=True)))
        credentials.chmod(0o600)
        try:
            channel.start()
            yield bringing.backing_up(channel)
        finally:
            channel.close()


def put_later(guest: Bringing, name: str, answers: list[int]) -> threading.Thread:
    thread = threading.Thread(target=lambda: answers.append(guest.put(PART, name)))
    thread.start()
    return thread


def read(guest: Bringing, name: str) -> bytes:
    with guest.store.open(f"{guest.place}{ATTEMPT}/{name}") as there:
        return there.read()


def test_a_store_that_is_cut_off_is_waited_for(guest: Bringing, cable: Cable) -> None:
    """Whoever brings is told to come again, and then it is done."""
    assert guest.put(PART, "000001") == 200
    cable.cut()
    try:
        assert guest.put(PART, "000002") == 503
        assert guest.ask("GET", "/healthcheck").status == 200
    finally:
        cable.mend()
    assert guest.put(PART, "000002") == 200
    assert read(guest, "000002") == PART


def test_a_short_cut_is_not_noticed(guest: Bringing, cable: Cable) -> None:
    cable.cut_once_after(PART_BYTES // 2)
    assert guest.put(PART, "000003") == 200
    assert read(guest, "000003") == PART


def test_a_store_that_is_killed_in_the_middle(guest: Bringing, swift: Swift) -> None:
    answers: list[int] = []
    writing = [put_later(guest, f"00001{number}", answers) for number in range(3)]
    swift.kill()
    for each in writing:
        each.join()
    assert set(answers) <= {200, 503}
    swift.start()
    for number in range(3):
        assert guest.put(PART, f"00001{number}") == 200
        assert read(guest, f"00001{number}") == PART


def test_a_download_goes_on(guest: Bringing, cable: Cable) -> None:
    guest.put(PART, "000020")
    chain = [{"place": guest.place, "attempt": ATTEMPT}]
    command = guest.channel.ask(guest.guest, "restore", chain=chain)
    cable.cut_once_after(PART_BYTES // 2)
    assert guest.get(f"objects/0/{ATTEMPT}/000020", command=command).body == PART


def test_a_full_store_is_an_operators_business(guest: Bringing, swift: Swift) -> None:
    guest.put(PART, "000030")
    swift.limit("argosy", 1)
    try:
        told = guest.ask("PUT", f"/v1/guest/objects/{ATTEMPT}/000031?command={guest.command}", PART)
    finally:
        swift.limit("argosy", None)
    assert (told.status, "make room" in told.json["error"]) == (507, True)
    assert f"{ATTEMPT}/000031" not in guest.stored()
    assert guest.put(PART, "000031") == 200


@pytest.fixture
def small() -> Iterator[Bringing]:
    """At the door of a conductor whose store is a disk of 6 MiB."""
    if os.geteuid():
        pytest.skip("only root mounts")
    with tempfile.TemporaryDirectory(prefix="ag-", dir="/tmp") as home:
        disk = Path(home) / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "argosy-small", disk], check=True)
        channel = Channel(Path(home), store={"path": str(disk)})
        try:
            channel.start()
            yield bringing.backing_up(channel)
        finally:
            channel.close()
            subprocess.run(["umount", disk], check=True)


def test_a_full_disk_is_an_operators_business(small: Bringing) -> None:
    assert small.put(PART, "000000") == 200
    told = small.ask("PUT", f"/v1/guest/objects/{ATTEMPT}/000001?command={small.command}", PART)
    assert (told.status, "make room" in told.json["error"]) == (507, True)
    assert small.stored() == [f"{ATTEMPT}/000000"]
    small.store.delete(f"{small.place}{ATTEMPT}/000000")
    eventually(lambda: small.put(PART, "000001") == 200)


def test_a_disk_that_refuses_us_is_an_operators_business(small: Bringing) -> None:
    disk = small.channel.settings.store.path
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    told = small.ask("PUT", f"/v1/guest/objects/{ATTEMPT}/000000?command={small.command}", PART)
    assert (told.status, "cannot be used" in told.json["error"]) == (502, True)
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    assert small.put(PART, "000000") == 200
