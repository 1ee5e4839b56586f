"""A stream of bytes as sealed parts in a store, and back: what every backup of every engine goes through.

Writing, in the guest:

    sealer = Sealer(key, put, backup=backup_id, attempt=attempt)
    sealer.write(compressed) …                      # any sizes
    sealed = sealer.close()                         # puts `parts.json` too

Reading, anywhere:

    parts = read_parts(get("parts.json").read(), sealed.parts_sha256)       # or those of a manifest
    for compressed in Opener(key, backup_id, attempt, parts, get): …

`put(name, data)` and `get(name)` know the place in the store; names are those below the attempt. Nothing that was
changed, cut, swapped, reordered or sealed with another key comes out of an Opener: it raises before it gives a byte of
it. The end is proven only by reading to the end.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from argosy import errors
from argosy.model.backups import FRAME_BYTES, PART_BYTES, Part
from argosy.stores import frames
from argosy.stores.frames import HEADER, SEALED_FRAME, Damaged, Frames, NotThisFrame, WrongKey
from argosy.stores.part_reader import PartReader

PARTS = "parts.json"
FRAMES_OF_PART = PART_BYTES // FRAME_BYTES

Put = Callable[[str, bytes | bytearray], None]
"""Store an object, durably, or raise. The data are the taker's own from then on: it may store them in another thread,
as long as it raises by the call with `parts.json`, which is the last, what went wrong with one before."""
Get = Callable[[str], BinaryIO]
"""Raises NotFound."""


@dataclass(frozen=True)
class Sealed:
    """What a stream has become."""

    parts: tuple[Part, ...]
    stored_bytes: int
    """of all parts, without their list"""
    parts_sha256: str
    """of the list of them, `parts.json`, as it was stored"""


class Sealer:
    """What is written is stored in sealed parts; whole only after `close`. Holds one part, besides what `put` holds."""

    def __init__(self, key: bytes, put: Put, *, backup: str, attempt: str) -> None:
        self._frames = frames.fresh(key, stream(backup, attempt))
        self._put = put
        self._parts: list[Part] = []
        self._part, self._used = _begun(self._frames)
        self._frame, self._filled = bytearray(FRAME_BYTES), 0
        self._number = 0

    def write(self, data: bytes | bytearray | memoryview) -> int:
        with memoryview(data) as left:
            done = 0
            while done < len(left):
                if self._filled == FRAME_BYTES:  # only now is it known not to be the last
                    self._seal(last=False)
                size = min(FRAME_BYTES - self._filled, len(left) - done)
                self._frame[self._filled : self._filled + size] = left[done : done + size]
                self._filled += size
                done += size
        return done

    def close(self) -> Sealed:
        self._seal(last=True)
        self._store()
        text = parts_text(self._parts)
        self._put(PARTS, text)
        stored = sum(part.bytes for part in self._parts)
        return Sealed(tuple(self._parts), stored, hashlib.sha256(text).hexdigest())

    def _seal(self, *, last: bool) -> None:
        if self._number and self._number % FRAMES_OF_PART == 0:
            self._store()
        with memoryview(self._frame)[: self._filled] as data, memoryview(self._part)[self._used :] as room:
            self._used += self._frames.seal(self._number, data, room, last=last)
        self._filled = 0
        self._number += 1

    def _store(self) -> None:
        name, whole = part_name(len(self._parts)), self._part
        del whole[self._used :]
        self._parts.append(Part(name, len(whole), hashlib.sha256(whole).hexdigest()))
        self._put(name, whole)
        del whole
        self._part, self._used = _begun(self._frames)


class Opener:
    """Iterating gives the stream that was sealed, verified, from its first byte to its last, or raises Damaged, naming
    the part, or WrongKey. Once only; `read` gives the same as a file would.
    """

    def __init__(self, key: bytes, backup: str, attempt: str, parts: Sequence[Part], get: Get) -> None:
        self._key, self._stream, self._parts, self._get = key, stream(backup, attempt), parts, get
        self._frames: Frames | None = None
        self._number, self._ended = 0, False
        self._pieces = self._all()
        self._held = b""

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes, empty only at the end."""
        if size < 0:
            return self._held + b"".join(self._pieces)
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._held = piece
        told, self._held = self._held[:size], self._held[size:]
        return told

    def _all(self) -> Iterator[bytes]:
        if [part.name for part in self._parts] != [part_name(number) for number in range(len(self._parts))]:
            raise Damaged("the list of parts is not in order, or some of them are missing")
        for part in self._parts:
            yield from self._opened(part, final=part is self._parts[-1])
        if not self._ended:
            raise Damaged("the stream has no end: its last part is missing")

    def _opened(self, part: Part, *, final: bool) -> Iterator[bytes]:
        with _found(self._get, part) as source:
            reading = PartReader(part, source)
            opening = self._begun(part, reading.take(HEADER))
            while (left := part.bytes - reading.taken) > 0:
                sealed = reading.take(min(SEALED_FRAME, left))
                yield self._open(opening, reading, sealed, last=final and left <= SEALED_FRAME)
            reading.check_end()

    def _begun(self, part: Part, header: bytes) -> Frames:
        try:
            frames_of_part = frames.of_header(self._key, self._stream, header)
        except Damaged as error:
            raise Damaged(f"part {part.name} is damaged: {error.message}") from error
        if self._frames is None:
            self._frames = frames_of_part
        if header != self._frames.header:
            raise Damaged(f"part {part.name} is damaged: it belongs to another writing")
        return self._frames

    def _open(self, opening: Frames, reading: PartReader, sealed: bytes, *, last: bool) -> bytes:
        try:
            plain = opening.open(self._number, sealed, last=last)
        except NotThisFrame as error:
            raise self._blamed(opening, reading, sealed, last=last) from error
        self._number += 1
        self._ended = last
        return plain

    def _blamed(self, opening: Frames, reading: PartReader, sealed: bytes, *, last: bool) -> errors.Broken:
        """What must have happened to a frame that does not open."""
        name = reading.part.name
        if self._number == 0 and reading.rest_is_whole():
            return WrongKey()
        try:
            opening.open(self._number, sealed, last=not last)
        except NotThisFrame:
            return Damaged(f"part {name} is damaged: frame {self._number} was changed, or stands in another's place")
        if last:
            return Damaged(f"parts after {name} are missing: it is not the last")
        return Damaged(f"there is more after the end of the stream in part {name}")


def _begun(writing: Frames) -> tuple[bytearray, int]:
    """A part of full size, and how much of it is used: one that grew would be held twice while it does."""
    part = bytearray(frames.part_bytes)
    part[:HEADER] = writing.header
    return part, HEADER


def stream(backup: str, attempt: str) -> str:
    """What frames are bound to."""
    return f"{backup}/{attempt}"


def part_name(number: int) -> str:
    return f"{number:06}"


def parts_text(parts: Sequence[Part]) -> bytes:
    """The list as it stands in the store."""
    return json.dumps([dataclasses.astuple(part) for part in parts], separators=(",", ":")).encode()


def read_parts(text: bytes, sha256: str) -> tuple[Part, ...]:
    """Raises Damaged when it is not the list of that digest."""
    if hashlib.sha256(text).hexdigest() != sha256:
        raise Damaged(f"{PARTS} is damaged: its checksum is another than the one that was written")
    return tuple(Part(str(name), int(size), str(digest)) for name, size, digest in json.loads(text))


def _found(get: Get, part: Part) -> BinaryIO:
    try:
        return get(part.name)
    except errors.NotFound as error:
        raise Damaged(f"part {part.name} is missing") from error
