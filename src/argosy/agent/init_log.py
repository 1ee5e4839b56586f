"""A log file that never grows past a limit, fed by a pipe that children write to."""

from __future__ import annotations

import os

CHUNK = 65536
TAIL_BYTES = 4000


class CappedLog:
    def __init__(self, file: int, limit: int) -> None:
        """`file` is open for reading and appending; whoever opened it may be another user than we are."""
        self._file, self._limit = file, limit
        self._size = os.fstat(file).st_size
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)

    def pump(self) -> None:
        """Everything that the pipe holds goes to the file."""
        try:
            while data := os.read(self.reader, CHUNK):
                self.append(data)
        except BlockingIOError:
            return

    def append(self, data: bytes) -> None:
        """What cannot be written (a full disk) is lost: a log never stops a database."""
        try:
            if self._size + len(data) > self._limit:
                self._shorten()
            self._size += os.write(self._file, data)
        except OSError:
            return

    def tail(self) -> str:
        """The last lines, the newest included."""
        self.pump()
        try:
            start = max(0, self._size - TAIL_BYTES)
            text = os.pread(self._file, TAIL_BYTES, start).decode(errors="replace")
        except OSError:
            return ""
        return text.partition("\n")[2] if start else text

    def _shorten(self) -> None:
        """Keep the newer half, in place: other processes have the same file open."""
        kept = os.pread(self._file, self._limit // 2, max(0, self._size - self._limit // 2))
        os.ftruncate(self._file, 0)
        self._size = os.write(self._file, kept)
