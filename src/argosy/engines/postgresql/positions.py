"""Where something stands in the write-ahead log: pure arithmetic on what PostgreSQL calls an LSN."""

from __future__ import annotations

import re
from dataclasses import dataclass

PAGE = 8192
SEGMENT_NAME = re.compile(r"[0-9A-F]{24}")
HISTORY_NAME = re.compile(r"[0-9A-F]{8}\.history")


def parse(text: str) -> int:
    """Bytes from the beginning of all, of `0/16B3748`. Raises ValueError."""
    if not re.fullmatch(r"[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}", text):
        raise ValueError(f"{text!r} is not a position in PostgreSQL's log, such as 0/16B3748")
    high, _, low = text.partition("/")
    return int(high, 16) << 32 | int(low, 16)


def text(place: int) -> str:
    return f"{place >> 32:X}/{place & 0xFFFFFFFF:X}"


@dataclass(frozen=True)
class Segment:
    """One file of the log."""

    timeline: int
    number: int
    bytes: int
    """of each: 16 MiB, unless initdb was told otherwise"""

    @classmethod
    def holding(cls, timeline: int, place: int, size: int) -> Segment:
        return cls(timeline, place // size, size)

    @classmethod
    def named(cls, name: str, size: int) -> Segment:
        """Raises ValueError."""
        if not SEGMENT_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not the name of a segment")
        number = int(name[8:16], 16) * (0x100000000 // size) + int(name[16:24], 16)
        return cls(int(name[:8], 16), number, size)

    @property
    def name(self) -> str:
        each = 0x100000000 // self.bytes
        return f"{self.timeline:08X}{self.number // each:08X}{self.number % each:08X}"

    @property
    def begin(self) -> int:
        return self.number * self.bytes

    @property
    def next(self) -> Segment:
        return Segment(self.timeline, self.number + 1, self.bytes)
