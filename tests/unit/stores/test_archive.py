"""What was sealed comes out as it went in, and nothing else ever comes out."""

from __future__ import annotations

import hashlib
import io
import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy import errors
from argosy.model.backups import FRAME_BYTES, PART_BYTES
from argosy.stores import frames
from argosy.stores.archive import PARTS, Opener, Sealed, Sealer, read_parts
from argosy.stores.frames import HEADER, SEALED_FRAME, Damaged, WrongKey

KEY = bytes(range(32))
BACKUP, ATTEMPT = "b", "a"


@dataclass(frozen=True)
class Shelf:
    objects: dict[str, bytes]
    sealed: Sealed

    def get(self, name: str) -> BinaryIO:
        if name not in self.objects:
            raise errors.NotFound
        return io.BytesIO(self.objects[name])

    def read(self, key: bytes = KEY, backup: str = BACKUP, attempt: str = ATTEMPT) -> bytes:
        return b"".join(Opener(key, backup, attempt, self.sealed.parts, self.get))

    def told(self, **objects: bytes) -> Shelf:
        """The same with some objects changed, whose new digests the list of parts tells."""
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in objects.items()}
        parts = tuple(
            replace(part, sha256=digests[f"p{part.name}"], bytes=len(objects[f"p{part.name}"]))
            if f"p{part.name}" in objects
            else part
            for part in self.sealed.parts
        )
        changed = {name.removeprefix("p"): data for name, data in objects.items()}
        return Shelf({**self.objects, **changed}, replace(self.sealed, parts=parts))


def shelve(*pieces: bytes, attempt: str = ATTEMPT) -> Shelf:
    objects: dict[str, bytes] = {}
    sealer = Sealer(KEY, lambda name, data: objects.update({name: bytes(data)}), backup=BACKUP, attempt=attempt)
    for piece in pieces:
        sealer.write(piece)
    return Shelf(objects, sealer.close())


THREE_PARTS = os.urandom(2 * PART_BYTES + FRAME_BYTES + 5)


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return shelve(THREE_PARTS)


@pytest.mark.parametrize(
    "size",
    [0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES],
)
def test_what_was_sealed_comes_out(size: int) -> None:
    data = os.urandom(size)
    assert shelve(data).read() == data


@given(st.lists(st.binary(max_size=3000), max_size=20), st.integers(1, 5000))
def test_it_does_not_matter_in_which_pieces(pieces: list[bytes], size: int) -> None:
    kept = shelve(*pieces)
    opener = Opener(KEY, BACKUP, ATTEMPT, kept.sealed.parts, kept.get)
    assert b"".join(iter(lambda: opener.read(size), b"")) == b"".join(pieces)


def test_parts_are_bounded_and_named_in_order(shelf: Shelf) -> None:
    assert [part.name for part in shelf.sealed.parts] == ["000000", "000001", "000002"]
    assert [part.bytes for part in shelf.sealed.parts[:2]] == [frames.part_bytes] * 2
    assert all(len(shelf.objects[part.name]) == part.bytes for part in shelf.sealed.parts)
    assert shelf.sealed.stored_bytes == sum(part.bytes for part in shelf.sealed.parts)


def test_the_list_of_parts_is_stored_and_proven(shelf: Shelf) -> None:
    text = shelf.objects[PARTS]
    assert read_parts(text, shelf.sealed.parts_sha256) == shelf.sealed.parts
    with pytest.raises(Damaged, match=r"parts\.json"):
        read_parts(text.replace(b"000001", b"000002"), shelf.sealed.parts_sha256)


def test_no_two_writings_share_a_nonce() -> None:
    assert shelve(b"same").objects["000000"] != shelve(b"same").objects["000000"]


def _flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _without(data: bytes, begin: int, end: int) -> bytes:
    return data[:begin] + data[end:]


FRAME_2 = (HEADER + SEALED_FRAME, HEADER + 2 * SEALED_FRAME)
DAMAGES: dict[str, tuple[Callable[[dict[str, bytes]], dict[str, bytes]], str]] = {
    "flipped": (lambda had: {"000001": _flip(had["000001"], 77_777)}, "part 000001 is damaged: frame 4 was changed"),
    "flipped first": (lambda had: {"000000": _flip(had["000000"], HEADER)}, "part 000000 is damaged: frame 0"),
    "flipped salt": (lambda had: {"000001": _flip(had["000001"], HEADER - 1)}, "part 000001 .* another writing"),
    "flipped magic": (lambda had: {"000001": _flip(had["000001"], 0)}, "part 000001 .* does not begin"),
    "frame away": (lambda had: {"000001": _without(had["000001"], *FRAME_2)}, "part 000001 is damaged: frame 5"),
    "last frame away": (lambda had: {"000001": had["000001"][:-SEALED_FRAME]}, "part 000001 is cut short"),
    "cut": (lambda had: {"000002": had["000002"][:-1]}, "part 000002 is cut short"),
    "emptied": (lambda _: {"000001": b""}, "part 000001 is cut short: 0 of"),
    "longer": (lambda had: {"000002": had["000002"] + b"x"}, "part 000002 is longer"),
    "swapped": (lambda had: {"000000": had["000001"], "000001": had["000000"]}, "part 000000 is damaged: frame 0"),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_is_found_and_named(shelf: Shelf, kind: str) -> None:
    damage, told = DAMAGES[kind]
    with pytest.raises(Damaged, match=told):
        Shelf({**shelf.objects, **damage(shelf.objects)}, shelf.sealed).read()


def test_a_part_that_is_missing_is_named(shelf: Shelf) -> None:
    left = {name: data for name, data in shelf.objects.items() if name != "000001"}
    with pytest.raises(Damaged, match="part 000001 is missing"):
        Shelf(left, shelf.sealed).read()


@pytest.mark.parametrize("kept", [slice(0, 2), slice(1, 3), slice(0, 0), slice(None, None, -1)])
def test_a_list_of_parts_that_is_not_all_is_refused(shelf: Shelf, kept: slice) -> None:
    with pytest.raises(Damaged, match="missing"):
        Shelf(shelf.objects, replace(shelf.sealed, parts=shelf.sealed.parts[kept])).read()


def test_what_a_changed_list_calls_whole_is_still_refused(shelf: Shelf) -> None:
    swapped = shelf.told(p000000=shelf.objects["000001"], p000001=shelf.objects["000000"])
    with pytest.raises((Damaged, WrongKey)):
        swapped.read()
    longer = shelf.told(p000001=shelf.objects["000001"] + shelf.objects["000002"][HEADER:])
    with pytest.raises(Damaged, match=r"more after the end|part 000001"):
        longer.read()
    headless = shelf.told(p000002=shelf.objects["000002"][:HEADER])
    with pytest.raises(Damaged, match="no end"):
        headless.read()


@pytest.mark.parametrize("other", [{"key": bytes(32)}, {"backup": "c"}, {"attempt": "c"}])
def test_another_key_or_name_opens_nothing(shelf: Shelf, other: dict[str, bytes]) -> None:
    with pytest.raises(WrongKey):
        shelf.read(**other)


def test_parts_of_another_attempt_do_not_fit(shelf: Shelf) -> None:
    other = shelve(THREE_PARTS, attempt="other")
    with pytest.raises(Damaged, match="part 000001"):
        Shelf({**shelf.objects, "000001": other.objects["000001"]}, shelf.sealed).read()


def test_what_comes_out_before_the_damage_is_what_was_written(shelf: Shelf) -> None:
    kept = Shelf({**shelf.objects, "000001": _flip(shelf.objects["000001"], 77_777)}, shelf.sealed)
    opener = Opener(KEY, BACKUP, ATTEMPT, kept.sealed.parts, kept.get)
    out = b"".join(itertools.islice(opener, PART_BYTES // FRAME_BYTES))
    with pytest.raises(Damaged):
        opener.read(1)
    assert out == THREE_PARTS[:PART_BYTES]
