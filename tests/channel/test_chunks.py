"""The door to the store, for the log: chunks that follow each other, of what is archived."""

from __future__ import annotations

import dataclasses
import secrets
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from argosy.db.tables import Archive, ArchiveFile, ArchiveStream
from argosy.stores import chunks
from argosy.stores.chunks import CHUNK_BYTES, LARGEST, Head
from argosy.testing.bringing import Bringing
from argosy.testing.channel import Channel

Credential = Callable[[str], str]
Begin = Callable[..., Bringing]


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
    head = Head(guest, 2, name, offset, len(data), 1.0, begins=True, closed=False)
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
