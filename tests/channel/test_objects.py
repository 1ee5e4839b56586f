"""The door to the store: what a running command names goes through it, and not a byte beside it."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy.conductor.grants import SPARE_PARTS
from argosy.db.tables import Backup
from argosy.model.backups import PART_BYTES, Proof, State
from argosy.testing.bringing import ATTEMPT, Bringing
from argosy.testing.waiting import eventually

Begin = Callable[..., Bringing]


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
