"""Guests without machines: a thousand agents in one process, speaking the real protocol to a real conductor."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from argosy.db.session import Database
from argosy.db.tables import Guest
from argosy.guest import enrolment
from argosy.model import wire
from argosy.model.guest import Health

METRICS = {f"metric_{number}": float(number) for number in range(12)}
"""as many as an engine tells"""


@dataclass
class Simulated:
    """One agent: says hello, beats, answers every command once and remembers which."""

    id: str
    credential: str
    interval: float = 10.0
    boot: str = field(default_factory=lambda: secrets.token_hex(8))
    seq: int = 0
    done: dict[str, int] = field(default_factory=dict)
    """command -> how often it was delivered"""
    connections: int = 0
    socket: ClientConnection | None = None

    async def live(self, url: str, tls: ssl.SSLContext, pause: float = 0.0) -> None:
        """Connected for ever, coming back after jittered pauses, until cancelled."""
        await asyncio.sleep(pause)
        while True:
            try:
                await self._once(url, tls)
            except (OSError, EOFError, ConnectionClosed, InvalidHandshake, TimeoutError):
                self.socket = None
            await asyncio.sleep(random.uniform(0, 5))  # noqa: S311 - spreads load, guards nothing

    async def beat(self, health: str = Health.HEALTHY) -> None:
        """One heartbeat, if connected."""
        if self.socket is not None:
            self.seq += 1
            frame = wire.Heartbeat(self.boot, self.seq, health, "", "15.18", 1 << 30, 10 << 30, METRICS)
            await self.socket.send(wire.encode(frame))

    async def _once(self, url: str, tls: ssl.SSLContext) -> None:
        async with connect(
            f"{url.replace('https', 'wss')}/v1/guest",
            ssl=tls,
            additional_headers={"Authorization": f"Bearer {self.credential}"},
            compression=None,
            ping_interval=None,
            open_timeout=60,
            close_timeout=1,
        ) as socket:
            await socket.send(wire.encode(wire.Hello(list(wire.PROTOCOLS), "simulated", self.boot)))
            wire.decode(await socket.recv())
            self.socket, self.connections = socket, self.connections + 1
            beating = asyncio.create_task(self._beats())
            try:
                await self._answers(socket)
            finally:
                beating.cancel()

    async def _beats(self) -> None:
        await asyncio.sleep(random.uniform(0, self.interval))  # noqa: S311 - as above
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self.beat()
                await asyncio.sleep(self.interval)

    async def _answers(self, socket: ClientConnection) -> None:
        async for text in socket:
            frame = wire.decode(text)
            if isinstance(frame, wire.Command):
                self.done[frame.id] = self.done.get(frame.id, 0) + 1
                await socket.send(wire.encode(wire.Answer(frame.id, {"verb": frame.verb})))


def enrolled(database: Database, count: int, **more: Any) -> Sequence[Simulated]:
    """So many new guests that have enrolled."""
    names = [f"00000000-0000-4000-8000-{number:012d}" for number in range(count)]
    with database.write() as session:
        session.execute(insert(Guest), [_row(name) for name in names])
        secrets_ = [enrolment.enrol(session, wire.Enrol(name, 1, enrolment.token(name, 1))) for name in names]
    return [Simulated(name, told.credential, **more) for name, told in zip(names, secrets_, strict=True)]


def trust(authority: str) -> ssl.SSLContext:
    """One context for all guests of a process."""
    return ssl.create_default_context(cadata=authority)


def _row(name: str) -> Mapping[str, Any]:
    return {"id": name, "generation": 1, "confirmed": False, "health": Health.UNKNOWN}
