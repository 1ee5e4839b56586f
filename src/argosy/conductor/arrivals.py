"""Connections that carry a lot are read in large pieces. All others read little at a time (`tls.slim`)."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

READ_BYTES = 256 << 10


class Protocol(HttpToolsProtocol):
    """Shows requests the TLS that they come through."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.app_state = {**self.app_state, "tls": getattr(transport, "_ssl_protocol", None)}


def widen(request: Request) -> None:
    """Read the rest of this connection in large pieces: less than half the work for each byte."""
    tls = getattr(request.state, "tls", None)
    if tls is not None:
        tls.max_size = READ_BYTES
