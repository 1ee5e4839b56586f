"""Somebody has written something: look. A ring may be lost, so whoever waits also looks by itself now and then.

On one host every process binds a Unix datagram socket in the run directory, named by its role; whoever commits sends
each of that role's sockets one byte. On PostgreSQL a ring also goes by NOTIFY to the processes of other hosts.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, make_url

from argosy.settings import Settings

if TYPE_CHECKING:  # psycopg is loaded where PostgreSQL is the control database
    from argosy.durable.notify import Notifier

SUFFIX = ".bell"


class Doorbell:
    """The bell of one process. Several threads may wait and ring; an event loop may watch `fileno` and call `clear`."""

    def __init__(self, settings: Settings, role: str) -> None:
        self.role = role
        self._directory = settings.run
        self._directory.mkdir(parents=True, exist_ok=True)
        self._name = f"{role}-{uuid.uuid4().hex[:12]}{SUFFIX}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        with _short(self._directory) as directory:
            self._socket.bind(f"{directory}/{self._name}")
        self._notifier = self._far(make_url(settings.database_url))

    def fileno(self) -> int:
        """Readable when somebody has rung."""
        return self._socket.fileno()

    def wait(self, timeout: float) -> bool:
        """True as soon as somebody rings (or has rung since the last wait), False after `timeout` seconds."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        rung = bool(poll.poll(max(timeout, 0) * 1000))
        self.clear()
        return rung

    def clear(self) -> None:
        """Take what has been rung so far. Look at the database afterwards, not before."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(1)

    def ring(self, roles: set[str]) -> None:
        """Wake every process of these roles. Never fails and never waits."""
        if self._notifier is not None:
            self._notifier.ring(roles)
        with contextlib.suppress(OSError), _short(self._directory) as directory:
            for path in Path(directory).iterdir():
                if path.suffix == SUFFIX and path.name.rpartition("-")[0] in roles:
                    self._send(str(path))

    def close(self) -> None:
        if self._notifier is not None:
            self._notifier.close()
        self._socket.close()
        (self._directory / self._name).unlink(missing_ok=True)

    def _far(self, url: URL) -> Notifier | None:
        """What carries rings to other hosts and back, where the database can."""
        if url.get_backend_name() != "postgresql":
            return None
        from argosy.durable.notify import Notifier

        return Notifier(url, self._heard)

    def _heard(self, role: str) -> None:
        """Another host rings: every process of this one has heard it, so each wakes itself."""
        if role == self.role:
            with contextlib.suppress(OSError), _short(self._directory) as directory:
                self._send(f"{directory}/{self._name}")

    def _send(self, path: str) -> None:
        try:
            self._socket.sendto(b"!", path)
        except ConnectionRefusedError:
            Path(path).unlink(missing_ok=True)  # its process has died; names are never used twice
        except OSError:
            return  # gone meanwhile, or its buffer is full of rings: then it is awake enough


@contextlib.contextmanager
def _short(directory: Path) -> Iterator[str]:
    """A path of the directory that is always short enough for the 107 bytes of a socket address (unix(7))."""
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
