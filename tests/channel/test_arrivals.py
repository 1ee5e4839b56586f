"""Bodies of parts: whole however they come, judged one by one, and the connection is as good as before."""

from __future__ import annotations

import dataclasses
import hashlib
import http.client
import json
import os
import ssl
from collections.abc import Callable, Iterator

import pytest

from argosy.model.backups import PART_BYTES
from argosy.testing.bringing import ATTEMPT, Bringing

Begin = Callable[..., Bringing]
PART = os.urandom(PART_BYTES)
HEALTH = b"GET /healthcheck HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def guest(backing_up: Begin) -> Bringing:
    return backing_up()


@pytest.fixture
def line(guest: Bringing) -> Iterator[ssl.SSLSocket]:
    with guest.channel.dial() as dialled:
        dialled.settimeout(20)
        yield dialled


def head(guest: Bringing, size: int, number: int = 0, *more: str) -> bytes:
    path = f"/v1/guest/objects/{ATTEMPT}/{number:06d}?command={guest.command}"
    lines = [f"PUT {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {guest.credential}"]
    return "\r\n".join([*lines, f"Content-Length: {size}", *more, "\r\n"]).encode()


def answer(line: ssl.SSLSocket) -> tuple[int, object]:
    """The next one. It is asked for when there is no other behind it."""
    told = http.client.HTTPResponse(line)
    told.begin()
    return told.status, json.loads(told.read())


def stored(data: bytes) -> dict[str, object]:
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


@pytest.mark.parametrize("size", [1, 70_000, 1 << 20, (1 << 20) + 1, 2 << 20, PART_BYTES - 1])
def test_a_body_of_any_size(guest: Bringing, line: ssl.SSLSocket, size: int) -> None:
    for number in range(2):
        line.sendall(head(guest, size, number) + PART[:size])
        assert answer(line) == (200, stored(PART[:size]))


def test_a_body_in_small_pieces(guest: Bringing, line: ssl.SSLSocket) -> None:
    line.sendall(head(guest, PART_BYTES))
    for start in range(0, PART_BYTES, 30_001):
        line.sendall(PART[start : start + 30_001])
    assert answer(line) == (200, stored(PART))


def test_a_body_that_is_waited_for(guest: Bringing, line: ssl.SSLSocket) -> None:
    line.sendall(head(guest, PART_BYTES, 0, "Expect: 100-continue"))
    assert line.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    line.sendall(PART)
    assert answer(line) == (200, stored(PART))


def test_a_body_without_a_length(guest: Bringing) -> None:
    pieces = [PART[start : start + 100_000] for start in range(0, PART_BYTES, 100_000)]
    path = f"/v1/guest/objects/{ATTEMPT}/000000?command={guest.command}"
    connection = http.client.HTTPSConnection("127.0.0.1", 1)
    connection.sock = guest.channel.dial()
    connection.request("PUT", path, iter(pieces), {"Authorization": f"Bearer {guest.credential}"})
    assert json.loads(connection.getresponse().read()) == stored(PART)
    connection.close()


def test_what_follows_a_body_at_once(guest: Bringing, line: ssl.SSLSocket) -> None:
    line.sendall(head(guest, PART_BYTES) + PART + HEALTH)
    told = b""
    while told.count(b"HTTP/1.1 200") < 2 or not told.endswith(b"}"):
        told += line.recv(10_000)
    assert told.index(b'"sha256"') < told.index(b'"guests"')


def test_what_follows_a_body_that_is_refused(guest: Bringing, line: ssl.SSLSocket) -> None:
    """Before a byte of it is taken."""
    guest.end(cancelled=True)
    line.sendall(head(guest, PART_BYTES) + PART)
    assert answer(line)[0] == 403
    line.sendall(HEALTH)
    assert answer(line)[0] == 200


def test_a_grant_that_has_ended_is_asked_for_again(guest: Bringing, line: ssl.SSLSocket) -> None:
    """Whatever came by the connection before."""
    line.sendall(head(guest, 9, 0) + PART[:9])
    assert answer(line)[0] == 200
    guest.end(cancelled=True)
    for number in (1, 2):
        line.sendall(head(guest, 9, number) + PART[:9])
        assert answer(line)[0] == 403
    assert guest.stored() == [f"{ATTEMPT}/000000"]


def test_another_claim_by_the_same_connection(guest: Bringing, line: ssl.SSLSocket, backing_up: Begin) -> None:
    other = backing_up()
    for change, status in (("credential", 401), ("command", 403)):
        line.sendall(head(guest, 9) + PART[:9])
        assert answer(line)[0] == 200
        shown = f"{guest.guest}.forged" if change == "credential" else other.command
        line.sendall(head(dataclasses.replace(guest, **{change: shown}), 9, 1) + PART[:9])
        assert answer(line)[0] == status
    assert (guest.stored(), other.stored()) == ([f"{ATTEMPT}/000000"], [])


@pytest.mark.parametrize("name", ["manifest.json", "..", "0000000", ".x", "%2e%2e"])
def test_another_name_by_the_same_connection(guest: Bringing, line: ssl.SSLSocket, name: str) -> None:
    line.sendall(head(guest, 9) + PART[:9])
    assert answer(line)[0] == 200
    line.sendall(head(guest, 9).replace(b"/000000?", f"/{name}?".encode()) + PART[:9])
    assert answer(line)[0] == 403
    assert guest.stored() == [f"{ATTEMPT}/000000"]
