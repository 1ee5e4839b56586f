"""Chunks of log: which are to be read, and that none can stand in for another."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import secrets
import zlib

import pytest
import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from argosy.stores import chunks
from argosy.stores.chunks import Damaged, Head

KEY = AESGCM(secrets.token_bytes(32))
DATA = b"every change " * 100
HEAD = Head("i", 1, "log.7", 40, len(DATA), 5.0, begins=True, closed=False, position={"lsn": "0/7"})


def sealed(head: Head = HEAD, data: bytes = DATA) -> bytes:
    return chunks.seal(KEY, head, data, secrets.token_bytes(12))


def by_zlib(checksum: str) -> bytes:
    told = {**dataclasses.asdict(HEAD), "format": chunks.ZLIB, "sha256": checksum}
    line, nonce = json.dumps(told).encode() + b"\n", secrets.token_bytes(chunks.NONCE)
    return line + nonce + KEY.encrypt(nonce, zlib.compress(DATA), line)


def name(offset: int, end: int | None = None) -> str:
    return f"log.7.{offset:020d}" + (f"-{end:020d}" if end else "")


def test_what_was_sealed_comes_out() -> None:
    assert chunks.opened(KEY, sealed()) == (HEAD, DATA)
    assert chunks.head(sealed()) == HEAD
    assert len(sealed()) < len(DATA)


def test_what_was_packed_by_zlib_comes_out() -> None:
    head, data = chunks.opened(KEY, by_zlib(hashlib.sha256(DATA).hexdigest()))
    assert (head.format, data) == (chunks.ZLIB, DATA)
    with pytest.raises(Damaged, match="does not hold"):
        chunks.opened(KEY, by_zlib(hashlib.sha256(b"other").hexdigest()))


def test_a_format_of_a_newer_release_is_told_as_that() -> None:
    line = json.dumps({**dataclasses.asdict(HEAD), "format": 9}).encode() + b"\n"
    with pytest.raises(Damaged, match="newer"):
        chunks.opened(KEY, line)


@pytest.mark.parametrize("form", [chunks.ZLIB, chunks.ZSTD])
def test_what_expands_to_more_than_its_head_says_is_not_expanded(form: int) -> None:
    line = json.dumps({**dataclasses.asdict(HEAD), "format": form}).encode() + b"\n"
    bomb = bytes(1 << 26)
    packed = zlib.compress(bomb, 1) if form == chunks.ZLIB else zstandard.ZstdCompressor(level=1).compress(bomb)
    nonce = secrets.token_bytes(chunks.NONCE)
    with pytest.raises(Damaged):
        chunks.opened(KEY, line + nonce + KEY.encrypt(nonce, packed, line))


def test_names_tell_their_place() -> None:
    assert chunks.named(HEAD.name) == chunks.Named(name(40), "log.7", 40, None)
    assert chunks.named(HEAD.joined_name) == chunks.Named(name(40, HEAD.end), "log.7", 40, HEAD.end)
    assert chunks.named("stream.json") is None


def test_what_was_put_together_is_read_instead() -> None:
    there = [name(0), name(10), name(20), name(30), name(10, 30), name(45)]
    assert [each.name for each in chunks.cover(there)] == [name(0), name(10, 30), name(30), name(45)]
    assert [each.name for each in chunks.cover([name(0), name(10), name(0, 20)])] == [name(0, 20)]


@pytest.mark.parametrize(
    ("sizes", "batches"),
    [
        ([], []),
        ([1, 2, 3], [3]),
        ([chunks.TOGETHER_BYTES, 1], [1, 1]),
        ([chunks.TOGETHER_BYTES - 1, 1, 1], [2, 1]),
        ([1, chunks.TOGETHER_BYTES * 9, 1], [1, 1, 1]),
        ([1] * (chunks.TOGETHER * 2 + 1), [chunks.TOGETHER, chunks.TOGETHER, 1]),
    ],
)
def test_so_many_are_asked_for_at_once(sizes: list[int], batches: list[int]) -> None:
    told = {name(offset): size for offset, size in enumerate(sizes)}
    asked = list(chunks.together(chunks.cover(told), told))
    assert [len(each) for each in asked] == batches
    assert [one.name for each in asked for one in each] == list(told)


def test_an_agent_from_before_is_understood() -> None:
    """It told a checksum of its own of what zstd has packed."""
    line, _, _ = sealed().partition(b"\n")
    told = json.dumps({**json.loads(line), "sha256": "0" * 64}).encode() + b"\n"
    nonce = secrets.token_bytes(chunks.NONCE)
    packed = zstandard.ZstdCompressor(level=1).compress(DATA)
    assert chunks.opened(KEY, told + nonce + KEY.encrypt(nonce, packed, told))[1] == DATA


@pytest.mark.parametrize("field", ["instance", "stream", "file", "offset", "latest", "position"])
def test_a_head_of_another_chunk_is_noticed(field: str) -> None:
    line, _, rest = sealed().partition(b"\n")
    other = {"instance": "j", "stream": 2, "file": "log.8", "offset": 0, "latest": 9.0, "position": {}}[field]
    changed = json.dumps({**json.loads(line), field: other}, separators=(",", ":")).encode()
    with pytest.raises(Damaged):
        chunks.opened(KEY, changed + b"\n" + rest)


@pytest.mark.parametrize("place", [-1, -20, 0])
def test_a_flipped_bit_is_noticed(place: int) -> None:
    line, _, rest = sealed().partition(b"\n")
    body = bytearray(rest)
    body[place] ^= 1
    with pytest.raises(Damaged, match=r"log\.7"):
        chunks.opened(KEY, line + b"\n" + bytes(body))


def test_another_key_and_a_cut_are_noticed() -> None:
    with pytest.raises(Damaged, match="another key"):
        chunks.opened(AESGCM(secrets.token_bytes(32)), sealed())
    with pytest.raises(Damaged):
        chunks.opened(KEY, sealed()[:-30])


def test_data_that_are_not_what_the_head_says_are_noticed() -> None:
    with pytest.raises(Damaged, match="does not hold"):
        chunks.opened(KEY, sealed(dataclasses.replace(HEAD, bytes=3)))
