"""A network cable to a server on this machine, which a test may cut."""

from __future__ import annotations

import contextlib
import socket
import threading

PIECE = 1 << 16


class Cable:
    """Forwards TCP from a port of its own. Everything that was connected is cut at once, as are new connections until
    it is mended.
    """

    def __init__(self, port: int) -> None:
        self._far = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._joined: list[socket.socket] = []
        self._lock = threading.Lock()
        self._left: int | None = None
        self.whole = True
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    def cut(self) -> None:
        with self._lock:
            self.whole, self._left = False, None
            self._break()

    def mend(self) -> None:
        self.whole = True

    def cut_once_after(self, count: int) -> None:
        """All connections break when so many bytes have passed; new ones are fine."""
        self._left = count

    def close(self) -> None:
        self.cut()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                self._join(near)

    def _join(self, near: socket.socket) -> None:
        with self._lock:
            if not self.whole:
                near.close()
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._far), 10)
            except OSError:
                near.close()
                return
            self._joined += [near, far]
        for one, other in ((near, far), (far, near)):
            threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := one.recv(PIECE):
                other.sendall(piece)
                self._count(len(piece))
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _count(self, passed: int) -> None:
        with self._lock:
            if self._left is None:
                return
            self._left -= passed
            if self._left <= 0:
                self._left = None
                self._break()

    def _break(self) -> None:
        self.cuts += 1
        for end in self._joined:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._joined.clear()
