"""Guests over WebSocket: `GET /v1/guest`."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.responses import JSONResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from argosy import errors
from argosy.conductor.connections import Connection
from argosy.conductor.credentials import bearer
from argosy.conductor.desk import Desk
from argosy.guest.enrolment import Known
from argosy.model import wire

HELLO_SECONDS = 10.0
BAD_FRAME = 4400
"""close code: the frame or the protocol is not spoken here (private range, RFC 6455 section 7.4.2)"""
ENDED = 4409
"""close code: a later connection of this guest has taken over, or this one was silent or is not welcome any more"""


async def serve(desk: Desk, socket: WebSocket) -> None:
    """One guest from its upgrade to its last frame."""
    try:
        known = await desk.threaded(desk.recognise, bearer(socket.headers))
    except errors.ArgosyError as error:
        await socket.send_denial_response(JSONResponse({"error": error.message}, error.status))
        return
    await socket.accept()
    try:
        await _converse(desk, socket, known)
    except (WebSocketDisconnect, TimeoutError):
        return
    except wire.BadFrame as error:
        await socket.close(BAD_FRAME, error.message[:100])


async def _converse(desk: Desk, socket: WebSocket, known: Known) -> None:
    async with asyncio.timeout(HELLO_SECONDS):
        hello = wire.decode(await _text(socket))
    if not isinstance(hello, wire.Hello):
        raise wire.BadFrame("the first frame must be hello")
    connection = desk.join(known, hello)
    speaking = asyncio.create_task(_speak(socket, connection))
    try:
        await _listen(desk, socket, connection)
    finally:
        desk.leave(connection)
        speaking.cancel()


async def _listen(desk: Desk, socket: WebSocket, connection: Connection) -> None:
    while True:
        await desk.hear(connection, wire.decode(await _text(socket)))


async def _speak(socket: WebSocket, connection: Connection) -> None:
    """Until the connection is closed, by us or by the guest."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # RuntimeError: the socket is closed already
        while frames := await connection.frames():
            for frame in frames:
                await socket.send_text(wire.encode(frame))
        await socket.close(ENDED)


async def _text(socket: WebSocket) -> str:
    """The next message. Raises WebSocketDisconnect, and BadFrame for one of bytes."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1006))
    text = message.get("text")
    if not isinstance(text, str):
        raise wire.BadFrame("frames are text")
    return text
