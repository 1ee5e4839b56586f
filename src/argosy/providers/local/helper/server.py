"""The root helper's socket: who may ask, one thread per request, requests about the same thing one after the other."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from argosy import clock, errors
from argosy.providers.local.helper import protocol
from argosy.providers.local.parts import Parts

log = logging.getLogger(__name__)

PEER = struct.Struct("=iII")
"""struct ucred: process, user, group (unix(7))."""
AT_ONCE = 32
SILENCE_SECONDS = 10.0
"""A caller that says nothing for so long is left."""
BACKLOG = 128


@dataclass
class Names:
    """A lock per name, for as long as somebody wants it."""

    _locks: dict[str, tuple[threading.Lock, int]] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def held(self, names: Sequence[str]) -> Iterator[None]:
        """All of them, for this caller alone; names come sorted, so that nobody waits in a circle."""
        with ExitStack() as stack:
            for name in names:
                stack.enter_context(self._one(name))
            yield

    @contextmanager
    def _one(self, name: str) -> Iterator[None]:
        with self._guard:
            lock, wanted = self._locks.get(name, (threading.Lock(), 0))
            self._locks[name] = lock, wanted + 1
        try:
            with lock:
                yield
        finally:
            self._leave(name)

    def _leave(self, name: str) -> None:
        with self._guard:
            lock, wanted = self._locks.pop(name)
            if wanted > 1:
                self._locks[name] = lock, wanted - 1


@dataclass(frozen=True)
class Desk:
    """Answers requests of the users it knows."""

    parts: Parts
    users: frozenset[int]
    names: Names = field(default_factory=Names)

    def answer(self, connection: socket.socket) -> None:
        """One request, one answer. Never raises."""
        with connection:
            try:
                connection.settimeout(SILENCE_SECONDS)
                line = connection.makefile("rb").readline(protocol.LONGEST + 1)
                connection.sendall(protocol.line(self._answered(_user(connection), line)))
            except OSError as error:  # the caller has gone; it will ask again
                log.info("caller left", extra={"cause": str(error)})

    def _answered(self, user: int, line: bytes) -> Mapping[str, Any]:
        try:
            if user not in self.users:
                raise errors.Forbidden(f"user {user} may not ask the root helper")
            return {"result": self._serve(protocol.parse(line))}
        except errors.ArgosyError as error:
            log.info("refused", extra={"cause": error.message})
            return {"error": protocol.fault(error)}
        except Exception as error:  # what a verb did not foresee must not end the helper
            log.exception("unforeseen")
            return {"error": protocol.fault(error)}

    def _serve(self, request: protocol.Request) -> Any:
        with self.names.held(request.subjects):
            began = clock.monotonic()
            result = self._call(request)
        spent = round((clock.monotonic() - began) * 1000, 1)
        level = logging.DEBUG if request.verb in protocol.LOOKS else logging.INFO
        log.log(level, "done", extra={"verb": request.verb, "subjects": request.subjects, "milliseconds": spent})
        return result

    def _call(self, request: protocol.Request) -> Any:
        part, _, verb = request.verb.partition(".")
        if not verb:
            return {"features": sorted(self.parts.features)}
        return getattr(getattr(self.parts, part), verb)(**request.arguments)


def _user(connection: socket.socket) -> int:
    _, user, _ = PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))
    return int(user)


def listen(path: Path, group: int) -> socket.socket:
    """The socket, there for root and the group from its first moment: no later chmod that could hit something else."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    mine, mask = os.getegid(), os.umask(0o117)
    os.setegid(group)
    try:
        listener.bind(str(path))
    finally:
        os.setegid(mine)
        os.umask(mask)
    listener.listen(BACKLOG)
    return listener


def serve(listener: socket.socket, desk: Desk, ending: socket.socket) -> None:
    """Answer until something is to be read from `ending`; requests under way are finished."""
    listener.setblocking(False)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while ending not in select.select([listener, ending], [], [])[0]:
            with contextlib.suppress(BlockingIOError, ConnectionError):  # who called has gone again
                pool.submit(desk.answer, listener.accept()[0])
