"""Text of one log in a few files of bounded size, of which the oldest goes. A file's name is the offset of its first
byte since the log began, so that offsets never change and nothing else has to be remembered.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from pathlib import Path

MANY = 4
"""files of one log"""


@dataclass(frozen=True)
class Piece:
    offset: int
    """of its first byte; later than was asked for when that is gone"""
    data: bytes


class Segments:
    """Written by one thread, read by any. A file system that is full costs the log lines and nobody else anything."""

    def __init__(self, directory: Path, size: int) -> None:
        self._directory = directory
        self._size = size
        self._lock = threading.Lock()

    def append(self, data: bytes) -> None:
        with self._lock, contextlib.suppress(OSError):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for start in range(0, len(data), self._size):
                self._write(data[start : start + self._size])

    def extent(self) -> tuple[int, int]:
        """Offsets of the first byte that is kept, and of the one after the last."""
        with self._lock:
            files = self._files()
            return (files[0], self._end()) if files else (0, 0)

    def read(self, offset: int, limit: int) -> Piece:
        """What is kept from the offset on, of one file or more; empty at the end."""
        with self._lock:
            files = self._files()
            offset = max(offset, files[0]) if files else 0
            data = b""
            for start in files:
                at = offset + len(data) - start
                if len(data) < limit and 0 <= at < self._length(start):
                    data += self._bytes(start, at, limit - len(data))
            return Piece(offset, data)

    def _write(self, data: bytes) -> None:
        files = self._files()
        if not files or self._length(files[-1]) + len(data) > self._size:
            self._file(self._end()).touch(mode=0o600)
            self._drop()
        with self._file(self._files()[-1]).open("ab") as file:
            file.write(data)

    def _drop(self) -> None:
        for start in self._files()[:-MANY]:
            self._file(start).unlink()

    def _end(self) -> int:
        files = self._files()
        return files[-1] + self._length(files[-1]) if files else 0

    def _files(self) -> list[int]:
        return sorted(int(each.name) for each in self._directory.glob("[0-9]*"))

    def _file(self, start: int) -> Path:
        return self._directory / f"{start:020d}"

    def _length(self, start: int) -> int:
        return self._file(start).stat().st_size

    def _bytes(self, start: int, at: int, limit: int) -> bytes:
        with self._file(start).open("rb") as file:
            file.seek(at)
            return file.read(limit)
