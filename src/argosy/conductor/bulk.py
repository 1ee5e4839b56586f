"""What is too large for a frame: parts of a log that somebody has asked the guest to publish."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from argosy import clock, errors
from argosy.conductor.credentials import bearer
from argosy.conductor.desk import Desk
from argosy.db.tables import Command, LogObject
from argosy.guest.enrolment import Known
from argosy.model.wire import LOG_OBJECT_BYTES
from argosy.stores.base import Store

NAME = re.compile(r"log-(\d{20})")


class Bulk:
    def __init__(self, desk: Desk, store: Store) -> None:
        self._desk = desk
        self._store = store

    async def log(self, request: Request) -> Response:
        """A part of a log by an offset, for the command that asked for it. One that is there already stays as it is."""
        known = await self._desk.threaded(self._desk.recognise, bearer(request.headers))
        data = await _bytes(request)
        name, command = request.path_params["name"], request.query_params.get("command", "")
        await self._desk.threaded(self._keep, known, command, name, data)
        return JSONResponse({})

    def _keep(self, known: Known, command: str, name: str, data: bytes) -> None:
        with self._desk.database.read() as session:
            row = _granted(session, known, command, name)
        kept = self._store_once(row.place + name, data)
        row.bytes, row.lines, row.created = len(kept), kept.count(b"\n"), clock.now()
        with self._desk.database.write() as session:
            session.merge(row)

    def _store_once(self, key: str, data: bytes) -> bytes:
        """What is there afterwards."""
        try:
            with self._store.create(key) as out:
                out.write(data)
        except errors.Conflict:
            with self._store.open(key) as there:
                return there.read()
        return data


def _granted(session: Session, known: Known, command_id: str, name: str) -> LogObject:
    """The row of the part, not filled in. Raises Forbidden for anything that nobody has asked this guest for."""
    command = session.get(Command, command_id)
    if command is None or command.guest_id != known.id or command.verb != "publish_log":
        raise errors.Forbidden("nobody has asked this guest for that")
    if command.answered or command.cancelled:
        raise errors.Forbidden("nobody wants it any more")
    asked: Any = command.arguments or {}
    offset = NAME.fullmatch(name)
    if offset is None or not asked["first"] <= int(offset[1]) < asked["until"]:
        raise errors.Forbidden(f"{name!r} is not a part of what was asked for")
    _require_room(session, known, asked, name)
    return LogObject(instance_id=known.id, log=asked["log"], name=name, place=asked["place"])


def _require_room(session: Session, known: Known, asked: Any, name: str) -> None:
    """Parts end with a line, so two that follow each other are more than one of full size. Raises Forbidden."""
    most = 2 * ((asked["until"] - asked["first"]) // LOG_OBJECT_BYTES + 1)
    mine = (LogObject.instance_id == known.id) & (LogObject.log == asked["log"]) & (LogObject.name != name)
    asked_for = LogObject.name.between(f"log-{asked['first']:020d}", f"log-{asked['until']:020d}")
    have = session.scalar(select(func.count()).select_from(LogObject).where(mine, asked_for)) or 0
    if have >= most:
        raise errors.Forbidden("that is more than was asked for")


async def _bytes(request: Request) -> bytes:
    """The body, of bounded size. Raises TooLarge, BadRequest."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LOG_OBJECT_BYTES:
            raise errors.TooLarge(f"a part of a log has at most {LOG_OBJECT_BYTES} bytes")
    if not body:
        raise errors.BadRequest("a part of a log is not empty")
    return body
