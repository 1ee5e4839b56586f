"""The tar stream that PostgreSQL writes, entry by entry, with contents moved by the kernel where it can.

`tarfile` copies every byte through Python several times: at hundreds of megabytes a second that is what a backup
would wait for.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from argosy import errors

BLOCK = 512
CHUNK = 1 << 20
END = bytes(2 * BLOCK)

FILE, FOLDER, LINK = b"0", b"5", b"2"


@dataclass(frozen=True)
class Entry:
    name: str
    kind: bytes
    size: int
    head: bytes
    """as it stands in the stream"""

    @property
    def padding(self) -> bytes:
        return bytes(-self.size % BLOCK)


class Tape:
    """One entry after another. What is not taken of an entry's content is skipped when the next one is asked for."""

    def __init__(self, source: int) -> None:
        self._source = source
        self._left = 0

    def __iter__(self) -> Iterator[Entry]:
        """Raises Broken for a stream that ends before its end is written."""
        while any(head := self._exactly(BLOCK)):
            entry = _entry(head)
            self._left = entry.size
            yield entry
            self._skip(self._left + len(entry.padding))
        while os.read(self._source, CHUNK):
            pass

    def read(self, count: int) -> bytes:
        """The next bytes of the content. Raises Broken when there are not so many."""
        if count > self._left:
            raise errors.Broken("an entry of the archive is shorter than it says")
        self._left -= count
        return self._exactly(count)

    def move(self, target: int, count: int | None = None) -> None:
        """The next bytes of the content, or all that are left, to where the target stands."""
        wanted = self._left if count is None else count
        if wanted > self._left:
            raise errors.Broken("an entry of the archive is shorter than it says")
        self._left -= wanted
        move(self._source, target, wanted)

    def _skip(self, count: int) -> None:
        while count:
            count -= len(self._exactly(min(count, CHUNK)))

    def _exactly(self, count: int) -> bytes:
        parts = []
        while count:
            part = os.read(self._source, count)
            if not part:
                raise errors.Broken("the archive ends in the middle")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


def move(source: int, target: int, count: int) -> None:
    """From one descriptor to the other, without a copy of ours where one of them is a pipe. Raises Broken."""
    while count:
        moved = _splice(source, target, count)
        if not moved:
            raise errors.Broken("the archive ends in the middle")
        count -= moved


def _splice(source: int, target: int, count: int) -> int:
    try:
        return os.splice(source, target, count)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        data = os.read(source, min(count, CHUNK))
        write(target, data)
        return len(data)


def write(target: int, data: bytes) -> None:
    """All of it."""
    view = memoryview(data)
    while view:
        view = view[os.write(target, view) :]


def head(name: str, kind: bytes, size: int) -> bytes:
    """Of an entry of ours, for its owner only. Raises GuestFailed for a name that does not fit."""
    words = name.encode()
    if len(words) >= 100:
        raise errors.GuestFailed(f"the name {name} is too long for an archive")
    block = bytearray(BLOCK)
    mode = 0o700 if kind == FOLDER else 0o600
    fields = {0: words, 100: b"%07o" % mode, 108: b"%07o" % 0, 116: b"%07o" % 0, 124: b"%011o" % size}
    fields |= {136: b"%011o" % 0, 148: b" " * 8, 156: kind, 257: b"ustar\x0000"}
    for place, value in fields.items():
        block[place : place + len(value)] = value
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def _entry(block: bytes) -> Entry:
    name = block[:100].partition(b"\0")[0].decode()
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise errors.Broken(f"the archive has a file {name} outside of its directory")
    kind = block[156:157]
    return Entry(str(path), FILE if kind == b"\0" else kind, _number(block[124:136]), block)


def _number(field: bytes) -> int:
    """Octal, or from 8 GiB on binary behind a high bit."""
    if field[0] & 0x80:
        return int.from_bytes(field, "big") & ~(0x80 << 88)
    try:
        return int(field.rstrip(b"\0 ") or b"0", 8)
    except ValueError as error:
        raise errors.Broken("the archive is damaged: an entry has no size") from error
