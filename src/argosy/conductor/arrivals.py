"""Large bodies come from TLS straight into a block of memory, past the parser of HTTP, which would copy each byte four
times. Connections that carry such are read in large pieces; all others little at a time (`tls.slim`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from httptools import HttpRequestParser
from starlette.requests import ClientDisconnect, Request
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

BLOCK = 1 << 20
"""Bytes held of one body on its way."""
READ_BYTES = 256 << 10
PLAIN = memoryview(bytearray(READ_BYTES))
"""What has come over any connection last, outside of large bodies: it is parsed before anything else is read."""

Pieces = list[bytes | memoryview]


@dataclass(frozen=True)
class Presumed:
    """What the last part that came by a connection was granted: another of the same claim will be, too."""

    claim: tuple[str, ...]
    guest: str
    place: str


class Protocol(HttpToolsProtocol, asyncio.BufferedProtocol):
    """HTTP, and the rest of a body for who asks for it by `take`."""

    rest: Rest | None = None
    presumed: Presumed | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.app_state = {**self.app_state, "connection": self}

    def take(self, left: int) -> Rest:
        """So many bytes, which are the rest of the body that is being received, are kept from the parser."""
        tls = getattr(self.transport, "_ssl_protocol", None)
        if tls is not None:
            tls.max_size = READ_BYTES  # less than half the work for each byte
        self.rest = Rest(self, left)
        self.flow.resume_reading()
        return self.rest

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - of asyncio
        return PLAIN if self.rest is None else self.rest.room()

    def buffer_updated(self, nbytes: int) -> None:
        if self.rest is None:
            self.data_received(PLAIN[:nbytes])  # type: ignore[arg-type]  # any buffer
        elif self.rest.came(nbytes):
            self.rest = None
            self.parser = HttpRequestParser(self)  # the one so far waits for what it has not seen
            self.cycle.more_body = False


class Rest:
    """The rest of a body, a block at a time. Where nobody takes it any more it is let go by."""

    def __init__(self, connection: Protocol, left: int) -> None:
        self._cycle, self._flow = connection.cycle, connection.flow
        self._left, self._filled = left, 0
        self._block = memoryview(bytearray(min(left, BLOCK)))
        self._wanted = True

    def room(self) -> memoryview:
        return self._block[self._filled : self._filled + self._left]

    def came(self, count: int) -> bool:
        """Whether that was all."""
        self._left -= count
        self._filled += count if self._wanted else 0
        full, all_came = self._filled == len(self._block), not self._left
        if full and not all_came:
            self._flow.pause_reading()
        if full or all_came:
            self._cycle.message_event.set()
        return all_came

    async def block(self) -> memoryview:
        """The next, good until the one after it is asked for; nothing at the end. Raises ClientDisconnect."""
        self._filled = 0
        if not self._left:
            return self._block[:0]
        self._flow.resume_reading()
        await self._cycle.message_event.wait()
        self._cycle.message_event.clear()
        if self._cycle.disconnected:
            raise ClientDisconnect
        return self._block[: self._filled]

    def leave(self) -> None:
        self._wanted, self._block, self._filled = False, PLAIN, 0
        if self._left:
            self._flow.resume_reading()


class Body:
    """The body of a request, to be left by whoever has begun to take it."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._size = int(request.headers.get("content-length", "0"))
        """Nothing where the request does not say it."""
        self._rest: Rest | None = None
        self._more = True

    def leave(self) -> None:
        """Nobody asks for more."""
        if self._rest is not None:
            self._rest.leave()

    async def block(self) -> Pieces:
        """About a block of it in pieces, good until the next is asked for; none at the end. Raises ClientDisconnect."""
        if self._rest is not None:
            return _some(await self._rest.block())
        if not self._more:
            return []
        first = await self._first()
        if not self._more or not self._size:
            return _some(first)
        self._rest = self._request.state.connection.take(self._size - len(first))
        return [*_some(first), *_some(await self._rest.block())]

    async def _first(self) -> bytes:
        """What came of it by the parser."""
        while self._more:
            message = await self._request.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            self._more = message.get("more_body", False)
            if body := message.get("body"):
                return bytes(body)
        return b""


def _some(piece: bytes | memoryview) -> Pieces:
    return [piece] if len(piece) else []
