"""Rate limits: a bucket per project and verb, refilled evenly, counted in this process only."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

from argosy import clock, errors

VERBS = ("POST", "PUT", "DELETE", "GET")
"""PATCH is not limited, as in Trove."""
MINUTE = 60.0
KEPT = 10_000
"""Buckets kept; full ones are forgotten beyond that."""


@dataclass(frozen=True)
class Bucket:
    left: float
    at: float


class Rates:
    def __init__(self, per_minute: int, now: clock.Clock = clock.monotonic) -> None:
        self.per_minute = per_minute
        self._now = now
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._lock = threading.Lock()

    def spend(self, project: str, verb: str) -> None:
        """Count one request. Raises RateLimited."""
        if verb not in VERBS:
            return
        with self._lock:
            left = self._left(project, verb)
            if left < 1:
                raise errors.RateLimited(retry_after=math.ceil((1 - left) * MINUTE / self.per_minute))
            self._forget_full()
            self._buckets[project, verb] = Bucket(left - 1, self._now())

    def remaining(self, project: str, verb: str) -> int:
        """Requests that would be granted at once."""
        with self._lock:
            return int(self._left(project, verb))

    def _left(self, project: str, verb: str) -> float:
        bucket = self._buckets.get((project, verb))
        if bucket is None:
            return float(self.per_minute)
        refilled = (self._now() - bucket.at) * self.per_minute / MINUTE
        return min(float(self.per_minute), bucket.left + refilled)

    def _forget_full(self) -> None:
        if len(self._buckets) < KEPT:
            return
        full = [key for key in self._buckets if self._left(*key) >= self.per_minute]
        for key in full:
            del self._buckets[key]
