"""Rings between hosts, over PostgreSQL's NOTIFY and LISTEN. One thread and one connection of each process.

Sending never waits for the database: the thread does it. What is lost while the connection is broken is found by those
who look by themselves.
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import threading
from collections.abc import Callable

import psycopg
from sqlalchemy import URL

from argosy import clock

log = logging.getLogger(__name__)

CHANNEL = "argosy"
RECONNECT = 5.0
"""seconds before a broken connection is made anew"""


class Notifier:
    """`heard` is called, in the thread, with each role that another host rings."""

    def __init__(self, url: URL, heard: Callable[[str], None], host: str = "") -> None:
        self._conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._heard = heard
        self._host = host or clock.boot_id()
        self._pending: set[str] = set()
        self._gate = threading.Lock()
        self._closed = threading.Event()
        self._hatch, self._inside = socket.socketpair()
        self._hatch.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="notify", daemon=True)
        self._thread.start()

    def ring(self, roles: set[str]) -> None:
        with self._gate:
            self._pending |= roles
        self._nudge()

    def close(self) -> None:
        self._closed.set()
        self._nudge()
        self._thread.join()
        self._hatch.close()
        self._inside.close()

    def _nudge(self) -> None:
        with contextlib.suppress(BlockingIOError):  # it has been nudged often enough
            self._hatch.send(b"!")

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                with psycopg.connect(self._conninfo, autocommit=True, connect_timeout=5) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._serve(connection)
            except psycopg.Error as error:
                log.info("no rings from other hosts", extra={"error": str(error)})
                self._closed.wait(RECONNECT)

    def _serve(self, connection: psycopg.Connection) -> None:
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        poll.register(self._inside, select.POLLIN)
        while not self._closed.is_set():
            if self._inside.fileno() in dict(poll.poll()):
                self._inside.recv(4096)
                self._send(connection)
            for note in connection.notifies(timeout=0):
                host, _, role = note.payload.partition(" ")
                if host != self._host:  # ours have been rung by datagram
                    self._heard(role)

    def _send(self, connection: psycopg.Connection) -> None:
        with self._gate:
            roles, self._pending = self._pending, set()
        for role in sorted(roles):
            connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, f"{self._host} {role}"))
