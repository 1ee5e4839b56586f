"""The text of a log: as it stands in the guest, also while it grows, and as it was published."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from argosy import clock, errors
from argosy.api import query
from argosy.api.exchange import Answer, Request
from argosy.api.v1 import asking, instance_rows, logs
from argosy.db.tables import LogObject
from argosy.model.wire import LOG_READ_BYTES
from argosy.stores import deployment
from argosy.workflows import change_log

LONGEST_WAIT = 10
"""seconds that a request waits for text that has not been written yet"""
PAUSE_SECONDS = 0.5
"""between two looks"""
FOLLOWERS = threading.BoundedSemaphore(4)
"""Requests of this process that wait for text at a time; others are answered at once with what there is."""


@dataclass(frozen=True)
class Text:
    """One log of one instance, in its guest."""

    request: Request
    instance_id: str
    log: str
    limit: int

    def read(self, offset: int) -> dict[str, Any]:
        """Raises GuestSilent, or what the guest says."""
        asked: dict[str, Any] = {"log": self.log, "offset": offset, "limit": self.limit}
        with asking.seat(self.request):
            told = asking.ask(self.request, self.instance_id, "read_log", **asked)
        try:
            numbers = {key: int(told[key]) for key in ("offset", "next", "start", "end")}
            return {**numbers, "text": str(told["text"])}
        except (KeyError, TypeError, ValueError) as error:
            raise errors.GuestSilent(f"what guest {self.instance_id} says of its log makes no sense") from error

    def wait(self, told: dict[str, Any], seconds: float) -> dict[str, Any]:
        """What follows as soon as there is something, or nothing still after so many seconds."""
        with _following() as may_wait:
            end = clock.monotonic() + seconds
            while may_wait and not told["text"] and clock.monotonic() < end:
                time.sleep(PAUSE_SECONDS)
                told = self.read(told["next"])
        return told


def show(request: Request) -> Answer:
    """From `offset` on (negative: from the end), at most `limit` bytes, whole lines; `next` is where to go on.

    With `wait` (seconds) the answer comes as soon as there is text.
    """
    offset = query.number(request, "offset", least=-(2**62))
    limit = query.number(request, "limit", LOG_READ_BYTES, least=1, most=LOG_READ_BYTES)
    wait = query.number(request, "wait", most=LONGEST_WAIT)
    with request.services.database.read() as session:
        instance = instance_rows.one(session, request)
        log = logs.find(session, request, instance, request.path["name"])
    text = Text(request, instance.id, log.name, limit)
    told = text.read(offset)
    if wait and not told["text"]:
        told = text.wait(told, wait)
    return Answer(200, {"log": {"name": log.name, **told}})


def objects(request: Request) -> Answer:
    """The published parts, oldest first."""
    with request.services.database.read() as session:
        instance = instance_rows.one(session, request)
        log = logs.find(session, request, instance, request.path["name"])
        where = change_log.place(session, request.services.settings.logs.container, instance.id, log.name)
        found = change_log.objects(session, instance.id, log.name)
    kept = request.services.settings.logs.kept_seconds
    views = [_part(each, kept) for each in found]
    return Answer(200, {"container": where.container, "prefix": where.prefix, "objects": views})


def download(request: Request) -> Answer:
    """One published part, as text."""
    with request.services.database.read() as session:
        instance = instance_rows.one(session, request)
        log = logs.find(session, request, instance, request.path["name"])
        row = session.get(LogObject, (instance.id, log.name, request.path["object"]))
    if row is None:
        raise errors.NotFound(f"The log {log.name} has no published part {request.path['object']!r}.")
    with deployment.store(request.services.settings).open(row.place + row.name) as content:
        text = content.read().decode(errors="replace")
    return Answer(200, text=text, headers={"X-Object-Meta-Lines": str(row.lines)})


def _part(row: LogObject, kept_seconds: int) -> dict[str, Any]:
    return {
        "name": row.name,
        "bytes": row.bytes,
        "lines": row.lines,
        "created": clock.timestamp(row.created),
        "expires": clock.timestamp(row.created + kept_seconds),
    }


@contextmanager
def _following() -> Iterator[bool]:
    free = FOLLOWERS.acquire(blocking=False)
    try:
        yield free
    finally:
        if free:
            FOLLOWERS.release()
