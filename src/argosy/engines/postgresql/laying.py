"""Segments of a log as they come, laid where a server that replays asks for them."""

from __future__ import annotations

import os
import struct
from collections import deque
from pathlib import Path

from argosy.engines.postgresql.positions import Segment
from argosy.engines.postgresql.stretch import Stretch

SEGMENTS, COMING = "segments", "coming"
"""below a directory of the server's: what is there, and a mark that there will be more"""
SYSTEM_AT = 24


class Laying:
    """Every segment says that it is of this system, and the last is as long as a server wants it: behind what was
    written there is nothing.
    """

    def __init__(self, stretch: Stretch, work: Path, system: int) -> None:
        self._stretch, self._system = stretch, system
        self._place, self._coming = work / SEGMENTS, work / COMING
        self._left = deque(stretch.segments)
        self._place.mkdir()
        self._coming.touch()
        stretch.logs.begin(stretch.segments[0].name if stretch.segments else "")

    def go_on(self) -> None:
        """Lay out what has come by now. Raises what keeps the rest from coming, GuestFailed for one that is damaged."""
        while self._left and self._stretch.logs.has(self._left[0].name):
            self._lay(self._left.popleft())
        if not self._left:
            self._coming.unlink(missing_ok=True)

    def _lay(self, segment: Segment) -> None:
        self._stretch.check(segment)
        path = self._stretch.logs.place / segment.name
        with path.open("r+b") as file:
            file.seek(SYSTEM_AT)
            file.write(struct.pack("<Q", self._system))
        if path.stat().st_size < segment.bytes:
            path = self._lengthened(path, segment.bytes)
        (self._place / segment.name).symlink_to(path)

    def _lengthened(self, path: Path, size: int) -> Path:
        """A copy: the end of the log is where the file ends."""
        copy = self._coming.with_name(f"{path.name}.whole")
        copy.write_bytes(path.read_bytes())
        os.truncate(copy, size)
        return copy
