"""An unbroken stretch of the log, as a restore lays it out: checked before it is replayed, and judged afterwards."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.engines.postgresql import positions
from argosy.engines.postgresql.positions import PAGE, SEGMENT_NAME, Segment

PAGE_HEAD = struct.Struct("<HHIQ8x")
"""magic, flags, timeline, position; the length of what goes on from the page before"""
FILE_HEAD = struct.Struct("<HHIQ8xQII")
"""of a segment's first page: and system identifier, bytes of a segment and of a page"""
SYSTEM_AT = 24
SHORTEST = 24
"""bytes of a record"""


@dataclass(frozen=True)
class Stretch:
    logs: Path
    segments: Sequence[Segment]
    begin: int
    end: int

    @classmethod
    def of(cls, logs: Path, position: Mapping[str, Any]) -> Stretch:
        """What there is from a backup's end on. Raises GuestFailed naming the segment that is missing or damaged, and
        Rejected for a log that ends before the backup does.
        """
        begin = positions.parse(position["stop"])
        needed = Segment.holding(position["timeline"], begin, position["segment"])
        found = [each for each in _listed(logs, position) if each.number >= needed.number]
        if not found:
            return cls(logs, (), begin, begin)
        if found[0] != needed:
            raise errors.GuestFailed(f"the segment {needed.name} of the log is missing")
        for one, other in pairwise(found):
            if one.next != other:
                raise errors.GuestFailed(f"the segment {one.next.name} of the log is missing")
        stretch = cls(logs, found, begin, found[-1].begin + _size(logs, found[-1]))
        stretch._check(position)
        return stretch

    def lay_out(self, place: Path, system: int) -> None:
        """Have every segment below `place`, saying that it is of this system, and the last as long as a server wants
        it. Behind what was written there is nothing.
        """
        place.mkdir()
        for each in self.segments:
            with (self.logs / each.name).open("r+b") as file:
                file.seek(SYSTEM_AT)
                file.write(struct.pack("<Q", system))
            (place / each.name).symlink_to(self.logs / each.name)
        if self.end % self._bytes:
            last = place / self.segments[-1].name
            last.unlink()
            last.write_bytes((self.logs / last.name).read_bytes())
            os.truncate(last, self._bytes)

    def judge(self, place: int) -> None:
        """A server that stops reading has come to the end, or to what is damaged: then there is a whole record next.
        Raises GuestFailed.
        """
        at = place + (_head_bytes(place, self._bytes) if place % PAGE == 0 else 0)
        if at + 4 > self.end:
            return
        [length] = struct.unpack("<I", self._read(at, 4))
        stop = at if length < SHORTEST else _after(at, length, self._bytes)
        if stop <= self.end:
            damaged = self._bad_page(at, stop) or Segment.holding(self._timeline, at, self._bytes)
            raise errors.GuestFailed(f"the segment {damaged.name} of the log is damaged, at {positions.text(at)}")

    @property
    def _bytes(self) -> int:
        return self.segments[0].bytes if self.segments else PAGE

    @property
    def _timeline(self) -> int:
        return self.segments[0].timeline

    def _check(self, position: Mapping[str, Any]) -> None:
        for each in self.segments[:-1]:
            if _size(self.logs, each) != each.bytes:
                raise errors.GuestFailed(f"the segment {each.name} of the log is not whole")
        for each in self.segments:
            _check_head(self.logs / each.name, each)
        if self.end < self.begin:
            raise errors.Rejected(
                f"the log ends at {positions.text(self.end)}, before the backup does, {position['stop']}:"
                " restore the backup as it is, or choose an older one"
            )

    def _bad_page(self, begin: int, stop: int) -> Segment | None:
        for at in range(begin // PAGE * PAGE, stop, PAGE):
            if PAGE_HEAD.unpack(self._read(at, PAGE_HEAD.size))[3] != at:
                return Segment.holding(self._timeline, at, self._bytes)
        return None

    def _read(self, at: int, count: int) -> bytes:
        segment = Segment.holding(self._timeline, at, self._bytes)
        with (self.logs / segment.name).open("rb") as file:
            file.seek(at - segment.begin)
            return file.read(count)


def _listed(logs: Path, position: Mapping[str, Any]) -> Iterator[Segment]:
    """Of the backup's timeline, in order, those with something in them."""
    for path in sorted(logs.iterdir()):
        if SEGMENT_NAME.fullmatch(path.name) and path.stat().st_size:
            segment = Segment.named(path.name, position["segment"])
            if segment.timeline == position["timeline"]:
                yield segment


def _size(logs: Path, segment: Segment) -> int:
    return (logs / segment.name).stat().st_size


def _check_head(path: Path, segment: Segment) -> None:
    with path.open("rb") as file:
        head = file.read(FILE_HEAD.size)
    told = FILE_HEAD.unpack(head) if len(head) == FILE_HEAD.size else None
    if told is None or told[3] != segment.begin or told[5:] != (segment.bytes, PAGE):
        raise errors.GuestFailed(f"the segment {segment.name} of the log is damaged: it begins as another")


def _head_bytes(page: int, segment: int) -> int:
    return FILE_HEAD.size if page % segment == 0 else PAGE_HEAD.size


def _after(at: int, length: int, segment: int) -> int:
    """Where a record ends that begins there, with the heads of the pages that it goes over."""
    left = length
    while (room := PAGE - at % PAGE) < left:
        left -= room
        at += room
        at += _head_bytes(at, segment)
    return at + left
