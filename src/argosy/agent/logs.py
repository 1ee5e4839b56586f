"""What is asked of the engine's logs: how they are, a part of one, and to publish one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from argosy import errors
from argosy.agent.collector import Collector
from argosy.agent.guest import Guest
from argosy.agent.segments import Segments
from argosy.agent.task import Task
from argosy.engines.logfiles import GUEST, Logs
from argosy.model.wire import LOG_OBJECT_BYTES, LOG_READ_BYTES

LONGEST_FIRST_LINE = 64 << 10
"""bytes that are looked at for the first line"""

Arguments = Mapping[str, Any]
Result = dict[str, Any]


class LogVerbs:
    def __init__(self, guest: Guest, collector: Collector) -> None:
        self._guest = guest
        self._collector = collector
        self.verbs: Mapping[str, Callable[[Task, Arguments], Result]] = {
            "logs": self.look,
            "read_log": self.read,
            "publish_log": self.publish,
        }

    def look(self, _task: Task, _arguments: Arguments) -> Result:
        """How much there is of each log; `on` is left out when the server cannot be asked what it writes."""
        self._collector.collect()
        on = self._on()
        seen = {name: _extent(book) for name, book in self._collector.books.items()}
        return {"logs": {name: each if on is None else each | {"on": name in on} for name, each in seen.items()}}

    def read(self, _task: Task, arguments: Arguments) -> Result:
        """Whole lines from an offset on; a negative one counts from the end."""
        book = self._book(arguments)
        start, end = book.extent()
        offset = int(arguments["offset"])
        limit = max(1, min(int(arguments["limit"]), LOG_READ_BYTES))
        piece = book.read(max(0, offset + end) if offset < 0 else offset, limit)
        data = _whole_lines(piece.data, last=piece.offset + len(piece.data) >= end)
        return {
            "offset": piece.offset,
            "next": piece.offset + len(data),
            "start": start,
            "end": end,
            "text": data.decode(errors="replace"),
        }

    def publish(self, task: Task, arguments: Arguments) -> Result:
        """Bring what lies between two offsets to the conductor; how far it came, and in how many objects."""
        book, until = self._book(arguments), int(arguments["until"])
        piece, objects = book.read(int(arguments["first"]), LOG_OBJECT_BYTES), 0
        while piece.data and piece.offset < until:
            task.check()
            data = _whole_lines(piece.data[: until - piece.offset], last=False)
            self._guest.keys.put(f"/v1/guest/logs/log-{piece.offset:020d}?command={quote(task.command.id)}", data)
            objects += 1
            piece = book.read(piece.offset + len(data), LOG_OBJECT_BYTES)
        return {"until": min(piece.offset, until), "objects": objects}

    def _book(self, arguments: Arguments) -> Segments:
        self._collector.collect()
        try:
            return self._collector.books[arguments["log"]]
        except KeyError as error:
            raise errors.NotFound(f"this guest keeps no log {arguments['log']!r}") from error

    def _on(self) -> set[str] | None:
        driver = self._guest.driver()
        try:
            return {GUEST.name, *driver.logs_on()} if isinstance(driver, Logs) else {GUEST.name}
        except errors.GuestFailed:
            return None


def _extent(book: Segments) -> Result:
    start, end = book.extent()
    head = book.read(start, LONGEST_FIRST_LINE).data.partition(b"\n")[0]
    digest = hashlib.md5(head, usedforsecurity=False).hexdigest() if end > start else ""
    return {"start": start, "end": end, "digest": digest}


def _whole_lines(data: bytes, *, last: bool) -> bytes:
    """Up to the last end of a line, unless this is all there is or one line is longer than all of it."""
    return data if last else data[: data.rfind(b"\n") + 1] or data
