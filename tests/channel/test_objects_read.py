"""The door to the store, for guests that restore: what their command names is read, and nothing beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from argosy.stores import chunks
from argosy.testing.bringing import ATTEMPT, Bringing

Begin = Callable[..., Bringing]


def test_a_chain_is_read(restoring: Begin) -> None:
    guest = restoring()
    for number, layer in enumerate(("full", "increment")):
        assert guest.get(f"objects/{number}/{ATTEMPT}/000000").body == f"{layer}/{ATTEMPT}/000000".encode()


def test_a_chain_in_another_region_is_read_there(restoring: Begin) -> None:
    here, there = restoring(), restoring("north")
    assert there.get(f"objects/1/{ATTEMPT}/000000", Range="bytes=0-8").body == b"increment"
    assert there.get(f"objects/1/{ATTEMPT}/000001").status == 404
    assert there.stored() == ["logs/a-1", "logs/a-2", "logs/b-1"]
    assert there.get("archive/3/a-2").body == b"logs/a-2"
    assert here.get(f"objects/0/{ATTEMPT}/000000").status == 200


def test_a_region_that_is_away_stops_only_who_reads_there(restoring: Begin, home: Path) -> None:
    here, there = restoring(), restoring("north")
    (home / "north").rename(home / "away")
    try:
        assert there.get(f"objects/0/{ATTEMPT}/000000").status == 503
        assert here.get(f"objects/0/{ATTEMPT}/000000").status == 200
    finally:
        (home / "away").rename(home / "north")
    assert there.get(f"objects/0/{ATTEMPT}/000000").status == 200


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


@pytest.mark.parametrize("name", ["a." + "0" * 20, "a." + "0" * 20 + "-" + "7".zfill(20)])
def test_of_a_chunk_a_range_is_read_too(restoring: Begin, name: str) -> None:
    """As a guest has shipped it, or put together."""
    guest = restoring()
    with guest.store.create(f"{guest.place}logs/{name}") as out:
        out.write(b"0123456789")
    assert guest.get(f"archive/3/{name}").body == b"0123456789"
    rest = guest.get(f"archive/3/{name}", Range="bytes=4-")
    assert (rest.status, rest.body, rest.headers["content-range"]) == (206, b"456789", "bytes 4-9/10")
    assert guest.get(f"archive/3/{name}", Range="bytes=10-").status == 416


def test_chunks_are_read_together(restoring: Begin) -> None:
    guest = restoring()
    assert guest.get("archive/3/a-2,a-1").body == b"logs/a-2logs/a-1"
    rest = guest.get("archive/3/a-2,a-1", Range="bytes=6-9")
    assert (rest.status, rest.body, rest.headers["content-range"]) == (206, b"-2lo", "bytes 6-9/16")


def test_no_more_is_read_together_than_is_held_in_memory(restoring: Begin) -> None:
    guest = restoring()
    with guest.store.create(f"{guest.place}logs/c-1") as out:
        out.write(bytes(chunks.TOGETHER_BYTES - 4))
    assert guest.get("archive/3/a-1,c-1").status == 413
    assert guest.get("archive/3/c-1").status == 200
    assert guest.get(f"archive/3/{','.join(['a-1'] * chunks.TOGETHER)}").status == 200
    assert guest.get(f"archive/3/{','.join(['a-1'] * (chunks.TOGETHER + 1))}").status == 403


@pytest.mark.parametrize(
    "path", ["archive/4", "archive/4/a-1", "archive/3/..", "archive/3/.x", "archive/3/a-3", "archive/3/a-1,"]
)
def test_no_other_log_is_read(restoring: Begin, path: str) -> None:
    guest = restoring()
    assert guest.get(path).status in {403, 404}
    assert guest.get("archive/3", command="nothing").status == 403
