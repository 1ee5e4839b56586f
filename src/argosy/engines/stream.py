"""A byte stream to a server's local socket with one deadline for all that is said on it."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Self


class LocalStream:
    """Raises TimeoutError once `seconds` have passed since it was made, and OSError as sockets do."""

    def __init__(self, path: Path, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._buffer = bytearray()
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.settimeout(seconds)
            self._socket.connect(str(path))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.settimeout(self._left())
        self._socket.sendall(data)

    def read(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._fill()
        return self._take(count)

    def line(self) -> bytes:
        """Up to the next CR LF, without it."""
        while (end := self._buffer.find(b"\r\n")) < 0:
            self._fill()
        return self._take(end + 2)[:-2]

    def _take(self, count: int) -> bytes:
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def _fill(self) -> None:
        self._socket.settimeout(self._left())
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionResetError("the server closed the connection")
        self._buffer += data

    def _left(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the server did not answer in time")
        return left
