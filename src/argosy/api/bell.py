"""Waiting for news: a few requests may wait at a time; news wake them, a short look now and then stands behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from argosy import clock

T = TypeVar("T")

LOOK_EVERY = 0.5
"""Seconds after which a waiting request looks by itself: a ring may be lost."""


SEATS = 8
"""Requests that may wait at a time; the process has so many threads more than it needs to serve."""


class Bell:
    """Rung after commits that the API should look at."""

    def __init__(self, seats: int = SEATS) -> None:
        self._seats = threading.BoundedSemaphore(seats)
        self.waiting = 0
        """threads that are between two looks just now"""
        self._news = threading.Condition()
        self._rung = 0
        self._closed = False

    def ring(self) -> None:
        with self._news:
            self._rung += 1
            self._news.notify_all()

    def close(self) -> None:
        """Nobody waits any longer: the process ends."""
        self._closed = True
        self.ring()

    @contextmanager
    def seat(self) -> Iterator[bool]:
        """Whether this thread may wait: when all seats are taken it must answer with what there is."""
        seated = self._seats.acquire(blocking=False)
        try:
            yield seated
        finally:
            if seated:
                self._seats.release()

    def until(self, look: Callable[[], T], good: Callable[[T], bool], seconds: float) -> T:
        """What `look` gives as soon as it is good, or what it gives after so many seconds."""
        end = clock.monotonic() + seconds
        while True:
            heard = self._rung
            seen = look()
            left = end - clock.monotonic()
            if good(seen) or left <= 0 or self._closed:
                return seen
            self._pause(heard, min(left, LOOK_EVERY))

    def _pause(self, heard: int, seconds: float) -> None:
        """Until a ring that came after `heard` was read, which may be past already."""
        with self._news:
            self.waiting += 1
            self._news.wait_for(lambda: self._rung != heard, seconds)
            self.waiting -= 1
