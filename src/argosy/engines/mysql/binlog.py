"""Reads binary logs: which transactions are in them, and whether one file goes on where the other ended.

Only what a prefix is chosen by is understood. What is in the transactions is for the server's own tools.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

from argosy import errors

MAGIC = b"\xfebin"
HEADER = struct.Struct("<IBIIIH")
"""time, type, server, length, where the next begins, flags"""
IN_USE = 0x1
FLAGS_AT = len(MAGIC) + 17
CHECKSUM = 4
WHOLE = 0x2144DF1C
"""the checksum of anything with its own checksum behind it"""

QUERY, STOP, ROTATE, FORMAT, XID, XA_PREPARE = 2, 3, 4, 15, 16, 38
ANNOTATION, GTID, GTID_LIST = 160, 162, 163
ENDS = frozenset({XID, XA_PREPARE})
ENDING = (b"COMMIT", b"ROLLBACK", b"XA COMMIT", b"XA ROLLBACK")
BETWEEN = frozenset({GTID, ROTATE, STOP})
"""events that are in no group: what was begun before has ended"""
TEXTS = frozenset({QUERY, ANNOTATION})
QUERY_HEAD = 13
ALONE = 0x1
"""flag of a transaction that is one event, and says nothing at its end"""

Known = dict[tuple[int, int], int]
"""domain and server -> number of its last transaction"""


class Damaged(errors.GuestFailed):
    """the binary log is damaged"""


@dataclass(frozen=True)
class Group:
    """A transaction, or a statement that is none."""

    domain: int
    server: int
    number: int
    time: int
    """when its last statement began, in seconds since the epoch"""
    start: int
    end: int

    @property
    def gtid(self) -> str:
        return f"{self.domain}-{self.server}-{self.number}"


@dataclass
class Log:
    """One file, while it is gone through."""

    path: Path
    text: bytes = b""
    """lower case; what is looked for in statements"""
    latest: float = math.inf
    """nothing in the file can be later, whatever it says"""
    before: Known = field(default_factory=dict)
    """what the server knew when it began the file"""
    known: Known = field(default_factory=dict)
    """what it knew where we are"""
    found: bool = False
    """the group told last has the text"""
    end: int = len(MAGIC)
    """of the last whole group, or of what belongs to none"""

    def groups(self) -> Iterator[Group]:
        """The whole ones. What the end of the file has of another is left out. Raises Damaged."""
        with self._mapped() as data:
            yield from self._groups(data)

    def begin(self) -> None:
        """Learn what the server knew when it began the file. Raises Damaged."""
        with self._mapped() as data:
            for at, kind, length, _, _ in self._events(data):
                self._outside(data, kind, at + HEADER.size, at + length)
                if kind == GTID_LIST:
                    return

    def _groups(self, data: mmap.mmap) -> Iterator[Group]:
        opened: Group | None = None
        alone = False
        for at, kind, length, time, server in self._events(data):
            body, end = at + HEADER.size, at + length
            if opened and kind in BETWEEN:
                yield self._ended(opened, at)
                opened = None
            if kind == GTID:
                number, domain, flags = struct.unpack_from("<QIB", data, body)
                opened, alone, self.found = Group(domain, server, number, time, at, end), bool(flags & ALONE), False
            elif opened is None:
                self._outside(data, kind, body, end)
            elif self._inside(data, kind, body, end, alone=alone):
                yield self._ended(opened, end)
                opened = None

    def _ended(self, group: Group, end: int) -> Group:
        self.known[group.domain, group.server] = group.number
        self.end = end
        return replace(group, end=end)

    def _outside(self, data: mmap.mmap, kind: int, body: int, end: int) -> None:
        if kind == GTID_LIST:
            count = struct.unpack_from("<I", data, body)[0] & 0x0FFFFFFF
            listed = struct.iter_unpack("<IIQ", data[body + 4 : body + 4 + 16 * count])
            self.before = {(domain, server): number for domain, server, number in listed}
            self.known = dict(self.before)
        self.end = end

    def _inside(self, data: mmap.mmap, kind: int, body: int, end: int, *, alone: bool) -> bool:
        """Whether the group ends here."""
        if kind not in TEXTS or (kind == ANNOTATION and not self.text):
            return kind in ENDS
        words = data[body : end - CHECKSUM]
        if self.text and self.text in words.lower():
            self.found = True
        return kind == QUERY and (alone or _statement(words).startswith(ENDING))

    def _events(self, data: mmap.mmap) -> Iterator[tuple[int, int, int, int, int]]:
        """Where each is, its kind, length, time and server, with its checksum looked at."""
        at, size, summed = len(MAGIC), len(data), False
        view = memoryview(data)
        try:
            while at + HEADER.size <= size:
                time, kind, server, length, following, flags = HEADER.unpack_from(view, at)
                if length < HEADER.size or following != (at + length) & 0xFFFFFFFF:
                    raise self._damaged(at)
                if at + length > size:
                    return
                if kind == FORMAT:
                    summed = view[at + length - CHECKSUM - 1] == 1
                    if summed and crc32(_unused(view[at : at + length], flags)) != WHOLE:
                        raise self._damaged(at)
                elif summed and crc32(view[at : at + length]) != WHOLE:
                    raise self._damaged(at)
                yield at, kind, length, time, server
                at += length
        finally:
            view.release()

    def _damaged(self, at: int) -> Damaged:
        return Damaged(f"the binary log {self.path.name} is damaged at byte {at}")

    @contextmanager
    def _mapped(self) -> Iterator[mmap.mmap]:
        with self.path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise Damaged(f"{self.path.name} is no binary log")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                yield data


def _unused(event: memoryview, flags: int) -> bytes:
    """The mark that a file is in use is set and taken away without the checksum being made anew."""
    return bytes(event[:17]) + (flags & ~IN_USE).to_bytes(2, "little") + bytes(event[19:])


def head(path: Path) -> bytes:
    """What stands at its beginning for ever: when it was begun, and what the server knew."""
    with path.open("rb") as file:
        begun = file.read(len(MAGIC)) + _event(file) + _event(file)
    return begun[:FLAGS_AT] + begun[FLAGS_AT + 1 :]


def begun(path: Path) -> float:
    """When the server began the file, by its own clock."""
    with path.open("rb") as file:
        file.seek(len(MAGIC))
        header = file.read(HEADER.size)
    return float(HEADER.unpack(header)[0]) if len(header) == HEADER.size else math.inf


def _event(file: BinaryIO) -> bytes:
    header = file.read(HEADER.size)
    length = HEADER.unpack(header)[3] if len(header) == HEADER.size else 0
    return header + file.read(max(length - HEADER.size, 0))


def in_use(path: Path) -> bool:
    """Whether the server has it open, or was killed while it had."""
    with path.open("rb") as file:
        file.seek(FLAGS_AT)
        return bool(int.from_bytes(file.read(1), "little") & IN_USE)


def _statement(words: bytes) -> bytes:
    """What the event of a statement says, behind its settings and the name of a database."""
    database, settings = words[8], int.from_bytes(words[11:13], "little")
    return words[QUERY_HEAD + settings + database + 1 :]
