"""Follows a file that another process writes, and now and then shortens in place, keeping the newer part."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import BinaryIO

MARK = 128
"""bytes before our place, by which it is found again"""
AT_ONCE = 1 << 20


class Tail:
    """Where it stands outlives the process; lines that came just before it was killed may come again."""

    def __init__(self, path: Path, place: Path) -> None:
        self._path = path
        self._place = place
        self._offset, self._mark = _recall(place)

    def read(self) -> bytes:
        """What has come since; everything that is there when our place is gone. Empty when there is nothing."""
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, 2)
                if not size:
                    return b""  # being shortened
                self._find(file, size)
                file.seek(self._offset)
                data = file.read(AT_ONCE)
        except OSError:
            return b""
        self._mark = (self._mark + data)[-MARK:]
        self._offset += len(data)
        return data

    def remember(self) -> None:
        """What was read is safe elsewhere."""
        kept = {"offset": self._offset, "mark": base64.b64encode(self._mark).decode()}
        draft = self._place.with_suffix(".new")
        draft.write_text(json.dumps(kept))
        draft.replace(self._place)

    def _find(self, file: BinaryIO, size: int) -> None:
        """Our place in the file, which may have moved."""
        file.seek(self._offset - len(self._mark))
        if size >= self._offset and file.read(len(self._mark)) == self._mark:
            return
        file.seek(0)
        found = file.read().find(self._mark)
        self._offset, self._mark = (found + len(self._mark), self._mark) if found >= 0 else (0, b"")


def _recall(place: Path) -> tuple[int, bytes]:
    try:
        kept = json.loads(place.read_text())
        return int(kept["offset"]), base64.b64decode(kept["mark"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0, b""
