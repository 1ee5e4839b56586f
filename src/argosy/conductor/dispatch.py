"""Hands out commands: rows to the guests that are connected here, until each is answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from argosy.conductor.connections import Connections
from argosy.db.session import Database
from argosy.db.tables import Command
from argosy.guest import mailbox
from argosy.guest.mailbox import Waiting
from argosy.model import wire

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""The doorbell may be lost: so often we look without it."""
AT_ONCE = 200
"""commands read by one statement"""
Threaded = Callable[..., Awaitable[Any]]


class Dispatch:
    def __init__(self, database: Database, connections: Connections, threaded: Threaded) -> None:
        self._database = database
        self._connections = connections
        self._threaded = threaded
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Look soon: somebody has left a command, or a guest has come. From the event loop only."""
        self._rung.set()

    async def run(self) -> None:
        while True:
            await self._wait()
            try:
                await self.look()
            except Exception:
                log.exception("commands cannot be handed out, looking again soon")

    async def look(self) -> None:
        """Send what is due. A guest that joins while we read is found by its own ring: it joined before it rang."""
        due = [each.id for each in await self._threaded(self._waiting) if self._is_due(each)]
        for some in range(0, len(due), AT_ONCE):
            for command in await self._threaded(self._commands, due[some : some + AT_ONCE]):
                self._send(command)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._rung.wait()
        except TimeoutError:
            pass
        self._rung.clear()

    def _is_due(self, command: Waiting) -> bool:
        connection = self._connections.get(command.guest)
        if connection is None:
            return False
        if command.cancelled:
            connection.cancel(command.id)
        return not command.cancelled and connection.wants(command.id)

    def _send(self, command: Command) -> None:
        connection = self._connections.get(command.guest_id)
        if connection is not None and connection.wants(command.id):
            connection.command(wire.Command(command.id, command.verb, command.arguments or {}, command.term))

    def _waiting(self) -> Sequence[Waiting]:
        with self._database.read() as session:
            return mailbox.waiting(session)

    def _commands(self, names: Sequence[str]) -> Sequence[Command]:
        with self._database.read() as session:
            return mailbox.fetch(session, names)
