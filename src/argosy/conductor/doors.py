"""Guests over plain HTTPS: enrolment, certificates, credentials, and frames by long poll."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from argosy import errors
from argosy.conductor.connections import Connection
from argosy.conductor.credentials import bearer
from argosy.conductor.desk import Desk
from argosy.guest.enrolment import Known
from argosy.model import wire

LONGEST_POLL = 30.0
"""seconds"""


class Doors:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def enrol(self, request: Request) -> Response:
        """The one-time token against a credential."""
        told = wire.parse(wire.Enrol, await _document(request))
        return JSONResponse(dataclasses.asdict(await self._desk.threaded(self._desk.enrol, told)))

    async def certificate(self, request: Request) -> Response:
        known = await self._known(request)
        return JSONResponse(dataclasses.asdict(await self._desk.threaded(self._desk.certify, known)))

    async def credential(self, request: Request) -> Response:
        """The guest's next credential; the one it shows stays good until that one is used."""
        known = await self._known(request)
        return JSONResponse(dataclasses.asdict(await self._desk.threaded(self._desk.rotate, known)))

    async def proof(self, request: Request) -> Response:
        """Nothing but the use of a credential: its predecessor is worth nothing afterwards."""
        await self._known(request)
        return JSONResponse({})

    async def frames(self, request: Request) -> Response:
        """The guest's frames against ours, after waiting up to `?wait=` seconds for some.

        Only a hello and a poll, which waits, are answered with frames: a guest that just says something while its poll
        is on the way would else take what the poll then waits for in vain.
        """
        known = await self._known(request)
        frames = _frames(await _document(request))
        connection = self._connection(known, frames)
        for frame in frames:
            await self._desk.hear(connection, frame)
        hello = any(isinstance(each, wire.Hello) for each in frames)
        told = await _await_frames(connection, _seconds(request)) if hello or _seconds(request) else []
        if connection.closed:
            raise errors.Conflict("this connection has ended: say hello again")
        return Response(f"[{','.join(wire.encode(each) for each in told)}]", media_type="application/json")

    async def healthcheck(self, _request: Request) -> Response:
        try:
            await self._desk.threaded(self._desk.check)
        except SQLAlchemyError:
            return JSONResponse({"error": "the control database does not answer"}, 503)
        return JSONResponse({"status": "ok", "guests": len(self._desk.connections)})

    async def _known(self, request: Request) -> Known:
        return await self._desk.threaded(self._desk.recognise, bearer(request.headers))

    def _connection(self, known: Known, frames: Sequence[wire.Frame]) -> Connection:
        """The one this guest is polling, or a new one for a hello. Raises Conflict when it must say hello first."""
        hello = next((each for each in frames if isinstance(each, wire.Hello)), None)
        if hello is not None:
            return self._desk.join(known, hello)
        connection = self._desk.connections.get(known.id)
        if connection is None or connection.known != known:
            raise errors.Conflict("this guest is not connected here: say hello first")
        return connection


async def faulty(_request: Request, error: Exception) -> Response:
    """Our own errors as JSON with their status; what is not ours stays inside."""
    if isinstance(error, errors.ArgosyError):
        return JSONResponse({"error": error.message}, error.status)
    return JSONResponse({"error": "internal error: see the conductor's log"}, 500)


async def _await_frames(connection: Connection, seconds: float) -> Sequence[wire.Frame]:
    try:
        async with asyncio.timeout(seconds):
            return await connection.frames()
    except TimeoutError:
        return []


async def _document(request: Request) -> Any:
    """The body as JSON, of bounded size. Raises TooLarge and BadFrame."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > wire.MAX_FRAME:
            raise errors.TooLarge(f"a body has at most {wire.MAX_FRAME} bytes")
    return wire.document(body)


def _frames(document: Any) -> list[wire.Frame]:
    """Raises BadFrame."""
    if not isinstance(document, list):
        raise wire.BadFrame("frames come in a list")
    decoded = [wire.decode(json.dumps(each)) for each in document]
    return [frame for frame in decoded if frame is not None]


def _seconds(request: Request) -> float:
    try:
        return max(0.0, min(float(request.query_params.get("wait", "0")), LONGEST_POLL))
    except ValueError as error:
        raise wire.BadFrame("wait is a number of seconds") from error
