"""What a native stream goes through on its way: threads, pipes, and counting."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Callable, Generator, Iterator
from queue import LifoQueue, SimpleQueue

from argosy.agent.throttle import Throttle

PIECE = 256 << 10
"""bytes that are moved at once"""
PIPE = 1 << 20
END = memoryview(b"")


class Stage:
    """Work that has begun, and what it raised."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def join(self, seconds: float | None = None) -> None:
        self._thread.join(seconds)

    def check(self, seconds: float | None = None) -> None:
        """Wait for its end. Raises what it raised."""
        self.join(seconds)
        if self.error is not None:
            raise self.error

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            self.error = error


class Tally:
    """What has gone through so far, of all streams of a job. Safe to share between threads."""

    def __init__(self, throttle: Throttle) -> None:
        self.bytes = 0
        self._throttle = throttle
        self._turn = threading.Lock()

    def add(self, size: int) -> None:
        """So much more has gone through. Returns once it may."""
        with self._turn:
            self._throttle.take(size)
            self.bytes += size


class Count:
    """Bytes of one native stream. What they are is proven elsewhere: every frame in the store has a tag of its own, and
    zstd ends its stream with a checksum of what it was given.
    """

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self.bytes = 0

    def add(self, size: int) -> None:
        """So much more has gone through. Returns once it may."""
        self._tally.add(size)
        self.bytes += size


def pipe() -> tuple[int, int]:
    """To read from, and to write to."""
    source, into = os.pipe()
    widen(into)
    return source, into


def widen(descriptor: int) -> None:
    """Let a pipe hold as much as anybody's may: fewer turns between two processes."""
    with contextlib.suppress(OSError):
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE)


def read(descriptor: int) -> Iterator[memoryview]:
    """All of it, each piece good until the next is asked for."""
    buffer = memoryview(bytearray(PIECE))
    while count := os.readv(descriptor, [buffer]):
        yield buffer[:count]


def read_ahead(descriptor: int, ahead: int) -> Generator[memoryview, None, None]:
    """As `read`, up to `ahead` bytes before they are asked for: who writes them can do so while they are used. Closed
    at the end; when nobody asks for more, at once or with what is written next.
    """
    free, full = LifoQueue[memoryview](), SimpleQueue[memoryview]()
    for _ in range(max(1, ahead // PIECE)):
        free.put(memoryview(bytearray(PIECE)))
    reading = Stage(lambda: _fill(descriptor, free, full))
    try:
        while piece := full.get():
            yield piece
            free.put(memoryview(piece.obj))
    finally:
        free.put(END)
    reading.check()


def _fill(descriptor: int, free: LifoQueue[memoryview], full: SimpleQueue[memoryview]) -> None:
    try:
        with closing(descriptor):
            while (piece := free.get()) and (count := os.readv(descriptor, [piece])):
                full.put(piece[:count])
    finally:
        full.put(END)


def write(descriptor: int, data: memoryview | bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


@contextlib.contextmanager
def closing(descriptor: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(descriptor)
