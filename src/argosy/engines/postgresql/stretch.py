"""An unbroken stretch of the log: known before it is replayed, and judged afterwards."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from argosy import errors
from argosy.engines.archiving import Logs
from argosy.engines.postgresql import positions
from argosy.engines.postgresql.positions import PAGE, SEGMENT_NAME, Segment

PAGE_HEAD = struct.Struct("<HHIQ8x")
"""magic, flags, timeline, position; the length of what goes on from the page before"""
FILE_HEAD = struct.Struct("<HHIQ8xQII")
"""of a segment's first page: and system identifier, bytes of a segment and of a page"""
SHORTEST = 24
"""bytes of a record"""


@dataclass(frozen=True)
class Stretch:
    logs: Logs
    segments: Sequence[Segment]
    begin: int
    end: int

    @classmethod
    def of(cls, logs: Logs, position: Mapping[str, Any]) -> Stretch:
        """What there is from a backup's end on, by names and sizes. Raises GuestFailed naming the segment that is
        missing, and Rejected for a log that ends before the backup does.
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
        stretch = cls(logs, found, begin, found[-1].begin + logs.sizes[found[-1].name])
        stretch._require_whole(position)
        return stretch

    def check(self, segment: Segment) -> None:
        """Raises GuestFailed for one that has come and is not what its name says."""
        with (self.logs.place / segment.name).open("rb") as file:
            head = file.read(FILE_HEAD.size)
        told = FILE_HEAD.unpack(head) if len(head) == FILE_HEAD.size else None
        if told is None or told[3] != segment.begin or told[5:] != (segment.bytes, PAGE):
            raise errors.GuestFailed(f"the segment {segment.name} of the log is damaged: it begins as another")

    def judge(self, place: int) -> None:
        """A server that stops reading has come to the end, or to what is damaged: then there is a whole record next.
        Waits for what is still to come. Raises GuestFailed.
        """
        self.logs.all()
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

    def _require_whole(self, position: Mapping[str, Any]) -> None:
        for each in self.segments[:-1]:
            if self.logs.sizes[each.name] != each.bytes:
                raise errors.GuestFailed(f"the segment {each.name} of the log is not whole")
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
        with (self.logs.place / segment.name).open("rb") as file:
            file.seek(at - segment.begin)
            return file.read(count)


def _listed(logs: Logs, position: Mapping[str, Any]) -> Iterator[Segment]:
    """Of the backup's timeline, in order, those with something in them."""
    for name, size in sorted(logs.sizes.items()):
        if SEGMENT_NAME.fullmatch(name) and size:
            segment = Segment.named(name, position["segment"])
            if segment.timeline == position["timeline"]:
                yield segment


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
