"""The Unix socket on which init is told what to do: one JSON object per line, answered by one JSON line."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping

from argosy.agent.init_engine import Engine, Pending
from argosy.agent.init_service import BadRequest

LONGEST_REQUEST = 65536
READERS = Mapping[int, Callable[[], None]]


class Door:
    def __init__(self, path: str, engine: Engine) -> None:
        """`path` is relative to the working directory: a Unix socket's address holds 107 bytes only."""
        if os.path.lexists(path):
            os.unlink(path)  # noqa: PTH108 - likewise
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(path)
        self._socket.listen()
        self._socket.setblocking(False)
        self._engine = engine
        self._callers: dict[int, Caller] = {}

    def readers(self) -> dict[int, Callable[[], None]]:
        waiting = {number: caller.hear for number, caller in self._callers.items() if caller.pending is None}
        return {self._socket.fileno(): self._accept, **waiting}

    def answer(self) -> None:
        """Reply to those whose wish has come true; forget those who hung up."""
        for number, caller in list(self._callers.items()):
            caller.answer()
            if caller.gone:
                self._callers.pop(number).connection.close()

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:  # the caller has gone already
            return
        connection.setblocking(False)
        self._callers[connection.fileno()] = Caller(connection, self._engine)


class Caller:
    def __init__(self, connection: socket.socket, engine: Engine) -> None:
        self.connection, self._engine = connection, engine
        self.pending: Pending | None = None
        self.gone = False
        self._heard = b""

    def hear(self) -> None:
        try:
            data = self.connection.recv(LONGEST_REQUEST)
        except OSError:
            data = b""
        self._heard += data
        self.gone = not data or len(self._heard) > LONGEST_REQUEST
        self._next()

    def answer(self) -> None:
        while self.pending is not None and (reply := self.pending()) is not None:
            self.pending = None
            self._say(reply)
            self._next()

    def _next(self) -> None:
        """Begin the next request, when a whole one was heard and none is on its way."""
        if self.pending is not None or b"\n" not in self._heard:
            return
        import json

        line, _, self._heard = self._heard.partition(b"\n")
        try:
            self.pending = self._engine.do(json.loads(line))
        except (BadRequest, ValueError, AttributeError, OSError) as error:
            message = str(error)
            self.pending = lambda: {"ok": False, "error": message}

    def _say(self, reply: Mapping[str, object]) -> None:
        import json

        try:
            self.connection.sendall(json.dumps(reply).encode() + b"\n")
        except OSError:
            self.gone = True
