"""Gathers what the engine logs, wherever it writes it, into files of bounded size on the data volume.

Nobody else writes there, so no log fills a volume. What the engine writes while the agent is away waits in the pipe or
in init's own file, as far as it fits.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import select
import shutil
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from argosy import clock, errors, logs
from argosy.agent import boot
from argosy.agent.guest import Guest
from argosy.agent.segments import Segments
from argosy.agent.tail import Tail
from argosy.engines import files
from argosy.engines.logfiles import GUEST, Logs

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
BREATH_SECONDS = 0.05
"""between two looks, however much is written"""
MEMORY_SECONDS = 5.0
"""between two questions for what the server keeps in its memory"""
PIPE_BYTES = 1 << 20
LONGEST_LINE = 1 << 20
GUEST_BYTES = 256 << 10
SMALLEST, LARGEST = 256 << 10, 8 << 20
"""bytes of one of the files of a log"""
SHARE = 512
"""A file of a log has this part of the volume: eight tenths of a percent for all files of one log."""


class Collector:
    """Safe to share between threads."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._directory = guest.directory
        self._lock = threading.Lock()
        site = boot.site(guest.directory)
        root = site.data / "logs" / guest.boot.guest
        size = min(max(site.volume // SHARE, SMALLEST), LARGEST)
        self.books = {each.name: Segments(root / each.name, size) for each in guest.engine.logs}
        self.books[GUEST.name] = Segments(guest.directory / "agent-log", GUEST_BYTES)
        self._root = root
        self._tail = Tail(guest.directory / "engine.log", guest.directory / "engine.log.place")
        self._pipes: dict[str, int] = {}
        self._rest: dict[str, bytes] = defaultdict(bytes)
        """the beginning of a line whose end has not come yet"""
        self._current = "error"
        """the log of the last entry of the server's standard output"""
        self._since = _recall(guest.directory / "log.since")
        self._asked = -MEMORY_SECONDS
        driver = guest.driver()
        self._source: Logs | None = driver if isinstance(driver, Logs) else None

    def run(self) -> None:
        self._forget_others()
        while True:
            try:
                self.collect()
            except Exception:
                log.exception("logs could not be collected")
            select.select(list(self._pipes.values()), [], [], LOOK_SECONDS)
            time.sleep(BREATH_SECONDS)

    def collect(self) -> None:
        """Take in what has been written up to now."""
        if self._source is None:
            return
        with self._lock:
            self._open(self._source.log_pipes())
            for name, pipe in self._pipes.items():
                self._take(self._source, name, _drained(pipe))
            self._sort(self._source, self._tail.read())
            self._ask(self._source)

    def _open(self, pipes: Mapping[str, Path]) -> None:
        for name in pipes.keys() - self._pipes.keys():
            with contextlib.suppress(FileNotFoundError):
                pipe = os.open(pipes[name], os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
                with contextlib.suppress(OSError):  # the user has many pipes already
                    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
                self._pipes[name] = pipe

    def _take(self, source: Logs, name: str, data: bytes) -> None:
        lines = self._lines(name, data)
        if lines:
            self.books[name].append(b"".join(source.log_kept(name, line) for line in lines))

    def _sort(self, source: Logs, data: bytes) -> None:
        sorted_ = defaultdict(list)
        for line in self._lines("", data):
            self._current = source.log_of(line) or self._current
            sorted_[self._current].append(line)
        for name, lines in sorted_.items():
            self.books[name].append(b"".join(lines))
        if data:
            self._tail.remember()

    def _ask(self, source: Logs) -> None:
        if clock.monotonic() - self._asked < MEMORY_SECONDS:
            return
        self._asked = clock.monotonic()
        with contextlib.suppress(errors.GuestFailed, errors.Unavailable):  # it does not run just now
            told, since = source.log_memory(self._since)
            for name, text in told.items():
                self.books[name].append(text)
            if since != self._since:
                self._since = since
                files.write(self._directory / "log.since", json.dumps(since))

    def _lines(self, name: str, data: bytes) -> list[bytes]:
        """Whole lines; the rest waits for its end."""
        lines = (self._rest.pop(name, b"") + data).splitlines(keepends=True)
        if lines and not lines[-1].endswith(b"\n") and len(lines[-1]) < LONGEST_LINE:
            self._rest[name] = lines.pop()
        return lines

    def _forget_others(self) -> None:
        """Of the instance that this volume was cloned from."""
        if self._root.parent.is_dir():
            for each in self._root.parent.iterdir():
                if each != self._root:
                    shutil.rmtree(each, ignore_errors=True)


class Kept(logging.Handler):
    """What the agent says of itself."""

    def __init__(self, book: Segments) -> None:
        super().__init__()
        self._book = book
        self.setFormatter(logs.JsonLines())

    def emit(self, record: logging.LogRecord) -> None:
        self._book.append(self.format(record).encode() + b"\n")


def _drained(pipe: int) -> bytes:
    """What it holds, and not more than it can hold at once."""
    data = bytearray()
    with contextlib.suppress(BlockingIOError):
        while len(data) < PIPE_BYTES:
            data += os.read(pipe, 1 << 16)
    return bytes(data)


def _recall(place: Path) -> str:
    try:
        return str(json.loads(place.read_text()))
    except (OSError, ValueError):
        return ""
