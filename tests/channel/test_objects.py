"""The door to the store: what a running command names goes through it, and not a byte beside it."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import http.client
import os
import secrets
import socket
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from argosy.conductor.grants import SPARE_PARTS
from argosy.db.tables import Archive, ArchiveFile, ArchiveStream, Backup
from argosy.model.backups import PART_BYTES, Proof, State
from argosy.stores import chunks
from argosy.stores.chunks import CHUNK_BYTES, LARGEST, Head
from argosy.testing import bringing
from argosy.testing.bringing import ATTEMPT, Bringing
from argosy.testing.channel import Channel
from argosy.testing.waiting import eventually

Credential = Callable[[str], str]


@pytest.fixture
def backing_up(channel: Channel) -> Callable[..., Bringing]:
    return functools.partial(bringing.backing_up, channel)


@pytest.fixture
def restoring(channel: Channel, credential: Credential) -> Callable[..., Bringing]:
    """A guest that restores from a chain of two, whose parts are in the store, and from their log."""

    def begin() -> Bringing:
        guest, place = channel.expect(), f"database_backups/p1/{uuid.uuid4()}/"
        chain = [{"place": f"{place}{each}/", "attempt": ATTEMPT} for each in ("full", "increment")]
        logs = {"stream": 3, "place": f"{place}logs/"}
        command = channel.ask(guest, "restore", chain=chain, logs=logs)
        reader = Bringing(channel, guest, credential(guest), command, place)
        for key in (f"full/{ATTEMPT}/000000", f"increment/{ATTEMPT}/000000", "logs/a-1", "logs/a-2", "logs/b-1"):
            with reader.store.create(place + key) as out:
                out.write(key.encode())
        return reader

    return begin


Begin = Callable[..., Bringing]


# --- writing ---


def test_a_part_goes_into_the_store(backing_up: Begin) -> None:
    guest, data = backing_up(), os.urandom(PART_BYTES)
    told = guest.ask("PUT", f"/v1/guest/objects/{ATTEMPT}/000001?command={guest.command}", data)
    assert told.json == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    with guest.store.open(f"{guest.place}{ATTEMPT}/000001") as there:
        assert there.read() == data


def test_the_list_of_parts_goes_into_the_store(backing_up: Begin) -> None:
    guest = backing_up()
    assert guest.put(name="parts.json") == 200
    assert guest.stored() == [f"{ATTEMPT}/parts.json"]


def test_a_part_is_written_once(backing_up: Begin) -> None:
    guest = backing_up()
    assert [guest.put(b"this"), guest.put(b"this"), guest.put(b"that"), guest.put(b"this and more")] == [
        200,
        200,
        409,
        409,
    ]
    with guest.store.open(f"{guest.place}{ATTEMPT}/000000") as there:
        assert there.read() == b"this"


@pytest.mark.parametrize(
    "name",
    ["manifest.json", "0", "0000000", "..", "%2e%2e", "..%2f..%2fmanifest.json", ".x", "parts.json%00", "-00001"],
)
def test_no_other_name_is_written(backing_up: Begin, name: str) -> None:
    guest = backing_up()
    assert guest.put(name=name) in {403, 404}
    assert guest.stored() == []


@pytest.mark.parametrize("attempt", ["fedcba9876543210", "..", "%2e%2e", "x%2f" + ATTEMPT, "1"])
def test_no_other_attempt_is_written(backing_up: Begin, attempt: str) -> None:
    guest = backing_up()
    assert guest.put(attempt=attempt) in {403, 404}
    assert guest.stored() == []


def test_another_guests_command_opens_nothing(backing_up: Begin) -> None:
    mine, other = backing_up(), backing_up()
    assert mine.put(command=other.command) == 403
    assert mine.stored() + other.stored() == []


def test_only_the_verb_for_it_opens_the_door(backing_up: Begin, restoring: Begin) -> None:
    guest, reader = backing_up(), restoring()
    place = {"place": guest.place, "attempt": ATTEMPT, "backup": "b"}
    for command in ("nothing", "x" * 5000, guest.channel.ask(guest.guest, "restart", **place)):
        assert guest.put(command=command) == 403
    assert reader.put() == 403
    assert guest.get(f"objects/0/{ATTEMPT}/000000").status == 403
    assert guest.stored() == []


@pytest.mark.parametrize("end", ["answered", "cancelled"])
def test_afterwards_nothing_is_taken(backing_up: Begin, end: str) -> None:
    guest = backing_up()
    guest.end(**{end: True})
    assert guest.put() == 403
    assert guest.stored() == []


def test_what_ends_meanwhile_does_not_become_visible(backing_up: Begin) -> None:
    """A part that was on its way when its backup was given up would be left behind by whoever tidies up."""
    guest = backing_up()
    with _sending(guest, 3_000_000) as connection:
        connection.send(b"x" * 2_000_000)
        eventually(lambda: _unfinished(guest) > 0)
        guest.end(cancelled=True)
        connection.send(b"x" * 1_000_000)
        assert connection.getresponse().status == 403
    assert guest.stored() == []


def test_nobody_without_a_credential_is_heard(backing_up: Begin) -> None:
    guest = backing_up()
    guest.credential = f"{guest.guest}.forged"
    assert guest.put() == 401
    assert guest.stored() == []


@pytest.mark.parametrize("size", [0, PART_BYTES + (4 << 20)])
def test_an_object_has_its_size(backing_up: Begin, size: int) -> None:
    guest = backing_up()
    with _sending(guest, size) as connection:
        assert connection.getresponse().status == (413 if size else 400)
    assert guest.stored() == []


def test_a_body_without_a_length_has_its_size_too(backing_up: Begin) -> None:
    guest = backing_up()
    with _sending(guest, None) as connection:
        for _ in range(20):
            connection.send(b"100000\r\n" + bytes(1 << 20) + b"\r\n")
        connection.send(b"0\r\n\r\n")
        assert connection.getresponse().status == 413
    assert guest.stored() == []


def test_half_an_object_is_none(backing_up: Begin) -> None:
    guest = backing_up()
    with _sending(guest, 3_000_000) as connection:
        connection.send(b"x" * 2_000_000)
        eventually(lambda: _unfinished(guest) > 0)
    eventually(lambda: _unfinished(guest) == 0)
    assert guest.stored() == []


def test_a_killed_conductor_leaves_no_half_object(backing_up: Begin) -> None:
    guest = backing_up()
    with _sending(guest, 3_000_000) as connection:
        connection.send(b"x" * 2_000_000)
        eventually(lambda: _unfinished(guest) > 0)
        guest.channel.kill()
    guest.channel.start()
    assert guest.stored() == []
    assert list((guest.channel.settings.state / "objects" / ".unfinished").iterdir()) == []
    assert guest.put() == 200


def test_no_more_parts_are_taken_than_a_volume_has(backing_up: Begin) -> None:
    guest = backing_up()
    with guest.channel.database.write() as session:
        session.add(_row(guest))
    most = 2 * (1 << 30) // PART_BYTES + SPARE_PARTS
    assert guest.put(name=f"{most:06d}") == 200
    assert guest.put(name=f"{most + 1:06d}") == 403


def test_a_guest_has_few_transfers_at_once(backing_up: Begin) -> None:
    guest = backing_up()
    with _sending(guest, 9), _sending(guest, 9), _sending(guest, 9), _sending(guest, 9):
        eventually(lambda: guest.put() == 503)
        assert backing_up().put() == 200
    eventually(lambda: guest.put() == 200)


def test_the_conductor_answers_others_meanwhile(backing_up: Begin) -> None:
    guest, data = backing_up(), os.urandom(PART_BYTES)
    names = [f"{number:06d}" for number in range(4)]
    sending = [threading.Thread(target=guest.put, args=(data, name)) for name in names]
    for each in sending:
        each.start()
    assert guest.ask("GET", "/healthcheck").status == 200
    for each in sending:
        each.join()
    assert guest.stored() == [f"{ATTEMPT}/{name}" for name in names]


# --- reading ---


def test_a_chain_is_read(restoring: Begin) -> None:
    guest = restoring()
    for number, layer in enumerate(("full", "increment")):
        assert guest.get(f"objects/{number}/{ATTEMPT}/000000").body == f"{layer}/{ATTEMPT}/000000".encode()


@pytest.mark.parametrize(
    ("asked", "status", "body"),
    [
        ("bytes=0-3", 206, b"full"),
        ("bytes=5-", 206, f"{ATTEMPT}/000000".encode()),
        ("bytes=22-999999", 206, b"000000"),
        ("bytes=28-", 416, None),
        ("bytes=3-1", 416, None),
        ("bytes=-4", 416, None),
        ("bytes=0-1,3-4", 416, None),
        ("lines=1-2", 416, None),
    ],
)
def test_a_range_is_read(restoring: Begin, asked: str, status: int, body: bytes | None) -> None:
    told = restoring().get(f"objects/0/{ATTEMPT}/000000", Range=asked)
    assert told.status == status
    if body is not None:
        assert told.body == body
        first = len(f"full/{ATTEMPT}/000000") - len(body) if not asked.startswith("bytes=0") else 0
        assert told.headers["content-range"] == f"bytes {first}-{first + len(body) - 1}/28"


@pytest.mark.parametrize(
    "path",
    [
        f"objects/2/{ATTEMPT}/000000",
        f"objects/-1/{ATTEMPT}/000000",
        "objects/0/fedcba9876543210/000000",
        f"objects/0/{ATTEMPT}/manifest.json",
        f"objects/0/{ATTEMPT}/..%2f..%2fincrement",
        f"objects/0/{ATTEMPT}/000007",
        "objects/0/../000000",
    ],
)
def test_nothing_else_is_read(restoring: Begin, path: str) -> None:
    assert restoring().get(path).status in {403, 404}


def test_another_guests_backup_is_not_read(restoring: Begin) -> None:
    mine, other = restoring(), restoring()
    assert mine.get(f"objects/0/{ATTEMPT}/000000", command=other.command).status == 403
    other.end(answered=True)
    assert other.get(f"objects/0/{ATTEMPT}/000000").status == 403


def test_the_log_is_read(restoring: Begin) -> None:
    guest = restoring()
    told = guest.get("archive/3").json
    assert told == [{"name": name, "bytes": 8} for name in ("a-1", "a-2", "b-1")]
    assert guest.get("archive/3/a-2").body == b"logs/a-2"
    rest = guest.ask("GET", f"/v1/guest/archive/3?after=a-2&command={guest.command}").json
    assert [each["name"] for each in rest] == ["b-1"]


@pytest.mark.parametrize("path", ["archive/4", "archive/4/a-1", "archive/3/..", "archive/3/.x", "archive/3/a-3"])
def test_no_other_log_is_read(restoring: Begin, path: str) -> None:
    guest = restoring()
    assert guest.get(path).status in {403, 404}
    assert guest.get("archive/3", command="nothing").status == 403


# --- the log ---


@pytest.fixture
def archiving(channel: Channel, credential: Credential) -> Bringing:
    guest, place = channel.expect(), f"archives/p1/{uuid.uuid4()}/"
    with channel.database.write() as session:
        session.add(Archive(instance_id=guest, project_id="p1", stream=2, enabled=True, created=0.0, updated=0.0))
        for number in (1, 2):
            session.add(_stream(guest, number, f"{place}{number}/"))
    return Bringing(channel, guest, credential(guest), "", place)


KEY = secrets.token_bytes(32)


def chunk(guest: str, name: str = "binlog.000001", offset: int = 0, data: bytes = b"log", **told: Any) -> bytes:
    head = Head(guest, 2, name, offset, len(data), chunks.digest(data), 1.0, begins=True, closed=False)
    return chunks.seal(AESGCM(KEY), dataclasses.replace(head, **told), data, secrets.token_bytes(12))


def place_of(name: str = "binlog.000001", offset: int = 0) -> str:
    return f"/v1/guest/archive/2/{name}.{offset:020d}"


def test_chunks_of_the_own_log_follow_each_other(archiving: Bringing) -> None:
    guest = archiving.guest
    for offset, expected in ((0, 3), (0, 3), (7, 3), (3, 6)):
        answer = archiving.ask("PUT", place_of(offset=offset), chunk(guest, offset=offset, latest=7.0 + offset))
        assert (answer.status, answer.json) == (200, {"end": expected})
    assert archiving.stored() == [f"2/binlog.000001.{offset:020d}" for offset in (0, 3)]
    with archiving.channel.database.read() as session:
        assert session.get_one(ArchiveFile, (guest, 2, "binlog.000001")).chunks == 2
        assert session.get_one(ArchiveStream, (guest, 2)).latest == 10.0


@pytest.mark.parametrize("path", ["1/a", "0/a", "3/a", "2/..", "2/.a", "2/a%2f..%2fb", "2/" + "a" * 201])
def test_no_other_chunk_is_taken(archiving: Bringing, path: str) -> None:
    assert archiving.ask("PUT", f"/v1/guest/archive/{path}", chunk(archiving.guest)).status in {400, 403, 404}
    assert archiving.stored() == []


@pytest.mark.parametrize(
    "told",
    [
        {"instance": "another"}, {"stream": 1}, {"offset": 3}, {"file": "other"}, {"bytes": CHUNK_BYTES + 1},
        {"bytes": "3"}, {"offset": -1}, {"latest": "now"}, {"sent": None}, {"position": []}, {"closed": 1},
    ],
)  # fmt: skip
def test_a_chunk_that_says_something_else_is_refused(archiving: Bringing, told: dict[str, Any]) -> None:
    assert archiving.ask("PUT", place_of(), chunk(archiving.guest, **told)).status == 400
    assert archiving.stored() == []


@pytest.mark.parametrize("body", [b"x", b"{}\n", b"\n", b"[1]\nabc", b"x" * (LARGEST + 1)])
def test_what_is_no_chunk_is_refused(archiving: Bringing, body: bytes) -> None:
    assert archiving.ask("PUT", place_of(), body).status in {400, 413}
    assert archiving.stored() == []


def test_of_a_log_that_is_not_archived_nothing_is_taken(archiving: Bringing, backing_up: Begin) -> None:
    with archiving.channel.database.write() as session:
        session.get_one(Archive, archiving.guest).enabled = False
    assert archiving.ask("PUT", place_of(), chunk(archiving.guest)).status == 403
    other = backing_up()
    assert other.ask("PUT", place_of(), chunk(other.guest)).status == 403
    assert archiving.stored() == []


# --- in small ---


class _sending:  # noqa: N801 - reads as what it does
    """A PUT whose head is sent, and whose body the test sends."""

    def __init__(self, guest: Bringing, size: int | None) -> None:
        self._connection = http.client.HTTPSConnection("127.0.0.1", 1)
        self._connection.sock = guest.channel.dial()
        self._connection.putrequest("PUT", f"/v1/guest/objects/{ATTEMPT}/000000?command={guest.command}")
        self._connection.putheader("Authorization", f"Bearer {guest.credential}")
        self._connection.putheader(
            *(("Transfer-Encoding", "chunked") if size is None else ("Content-Length", str(size)))
        )
        self._connection.endheaders()

    def __enter__(self) -> http.client.HTTPSConnection:
        return self._connection

    def __exit__(self, *_: object) -> None:
        sock = self._connection.sock
        if sock is not None:
            with contextlib.suppress(OSError):  # the conductor is gone already
                sock.shutdown(socket.SHUT_RDWR)
        self._connection.close()


def _unfinished(guest: Bringing) -> int:
    """Files without a name that the conductor writes: they are below its descriptors only."""
    process = guest.channel.process
    assert process is not None
    return sum("/.unfinished/" in _target(each) for each in Path(f"/proc/{process.pid}/fd").iterdir())


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""


def _stream(guest: str, number: int, place: str) -> ArchiveStream:
    return ArchiveStream(
        instance_id=guest,
        number=number,
        project_id="p1",
        place=place,
        data_key="00",
        version_id="v",
        generation=1,
        asked=0.0,
    )


def _row(guest: Bringing) -> Backup:
    return Backup(
        id=guest.place.split("/")[2],
        project_id="p1",
        instance_id=guest.guest,
        name="b",
        version_id="v",
        state=State.BUILDING,
        proof=Proof.UNPROVEN,
        gigabytes=1,
        created=0.0,
        updated=0.0,
    )
