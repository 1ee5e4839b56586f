"""A limit on bytes per second, so that a backup leaves the volume to those whom it serves."""

from __future__ import annotations

import time
from collections.abc import Callable

BURST_SECONDS = 0.25
"""Of the limit may pass at once after a pause: what is spared is not saved up."""


class Throttle:
    """A token bucket that may be in debt. For one thread at a time."""

    def __init__(
        self, rate: int, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """`rate` is in bytes per second; 0: no limit."""
        self._rate = rate
        self._now, self._sleep = now, sleep
        self._left = rate * BURST_SECONDS
        self._at = now()

    def take(self, count: int) -> None:
        """Returns once so many bytes may pass."""
        if not self._rate:
            return
        now = self._now()
        self._left = min(self._rate * BURST_SECONDS, self._left + (now - self._at) * self._rate) - count
        self._at = now
        if self._left < 0:
            self._sleep(-self._left / self._rate)
