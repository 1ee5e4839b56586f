"""A native stream on its way to sealed parts and back, without a guest."""

from __future__ import annotations

import io
import os
from collections.abc import Callable

import pytest
import zstandard

from argosy import errors
from argosy.agent import stages
from argosy.agent.packing import COMPRESSION, Packing
from argosy.agent.stages import Tally
from argosy.agent.throttle import Throttle
from argosy.agent.unpacking import NotAsTaken, Unpacking, naming
from argosy.stores.archive import Opener, Put, Sealed, Sealer
from argosy.stores.frames import Damaged, WrongKey

KEY = bytes(32)
MUCH = os.urandom(1 << 16) * 80 + bytes(20 << 20)
"""more than a part, some of which becomes next to nothing"""


class Shelf:
    """A store of one backup."""

    def __init__(self) -> None:
        self.parts: dict[str, bytes] = {}
        self.sealed: Sealed | None = None

    def put(self, name: str, data: bytes | bytearray) -> None:
        self.parts[name] = bytes(data)

    def opener(self) -> Opener:
        assert self.sealed is not None
        return Opener(KEY, "b", "a", self.sealed.parts, lambda name: io.BytesIO(self.parts[name]))

    def unpacking(self, expected: int) -> Unpacking:
        return Unpacking(self.opener(), expected, Tally(Throttle(0)))


def sealer(put: Put) -> Sealer:
    return Sealer(KEY, put, backup="b", attempt="a")


def packed(data: bytes) -> Shelf:
    shelf = Shelf()
    with Packing(sealer(shelf.put), Tally(Throttle(0))) as packing:
        stages.write(packing.into, data)
    shelf.sealed = packing.sealed
    assert packing.count.bytes == len(data)
    return shelf


def of_compressed(data: bytes) -> Shelf:
    """What a writer has left that was not true to the form."""
    shelf = Shelf()
    writing = sealer(shelf.put)
    writing.write(data)
    shelf.sealed = writing.close()
    return shelf


def read(unpacking: Unpacking) -> bytes:
    with unpacking as source:
        return b"".join(bytes(piece) for piece in stages.read(source))


@pytest.mark.parametrize("data", [b"", b"a", MUCH], ids=["nothing", "a letter", "much"])
def test_what_was_packed_is_unpacked(data: bytes) -> None:
    assert read(packed(data).unpacking(len(data))) == data


def test_stock_programs_read_it() -> None:
    shelf = packed(MUCH)
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(shelf.opener().read())) as reader:
        assert reader.readall() == MUCH


@pytest.mark.parametrize(
    "hurt",
    [
        lambda data: data[:-1],
        lambda data: data[:-4],
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: data + b"more",
        lambda _: b"",
    ],
    ids=["end", "checksum", "half", "another checksum", "more", "nothing"],
)
def test_a_stream_that_was_written_wrong_is_found(hurt: Callable[[bytes], bytes]) -> None:
    whole = zstandard.ZstdCompressor(compression_params=COMPRESSION).compress(MUCH)
    with pytest.raises(NotAsTaken, match="the backup is damaged"):
        read(of_compressed(hurt(whole)).unpacking(len(MUCH)))


def test_another_number_of_bytes_is_found() -> None:
    with pytest.raises(NotAsTaken, match=rf"it gave {len(MUCH)} bytes, and 1 were taken"):
        read(packed(MUCH).unpacking(1))


@pytest.mark.parametrize("wrong", [Damaged, WrongKey, NotAsTaken])
def test_whatever_is_wrong_is_told_of_its_backup(wrong: type[errors.Broken]) -> None:
    with pytest.raises(Damaged, match=r"^backup of-monday: it is not what it was$"), naming("of-monday"):
        raise wrong("it is not what it was")


def test_what_is_not_of_the_stream_is_told_as_it_is() -> None:
    with pytest.raises(errors.GuestFailed, match=r"^the tool ended with 1$"), naming("of-monday"):
        raise errors.GuestFailed("the tool ended with 1")


def test_who_stops_reading_early_has_all_of_it_proven() -> None:
    shelf = packed(MUCH)
    shelf.parts["000000"] = shelf.parts["000000"][:-1] + b"?"
    with pytest.raises(errors.Broken, match="part 000000 is damaged"), shelf.unpacking(len(MUCH)) as source:
        os.read(source, 1)


def fail_reading(shelf: Shelf) -> None:
    with shelf.unpacking(len(MUCH)) as source:
        os.read(source, 1)
        raise ZeroDivisionError


def test_who_fails_reading_is_told_of_as_the_cause() -> None:
    with pytest.raises(ZeroDivisionError):
        fail_reading(packed(MUCH))


def pack_endlessly(put: Put) -> None:
    with Packing(sealer(put), Tally(Throttle(0))) as packing:
        while True:
            stages.write(packing.into, os.urandom(1 << 20))


def test_a_tool_is_stopped_when_its_data_cannot_be_stored() -> None:
    def full(_name: str, _data: bytes | bytearray) -> None:
        raise errors.Unavailable("the object store is full")

    with pytest.raises(errors.Unavailable, match="full"):
        pack_endlessly(full)


def fail_packing(shelf: Shelf) -> None:
    with Packing(sealer(shelf.put), Tally(Throttle(0))) as packing:
        stages.write(packing.into, MUCH)
        raise ZeroDivisionError


def test_nothing_is_whole_after_a_tool_that_failed() -> None:
    shelf = Shelf()
    with pytest.raises(ZeroDivisionError):
        fail_packing(shelf)
    assert "parts.json" not in shelf.parts
